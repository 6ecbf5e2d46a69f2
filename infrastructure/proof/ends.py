"""Q10: ends at every change of every zone's offset, a second before and after it too."""

from __future__ import annotations

import time
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from infrastructure.proof.goals import Result
from infrastructure.proof.scheduled import scheduled
from infrastructure.proof.simulated.faults import Placed
from infrastructure.proof.simulated.hub import EPOCH
from infrastructure.proof.simulated.world import World
from shared.application.do_due_work import do_due_work, find_due_work
from shared.application.show_account import check_access
from shared.domain.subscription import Subscription, SubscriptionItem

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LEAST_ZONES, LATEST = 590, timedelta(seconds=120)


def offset_changes() -> tuple[int, set[datetime]]:
    """How many zones there are, and the instants at which any of them changes its offset."""
    zones, found = sorted(zoneinfo.available_timezones()), set()
    for name in zones:
        zone, day = zoneinfo.ZoneInfo(name), FIRST
        before = day.astimezone(zone).utcoffset()
        while day < LAST:
            after = (day + DAY).astimezone(zone).utcoffset()
            if before != after:
                found.add(_between(zone, day, day + DAY))
            before, day = after, day + DAY
    return len(zones), found


def _between(zone: zoneinfo.ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second of the new offset."""
    before = low.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def end_at_every_change() -> Result:
    """Each fires once, never early, and by the second sweep after it at the latest."""
    begun = time.monotonic()
    zones, changes = offset_changes()
    failures, ends = [], 0
    for change in sorted(changes):
        for end in (change - SECOND, change, change + SECOND):
            ends += 1
            failures += [f"{end}: {what}" for what in _end(end)]
    return Result(
        "Q10 time",
        f"{LEAST_ZONES} zones, each offset change 2024-2035 ± 1 s: once, never early, ≤ 120 s late",
        f"{ends:,} ends at {len(changes):,} changes in {zones} zones, {len(failures)} wrong",
        not failures and zones >= LEAST_ZONES,
        time.monotonic() - begun,
        failures=failures,
    )


def _end(end: datetime) -> Iterator[str]:
    """One subscription, looked at before its end, at it, and by the minute's schedule after it."""
    world = World("end", Placed({}))
    start = end - timedelta(days=30)
    item = SubscriptionItem("si", "prod", "price", 1, 100, "usd", "month", start, end)
    world.table.commit(0, scheduled("cus_end", "sub", item), incarnation=1, livemode=False)
    _move(world, end - SECOND)
    if find_due_work(world.ports()):
        yield "due a second early"
    if not check_access(world.ports(), customer="cus_end")["entitled"]:
        yield "cut a second early"
    _move(world, end)
    if check_access(world.ports(), customer="cus_end")["entitled"]:
        yield "left on at its end"
    sweep = end.replace(second=0) + timedelta(minutes=1)
    outcomes = []
    for _ in range(3):
        _move(world, sweep)
        outcomes += [
            (do_due_work(world.ports(), due), sweep - end)
            for due in find_due_work(world.ports())
            if due.kind is Subscription
        ]
        sweep += timedelta(minutes=1)
    if len(outcomes) != 1 or outcomes[0][0] != "ended" or outcomes[0][1] > LATEST:
        yield f"{outcomes}"


def _move(world: World, to: datetime) -> None:
    world.hub.now = int((to - EPOCH) / timedelta(milliseconds=1))
