"""What the table's failures mean, and how it is asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError, ReadTimeoutError

from shared.adapters import dynamodb_items as items
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.domain.account import Account
from shared.domain.controls import OPERATIONS, Spent, Window
from shared.domain.errors import ConflictingWriteError, OutcomeUnknownError, UnavailableError
from shared.domain.records import EventMark
from shared.ports import Put

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class FakeTable:
    """Answers every call alike, and keeps what it was asked."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked: list[dict[str, Any]] = []

    def __getattr__(self, _operation: str) -> Any:
        def call(**arguments: Any) -> dict[str, Any]:
            self.asked.append(arguments)
            if self.failure:
                raise self.failure
            return {"Items": []}

        return call


def store(table: FakeTable) -> DynamoDBStore:
    return DynamoDBStore(table, "table", incarnation=1, livemode=False)


def failure(code: str, *reasons: str) -> ClientError:
    response: Any = {"Error": {"Code": code}, "CancellationReasons": [{"Code": r} for r in reasons]}
    return ClientError(response, "TransactWriteItems")


CANCELED = "TransactionCanceledException"


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (failure(CANCELED, "None", "ConditionalCheckFailed"), ConflictingWriteError),
        (failure(CANCELED, "TransactionConflict", "None"), ConflictingWriteError),
        (failure(CANCELED, "ConditionalCheckFailed", "TransactionConflict"), ConflictingWriteError),
        (failure(CANCELED, "ConditionalCheckFailed", "ThrottlingError"), UnavailableError),
        (failure(CANCELED, "ProvisionedThroughputExceeded"), UnavailableError),
        (failure("ThrottlingException"), UnavailableError),
        (failure("InternalServerError"), UnavailableError),
        (failure(CANCELED, "ConditionalCheckFailed", "ValidationError"), ClientError),
        (failure(CANCELED, "None"), ClientError),
        (failure("AccessDeniedException"), ClientError),
        (ReadTimeoutError(endpoint_url="https://table"), OutcomeUnknownError),
    ],
)
def test_each_failure_has_one_meaning(error: Exception, meaning: type[Exception]) -> None:
    with pytest.raises(meaning) as caught:
        store(FakeTable(error)).commit([Put(Account("cus_ann"), 0)])
    assert type(caught.value) is meaning


def test_every_commit_carries_a_token_that_its_retries_share() -> None:
    """The SDK makes one for a call and sends it with each of its own tries."""
    models = botocore.session.get_session().get_service_model("dynamodb")
    assert models.operation_model("TransactWriteItems").idempotent_members == ["ClientRequestToken"]


def test_what_decides_is_read_consistently() -> None:
    table = FakeTable()
    asked = store(table)
    asked.get(Account, "cus_ann")
    asked.all_of(Account, "cus_ann")
    assert [one["ConsistentRead"] for one in table.asked] == [True, True]


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (EventMark("cus_ann", "evt_1", "refund.updated", NOW), timedelta(days=60)),
        (Spent(OPERATIONS, Window.DAY, NOW), timedelta(days=35)),
    ],
)
def test_what_may_be_forgotten_expires_in_seconds_and_never_early(
    record: object, kept: timedelta
) -> None:
    item = items.to_item(record, version=1, incarnation=1, livemode=False)
    assert datetime.fromtimestamp(item["expires_at"], UTC) == NOW + kept


class HalfTable:
    """A table that reads only so many of a batch at a time."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.asked: list[int] = []

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        assert RequestItems["table"]["ConsistentRead"]
        keys = RequestItems["table"]["Keys"]
        self.asked.append(len(keys))
        names = [key["pk"]["S"].removeprefix("CUST#") for key in keys[: self.at_once]]
        plain = [_item(Account(name)) for name in names]
        rest = {"table": {"Keys": keys[self.at_once :]}} if keys[self.at_once :] else {}
        return {"Responses": {"table": plain}, "UnprocessedKeys": rest}


def _item(record: Account) -> dict[str, Any]:
    item = items.to_item(record, version=1, incarnation=1, livemode=False)
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def test_what_a_batch_left_unread_is_asked_for_again() -> None:
    table = HalfTable(at_once=40)
    keys = [(f"cus_{number:03}",) for number in range(130)]
    found = DynamoDBStore(table, "table", incarnation=1, livemode=False).get_many(Account, keys)
    assert sorted((stored.record.customer,) for stored in found) == keys
    assert max(table.asked) == 100


def test_a_batch_of_which_nothing_is_read_is_throttled() -> None:
    with pytest.raises(UnavailableError):
        DynamoDBStore(HalfTable(at_once=0), "table", incarnation=1, livemode=False).get_many(
            Account, [("cus_1",)]
        )
