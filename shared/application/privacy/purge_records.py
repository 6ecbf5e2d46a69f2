"""Delete what is past its term: bounded, reported, and never more than its share."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from shared.application.change import Change, present, transact
from shared.domain.account import Account
from shared.domain.controls import OPERATIONS
from shared.domain.data_map import is_past_term
from shared.domain.data_map_records import RECORDS
from shared.domain.errors import ConflictingWriteError, UnavailableError
from shared.domain.privacy import PrivacyChoices
from shared.domain.privacy_records import PurgeReport
from shared.ports import Delete, Put, Services, Stored

MOST = 10_000
# A term that somebody has shortened by mistake must not empty the table over night.
LARGEST_SHARE = 5  # percent
# Below this many a share says nothing: a young table has few records.
FEW = 50
_PAGE = 1000
_PER_COMMIT = 80


def purge_records(
    services: Services,
    *,
    dry_run: bool = False,
    most: int = MOST,
    largest_share: int = LARGEST_SHARE,
) -> PurgeReport:
    """One run over the whole table; its stored report.

    Args:
        services: the ports.
        dry_run: count and report, delete nothing.
        most: how many records a run deletes; the rest is left for the next.
        largest_share: of the table, in percent; a run that finds more deletes nothing.
    """
    looked_at, found = 0, list[Stored[Any]]()
    for stored in _records(services):
        looked_at += 1
        entry = RECORDS.get(type(stored.record))
        if entry is not None and is_past_term(stored.record, entry, present(services)):
            found.append(stored)
    free, held = _without_holds(services, found)
    refused = len(found) > FEW and len(found) * 100 > looked_at * largest_share
    deleted = 0 if dry_run or refused else _delete(services, free[:most])
    report = PurgeReport(
        customer=OPERATIONS,
        id=services.ids.new(),
        at=present(services),
        looked_at=looked_at,
        past_term=len(found),
        deleted=deleted,
        held=held,
        refused=refused,
        dry_run=dry_run,
        kinds=tuple(sorted(Counter(type(one.record).__name__ for one in found).items())),
    )
    services.store.commit([Put(report, 0)])
    return report


def _records(services: Services) -> Iterable[Stored[Any]]:
    after: str | None = None
    while True:
        page = services.store.scan(after, limit=_PAGE)
        yield from page.rows
        if page.after is None:
            return
        after = page.after


def _without_holds(
    services: Services, found: Sequence[Stored[Any]]
) -> tuple[list[Stored[Any]], int]:
    """What no legal hold keeps, and how much one does."""
    holds: dict[str, bool] = {}
    for stored in found:
        owner = _owner(stored)
        if owner not in holds:
            choices = services.store.get(PrivacyChoices, owner)
            holds[owner] = bool(choices and choices.record.holds)
    free = [stored for stored in found if not holds[_owner(stored)]]
    return free, len(found) - len(free)


def _delete(services: Services, found: Sequence[Stored[Any]]) -> int:
    by_owner: dict[str, list[Stored[Any]]] = defaultdict(list)
    for stored in found:
        by_owner[_owner(stored)].append(stored)
    deleted = 0
    for owner, records in by_owner.items():
        for start in range(0, len(records), _PER_COMMIT):
            deleted += _delete_of(services, owner, records[start : start + _PER_COMMIT])
    return deleted


def _delete_of(services: Services, owner: str, records: Sequence[Stored[Any]]) -> int:
    """One commit; what has moved since it was read stays for the next run."""
    deletes = [Delete(stored.record, stored.version) for stored in records]
    if services.store.get(Account, owner) is None:
        # No customer's partition: no account's version to take turns by.
        return _at_once(services, deletes)

    def decide(change: Change) -> int:
        choices = change.load(PrivacyChoices)
        if choices is not None and choices.holds:
            return 0
        for one in deletes:
            change.beside(one)
        return len(deletes)

    try:
        return transact(services, owner, "purge", decide)
    except UnavailableError:
        return 0


def _at_once(services: Services, deletes: list[Delete]) -> int:
    try:
        services.store.commit(deletes)
    except ConflictingWriteError:
        return 0
    return len(deletes)


def _owner(stored: Stored[Any]) -> str:
    return str(stored.record.customer)
