"""The table in memory: the same items, versions and transactions, through the same codec."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from shared.adapters import dynamodb_items as items
from shared.domain.errors import ConflictingWriteError
from shared.ports import Delete, DueKey, Page, Put, Stored, Write

R = TypeVar("R")


class FakeStore:
    """`Store` on a dictionary; `before_commit` lets a test put another writer in between."""

    def __init__(self) -> None:
        self.table: dict[tuple[str, str], dict[str, Any]] = {}
        self.before_commit: list[Any] = []
        self.commits = 0
        self.incarnation = 1

    def get(self, kind: type[R], *key: str) -> Stored[R] | None:
        item = self.table.get(items.key(kind, *key))
        return Stored(items.from_item(kind, item), item["version"]) if item else None

    def get_many(self, kind: type[R], keys: Sequence[tuple[str, ...]]) -> list[Stored[R]]:
        assert len(set(keys)) == len(keys), "a key is asked for once"
        found = [self.get(kind, *key) for key in keys]
        return [stored for stored in found if stored]

    def all_of(self, kind: type[R], customer: str) -> list[Stored[R]]:
        pk, sk = items.key(kind, customer)
        return [
            Stored(items.from_item(kind, item), item["version"])
            for (its_pk, its_sk), item in sorted(self.table.items())
            if its_pk == pk and its_sk.startswith(sk)
        ]

    def commit(self, writes: Sequence[Write]) -> None:
        if self.before_commit:
            self.before_commit.pop(0)()
        keys = [items.key_of(write.record) for write in writes]
        assert len(set(keys)) == len(keys), "a transaction names an item once"
        assert len(writes) <= 100, "a transaction holds 100 items"
        for key, write in zip(keys, writes, strict=True):
            stored = self.table.get(key, {"version": 0})
            if stored["version"] != write.version:
                raise ConflictingWriteError(str(key))
        for key, write in zip(keys, writes, strict=True):
            if isinstance(write, Put):
                self.table[key] = items.to_item(
                    write.record,
                    version=write.version + 1,
                    incarnation=self.incarnation,
                    livemode=False,
                )
            elif isinstance(write, Delete):
                del self.table[key]
        self.commits += 1

    def scan(self, after: str | None, *, limit: int) -> Page[Stored[Any]]:
        found = sorted(self.table.items())
        start = int(after or 0)
        rows = tuple(
            Stored(items.from_item(items.kind_of(sk), item), item["version"])
            for (_, sk), item in found[start : start + limit]
        )
        return Page(rows, str(start + limit) if start + limit < len(found) else None)

    def due(self, until: datetime, *, limit: int, part: int = 0, parts: int = 1) -> list[DueKey]:
        found = [
            DueKey(*items.parse_key(*key))
            for key, item in sorted(self.table.items(), key=lambda kv: kv[1].get("due_at", ""))
            if item.get("due_shard") in items.DUE_SHARDS[part::parts]
            and item["due_at"] <= items.sortable(until)
        ]
        return found[: limit * len(items.DUE_SHARDS)]

    def queued(self, queue: str, *, limit: int, after: str | None) -> Page[DueKey]:
        found = sorted(
            (item["due_at"], *key)
            for key, item in self.table.items()
            if item.get("due_shard") == items.queue_shard(queue)
        )
        if after:
            known = items.cursor_key(queue, after)
            found = [row for row in found if row > (known["due_at"], known["pk"], known["sk"])]
        rows = tuple(DueKey(*items.parse_key(pk, sk)) for _, pk, sk in found[:limit])
        more = len(found) > limit
        last = dict(zip(("due_at", "pk", "sk"), found[limit - 1], strict=True)) if more else None
        return Page(rows, items.cursor(last) if last else None)
