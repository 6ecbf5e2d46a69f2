"""Q2: every fault at every port call of every flow, and pairs of them where something is changed.

A crash before a call leaves the same behind as one after the last change before it, so pairs are
placed at the calls that change something, and after them. Every pair is placed in the flows of
WHOLE; of the others as many as the goal has plans, in an order that favours none.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infrastructure.proof.call_sites import ABSENT, call_sites
from infrastructure.proof.flows import FLOWS
from infrastructure.proof.goals import Result
from infrastructure.proof.pool import in_parallel
from infrastructure.proof.simulated.faults import CRASHES, PLACES, Fault, Placed
from infrastructure.proof.simulated.lifetime import Lifetime
from infrastructure.proof.simulated.sites import Sites

GOAL = 60_000
LEAST_FLOWS = 12
# Of these only some: each is one of the others with more in it, or at another moment.
PARTLY = (
    *("take it back with a charge, and cancel again", "a chargeback, won, billed ahead"),
    *("a chargeback, lost and then won", "looking", "cancel now, billed ahead"),
    *("cancel at the end, billed ahead", "cancel at the end, a charge pending"),
    "a refund during an inquiry that becomes a chargeback",
    *(flow for flow in FLOWS if any(part in flow for part in ("set back", "outage", "a case"))),
)
WHOLE = tuple(flow for flow in FLOWS if flow not in PARTLY)
# Where pairs are placed, and what can happen there that leaves a trace.
PAIRED: Mapping[str, tuple[Fault, ...]] = {
    "commit": (Fault.CRASH_AFTER, Fault.COMMIT_ANSWER_LOST),
    "mutate": (
        Fault.CRASH_AFTER,
        Fault.STRIPE_CUT_AFTER,
        Fault.STRIPE_500_DONE,
        Fault.STRIPE_LATE,
    ),
}
# Everything but clocks and schedules, which are drawn in lifetimes.
SINGLE = (
    *("read", "due", "commit", "ask", "mutate", "send", "wake"),
    *("message", "queue", "answer", "refund", "event"),
)
SEED = "flow"


@dataclass(slots=True)
class Placements:
    """What came of some plans."""

    plans: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failing: list[str] = field(default_factory=list)
    sites: Sites = field(default_factory=Sites)
    firsts: int = 0

    def add(self, other: Placements) -> None:
        """Both together."""
        self.plans += other.plans
        self.firsts += other.firsts
        self.faults += other.faults
        self.failing += other.failing
        self.sites.add(other.sites)

    def place(self, flow: str, plan: Mapping[int, Fault]) -> tuple[list[str], Sites]:
        """Live the flow with these faults; the kinds of place, and the calls, it came through."""
        oracle, sites = Placed(plan), Sites()
        lived = Lifetime(SEED, FLOWS[flow], oracle, sites=sites).live()
        self.sites.add(sites)
        self.plans += 1
        self.faults += lived.faults
        if lived.violations:
            invariant, detail = lived.violations[0]
            at = ", ".join(f"{fault} at {number}" for number, fault in plan.items())
            self.failing.append(f"{flow}; {at or 'no fault'}: {invariant} {detail}")
        return oracle.places, sites


def place_first(piece: tuple[str, int, int]) -> Placements:
    """One fault, of each kind in turn, at some of the places of a flow."""
    flow, part, parts = piece
    made = Placements()
    places, usual = made.place(flow, {})
    for number, place in enumerate(places, start=1):
        if place in SINGLE and number % parts == part:
            for fault in PLACES[place]:
                _, sites = made.place(flow, {number: fault})
                _die_at_new(made, flow, {number: fault}, usual, sites)
    return made


def _die_at_new(
    made: Placements, flow: str, plan: Mapping[int, Fault], usual: Sites, now: Sites
) -> None:
    """Calls that only a fault leads to are died at too."""
    for site, number in now.reached.items():
        if site not in usual.reached and number > max(plan):
            for crash in CRASHES:
                died = made.sites.before if crash is Fault.CRASH_BEFORE else made.sites.after
                if site not in died:
                    made.place(flow, {**plan, number: crash})


def place_second(piece: tuple[str, int, Fault]) -> Placements:
    """A first fault, with each second one at each later call that changes something."""
    flow, first, fault = piece
    made = Placements(firsts=1)
    places, _ = made.place(flow, {first: fault})
    for number, place in enumerate(places[first:], start=first + 1):
        for second in PAIRED.get(place, ()):
            made.place(flow, {first: fault, number: second})
    return made


def pairs() -> list[tuple[str, int, Fault]]:
    """Every first fault of a pair, in an order that is always the same and favours no flow."""
    found = [
        (flow, number, fault)
        for flow in FLOWS
        for number, place in enumerate(places_of(flow), start=1)
        for fault in PAIRED.get(place, ())
    ]
    random.Random(SEED).shuffle(found)  # noqa: S311 - the same order each time
    return sorted(found, key=lambda one: one[0] in PARTLY)


def places_of(flow: str) -> list[str]:
    """The kinds of place that a flow comes through, in order."""
    oracle = Placed({})
    Lifetime(SEED, FLOWS[flow], oracle).live()
    return oracle.places


def enumerate_placements() -> Result:
    """All single faults, all pairs in `WHOLE`, and as many others as the goal asks for."""
    begun = time.monotonic()
    made, parts = Placements(), 8
    singles = [(flow, part, parts) for flow in FLOWS for part in range(parts)]
    for one in in_parallel(place_first, singles, what="one fault"):
        made.add(one)
    firsts = pairs()
    whole = [first for first in firsts if first[0] in WHOLE]
    for pieces in (whole, firsts[len(whole) :]):
        for one in in_parallel(place_second, pieces, what="two faults"):
            made.add(one)
            if pieces is not whole and made.plans >= GOAL:
                break
    return _judged(made, len(firsts), time.monotonic() - begun)


def _judged(made: Placements, firsts: int, took: float) -> Result:
    missing = list(_missing(made.sites))
    reached = len(made.sites.reached)
    return Result(
        "Q2 every crash point",
        f"{GOAL:,} plans, all of ≤ 2 faults in {LEAST_FLOWS} flows, each port call died at before"
        " and after",
        f"{made.plans:,} plans, {len(made.failing)} violations; one fault in {len(FLOWS)} flows,"
        f" two in {len(WHOLE)}, and from {made.firsts:,} of {firsts:,} first ones;"
        f" {reached} port calls, {len(missing)} missed",
        not made.failing and not missing and made.plans >= GOAL and len(WHOLE) >= LEAST_FLOWS,
        took,
        made.plans,
        made.faults,
        [*made.failing, *missing],
    )


def _missing(sites: Sites) -> Iterator[str]:
    """Port calls in the code that no flow has reached, or at which no worker has died."""
    for site in sorted(sites.reached.keys() - sites.before):
        yield f"nobody died before {site}"
    for site in sorted(sites.reached.keys() - sites.after):
        yield f"nobody died after {site}"
    places = {site.rpartition(" in ")[2] for site in sites.reached}
    for place, function in call_sites():
        module, _, _ = function.partition(":")
        if place not in places and not {function, module} & ABSENT.keys():
            yield f"no flow calls {place} in {function}"
