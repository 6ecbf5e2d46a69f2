"""The store on one DynamoDB table: strong reads, one transaction a commit.

Every item is written whole under its version, so a cap, a state and an effect that were decided
together are stored together or not at all. botocore gives each transaction a token, so a commit
whose answer was lost is answered as done by its own retry (for ten minutes, which is longer than
any retry of ours takes).
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters import dynamodb_items as items
from shared.domain.errors import ConflictingWriteError, OutcomeUnknownError, UnavailableError
from shared.ports import Delete, DueKey, Page, Put, Stored, Write

R = TypeVar("R")

_CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
# What DynamoDB reads in one BatchGetItem.
_READ_AT_ONCE = 100
_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def _dump(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _serializer.serialize(value) for name, value in item.items()}


def _load(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _deserializer.deserialize(value) for name, value in item.items()}


class DynamoDBStore:
    """`shared.ports.Store` on a table with the keys `pk`, `sk` and the index `due`."""

    def __init__(self, client: Any, table: str, *, incarnation: int, livemode: bool) -> None:
        self._client = client
        self._table = table
        self._incarnation = incarnation
        self._livemode = livemode

    def get(self, kind: type[R], *key: str) -> Stored[R] | None:
        """See `Store.get`."""
        pk, sk = items.key(kind, *key)
        answer = self._call("get_item", Key=_dump({"pk": pk, "sk": sk}), ConsistentRead=True)
        return self._stored(kind, answer["Item"]) if "Item" in answer else None

    def get_many(self, kind: type[R], keys: Sequence[tuple[str, ...]]) -> list[Stored[R]]:
        """See `Store.get_many`."""
        left = [_dump({"pk": pk, "sk": sk}) for pk, sk in (items.key(kind, *key) for key in keys)]
        found: list[Stored[R]] = []
        while left:
            asked, left = left[:_READ_AT_ONCE], left[_READ_AT_ONCE:]
            wanted = {self._table: {"Keys": asked, "ConsistentRead": True}}
            answer = self._call("batch_get_item", RequestItems=wanted)
            read = answer["Responses"].get(self._table, [])
            found += [self._stored(kind, item) for item in read]
            # What did not fit or was throttled comes back; where nothing came, it is throttled.
            rest = answer["UnprocessedKeys"].get(self._table, {}).get("Keys", [])
            if rest and not read:
                raise UnavailableError("table: throttled")
            left = rest + left
        return found

    def all_of(self, kind: type[R], customer: str) -> list[Stored[R]]:
        """See `Store.all_of`."""
        pk, sk = items.key(kind, customer)
        found: list[Stored[R]] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._call(
                "query",
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues=_dump({":pk": pk, ":sk": sk}),
                ConsistentRead=True,
                **start,
            )
            found += [self._stored(kind, item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def commit(self, writes: Sequence[Write]) -> None:
        """See `Store.commit`."""
        self._call("transact_write_items", TransactItems=[self._action(w) for w in writes])

    def scan(self, after: str | None, *, limit: int) -> Page[Stored[Any]]:
        """See `Store.scan`."""
        start = {"ExclusiveStartKey": json.loads(after)} if after else {}
        answer = self._call("scan", Limit=limit, **start)
        rows = tuple(self._stored(items.kind_of(item["sk"]["S"]), item) for item in answer["Items"])
        last = answer.get("LastEvaluatedKey")
        return Page(rows, json.dumps(last) if last else None)

    def due(self, until: datetime, *, limit: int, part: int = 0, parts: int = 1) -> list[DueKey]:
        """See `Store.due`."""
        found: list[DueKey] = []
        for shard in items.DUE_SHARDS[part::parts]:
            answer = self._call(
                "query",
                IndexName="due",
                KeyConditionExpression="due_shard = :shard AND due_at <= :until",
                ExpressionAttributeValues=_dump({":shard": shard, ":until": items.sortable(until)}),
                Limit=limit,
            )
            for item in answer["Items"]:
                plain = _load(item)
                found.append(DueKey(*items.parse_key(plain["pk"], plain["sk"])))
        return found

    def queued(self, queue: str, *, limit: int, after: str | None) -> Page[DueKey]:
        """See `Store.queued`."""
        start = {"ExclusiveStartKey": _dump(items.cursor_key(queue, after))} if after else {}
        answer = self._call(
            "query",
            IndexName="due",
            KeyConditionExpression="due_shard = :shard",
            ExpressionAttributeValues=_dump({":shard": items.queue_shard(queue)}),
            Limit=limit,
            **start,
        )
        plain = [_load(item) for item in answer["Items"]]
        rows = tuple(DueKey(*items.parse_key(item["pk"], item["sk"])) for item in plain)
        return Page(rows, items.cursor(plain[-1]) if "LastEvaluatedKey" in answer else None)

    def _stored(self, kind: type[R], item: dict[str, Any]) -> Stored[R]:
        plain = _load(item)
        return Stored(items.from_item(kind, plain), int(plain["version"]))

    def _action(self, write: Write) -> dict[str, Any]:
        condition: dict[str, Any] = {
            "TableName": self._table,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if write.version:
            condition |= {
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": _dump({":version": write.version}),
            }
        if not isinstance(write, Put):
            pk, sk = items.key_of(write.record)
            action = "Delete" if isinstance(write, Delete) else "ConditionCheck"
            return {action: condition | {"Key": _dump({"pk": pk, "sk": sk})}}
        item = items.to_item(
            write.record,
            version=write.version + 1,
            incarnation=self._incarnation,
            livemode=self._livemode,
        )
        return {"Put": condition | {"Item": _dump(item)}}

    def _call(self, operation: str, **arguments: Any) -> Any:
        if operation not in ("transact_write_items", "batch_get_item"):
            arguments["TableName"] = self._table
        try:
            return getattr(self._client, operation)(**arguments)
        except ClientError as error:
            raise _translate(error) from error
        except BotoCoreError as error:
            # After botocore's own retries nobody knows whether a commit went through; the caller
            # loads again, and finds its own writes if it did.
            raise OutcomeUnknownError(f"table: {type(error).__name__}") from error


_TRANSIENT = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "TransactionInProgressException",
    }
)


def _translate(error: ClientError) -> Exception:
    """Our error for DynamoDB's; what is not listed stays what it is and ends with a person."""
    code = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        codes = {reason.get("Code") for reason in reasons} - {"None", None}
        if codes and codes <= _CONFLICTS:
            return ConflictingWriteError(", ".join(sorted(map(str, codes))))
        if codes & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
            return UnavailableError("table: throttled")
    if code in _TRANSIENT:
        return UnavailableError(f"table: {code}")
    return error
