"""DynamoDB as our store needs it: whole items under versions, transactions, a lagging index."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from infrastructure.proof.simulated.hub import MINUTE
from infrastructure.proof.simulated.unconditional import Unconditional
from shared.adapters import dynamodb_items as items
from shared.domain.errors import ConflictingWriteError
from shared.ports import Check, DueKey, Page, Put, Stored

Key = tuple[str, str]
LARGEST_TRANSACTION = 100
SWEPT = frozenset(items.DUE_SHARDS)
LONGEST_LAG = 2 * MINUTE

Watch = Callable[[Any, Any], None]
Backup = dict[str, dict[str, "Row"]]


@dataclass(slots=True)
class Row:
    """An item, and the record that was last read out of it."""

    item: dict[str, Any]
    version: int
    kind: type
    record: Any = None

    def read(self) -> Any:
        """The record, through the codec; it is frozen, so it is decoded once."""
        if self.record is None:
            self.record = items.from_item(self.kind, self.item)
        return self.record


class Table:
    """Every item; `watch` sees each write that was committed, with what stood there before."""

    def __init__(self, watch: Watch = lambda _old, _new: None) -> None:
        self.partitions: dict[str, dict[str, Row]] = defaultdict(dict)
        self.due: dict[Key, tuple[str, str]] = {}
        self.watch = watch
        self._moved: list[tuple[int, Key, tuple[str, str] | None]] = []

    def get(self, kind: type, *key: str) -> Stored[Any] | None:
        """A strongly consistent read."""
        pk, sk = items.key(kind, *key)
        row = self.partitions[pk].get(sk) if pk in self.partitions else None
        return Stored(row.read(), row.version) if row else None

    def all_of(self, kind: type, customer: str) -> list[Stored[Any]]:
        """A strongly consistent query."""
        pk, prefix = items.key(kind, customer)
        found = self.partitions.get(pk, {})
        return [
            Stored(found[sk].read(), found[sk].version)
            for sk in sorted(found)
            if sk.startswith(prefix)
        ]

    def every(self, kind: type) -> list[Any]:
        """All records of a kind: for judges, no use case may scan."""
        prefix = items.prefix(kind)
        return [
            row.read()
            for pk in list(self.partitions)
            for row in list(self.partitions[pk].values())
            if row.kind is kind and row.item["sk"].startswith(prefix)
        ]

    def commit(
        self, now: int, writes: Sequence[Put | Check], *, incarnation: int, livemode: bool
    ) -> None:
        """All or nothing, as `TransactWriteItems` does it."""
        keys = [items.key_of(write.record) for write in writes]
        if len(set(keys)) != len(keys) or not 0 < len(keys) <= LARGEST_TRANSACTION:
            raise AssertionError(f"DynamoDB refuses such a transaction: {keys}")
        before = [self.partitions[pk].get(sk) for pk, sk in keys]
        for row, write in zip(before, writes, strict=True):
            if (row.version if row else 0) != write.version and not isinstance(
                write, Unconditional
            ):
                raise ConflictingWriteError(str(write.record)[:80])
        for key, write in zip(keys, writes, strict=True):
            if isinstance(write, Put):
                self._put(now, key, write, incarnation=incarnation, livemode=livemode)
        for row, write in zip(before, writes, strict=True):
            if isinstance(write, Put):
                self.watch(row.read() if row else None, write.record)

    def _put(self, now: int, key: Key, write: Put, *, incarnation: int, livemode: bool) -> None:
        version = write.version + 1
        item = items.to_item(
            write.record, version=version, incarnation=incarnation, livemode=livemode
        )
        self.partitions[key[0]][key[1]] = Row(item, version, type(write.record))
        new = (item["due_shard"], item["due_at"]) if "due_at" in item else None
        if new != self.due.get(key):
            self._moved.append((now, key, self.due.get(key)))
        if new is None:
            self.due.pop(key, None)
        else:
            self.due[key] = new

    def candidates(
        self, now: int, until: str, *, shards: Sequence[str], limit: int, lag: int
    ) -> list[DueKey]:
        """The due index as it was `lag` milliseconds ago."""
        index = dict(self.due)
        if lag:
            for at, key, old in reversed(self._moved):
                if at < now - lag:
                    break
                if old is None:
                    index.pop(key, None)
                else:
                    index[key] = old
        self._moved = [moved for moved in self._moved if moved[0] >= now - LONGEST_LAG]
        found: dict[str, list[tuple[str, Key]]] = defaultdict(list)
        for key, (shard, due_at) in index.items():
            if due_at <= until:
                found[shard].append((due_at, key))
        return [
            DueKey(*items.parse_key(*key))
            for shard in shards
            for _, key in sorted(found[shard])[:limit]
        ]

    def queued(self, queue: str, *, limit: int, after: str | None) -> Page[DueKey]:
        """A part of a queue for people, the first due first."""
        shard = items.queue_shard(queue)
        rows = sorted((due_at, *key) for key, (its, due_at) in self.due.items() if its == shard)
        if after is not None:
            known = items.cursor_key(queue, after)
            rows = [row for row in rows if row > (known["due_at"], known["pk"], known["sk"])]
        last = None
        if len(rows) > limit:
            last = items.cursor(dict(zip(("due_at", "pk", "sk"), rows[limit - 1], strict=True)))
        return Page(tuple(DueKey(*items.parse_key(pk, sk)) for _, pk, sk in rows[:limit]), last)

    def first_due(self) -> str | None:
        """When the next record comes due that the schedule sweeps."""
        return min((due_at for shard, due_at in self.due.values() if shard in SWEPT), default=None)

    def due_of(self, record: object) -> str | None:
        """When the schedule sweeps a record; None for what waits in a queue for people."""
        shard, due_at = self.due.get(items.key_of(record), ("", ""))
        return due_at if shard in SWEPT else None

    def backup(self) -> Backup:
        """The table as it is now; items are never changed in place."""
        return {pk: dict(rows) for pk, rows in self.partitions.items()}

    def restore(self, backup: Backup) -> None:
        """The table as it was then."""
        self.partitions = defaultdict(dict, {pk: dict(rows) for pk, rows in backup.items()})
        self._moved = []
        self.due = {
            (pk, sk): (row.item["due_shard"], row.item["due_at"])
            for pk, rows in self.partitions.items()
            for sk, row in rows.items()
            if "due_at" in row.item
        }
