"""The store: what use cases and lifetimes are tried on behaves as the table does."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infrastructure.proof.simulated.faults import Placed
from infrastructure.proof.simulated.world import World
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.domain.account import Account, Cause, CauseKind
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.errors import ConflictingWriteError, InvalidRequestError
from shared.domain.payment import Payment
from shared.domain.records import AuditEntry, EventMark, Identity
from shared.domain.refund_case import QueuedCase
from shared.domain.subscription import Subscription, SubscriptionItem, SubscriptionStatus
from shared.ports import Check, DueKey, Put, Store
from tests.fakes.store import FakeStore

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TABLE = "StoreContract"


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A table with the template's keys and index, beside the deployed one."""
    client = request.getfixturevalue("stack").aws("dynamodb")
    names = ("pk", "sk", "due_shard", "due_at")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": _keys("due_shard", "due_at"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    yield client
    client.delete_table(TableName=TABLE)


def _keys(first: str, second: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": first, "KeyType": "HASH"},
        {"AttributeName": second, "KeyType": "RANGE"},
    ]


@pytest.fixture(params=["fake", "simulated", pytest.param("table", marks=pytest.mark.stack)])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        return FakeStore()
    if request.param == "simulated":
        return World("contract", Placed({})).ports().store  # type: ignore[no-any-return]
    client = request.getfixturevalue("table")
    return DynamoDBStore(client, TABLE, incarnation=1, livemode=False)


@pytest.fixture
def customer(request: pytest.FixtureRequest) -> str:
    """Its own partition for each test."""
    return f"cus_{abs(hash(request.node.nodeid))}"


def payment(customer: str, **known: int) -> Payment:
    return Payment("pi_1", customer, "usd", 1000, **known)  # type: ignore[arg-type]


def effect(customer: str, number: int, due: datetime) -> Effect:
    return Effect(
        id=f"01J{number}",
        customer=customer,
        kind=EffectKind.SEND_MAIL,
        params={"values": {"amount": "1.00 USD", "count": 3}, "list": [1, "two", None]},
        status=EffectStatus.PENDING,
        created_at=NOW,
        next_attempt_at=due,
        environment="test",
    )


def test_what_is_absent_is_none(store: Store, customer: str) -> None:
    assert store.get(Account, customer) is None
    assert store.all_of(Effect, customer) == []


def test_many_are_read_at_once_and_what_is_absent_is_left_out(store: Store, customer: str) -> None:
    made = [effect(customer, 1_000 + number, NOW) for number in range(150)]
    for start in range(0, len(made), 50):
        store.commit([Put(each, 0) for each in made[start : start + 50]])
    names = [each.id for each in made]
    found = store.get_many(Effect, [(customer, name) for name in [*names, "01Jabsent"]])
    assert sorted(stored.record.id for stored in found) == names
    assert {stored.version for stored in found} == {1}
    assert store.get_many(Effect, []) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda c: Account(c, causes=(Cause(CauseKind.DISPUTE, "du_1", NOW),), audit_sequence=7),
        lambda c: effect(c, 1, NOW),
        lambda c: Subscription(
            "sub_1",
            c,
            SubscriptionStatus.ACTIVE,
            (SubscriptionItem("si", "p", "pr", 1, 100, "jpy", "year", NOW, NOW, None),),
        ),
    ],
    ids=["account", "effect", "subscription"],
)
def test_what_is_written_is_read_the_same(
    store: Store, customer: str, make: Callable[[str], Any]
) -> None:
    record = make(customer)
    store.commit([Put(record, 0)])
    key = (customer,) if isinstance(record, Account) else (customer, record.id)
    stored = store.get(type(record), *key)
    assert stored is not None
    assert (stored.record, stored.version) == (record, 1)


def test_a_write_under_an_old_version_writes_nothing(store: Store, customer: str) -> None:
    store.commit([Put(payment(customer), 0)])
    store.commit([Put(payment(customer, reserved=10), 1)])
    for version in (0, 1, 3):
        with pytest.raises(ConflictingWriteError):
            store.commit([Put(payment(customer, reserved=99), version)])
    stored = store.get(Payment, customer, "pi_1")
    assert stored is not None
    assert (stored.record.reserved, stored.version) == (10, 2)


def test_a_commit_is_all_or_nothing(store: Store, customer: str) -> None:
    store.commit([Put(payment(customer), 0)])
    with pytest.raises(ConflictingWriteError):
        store.commit([Put(Account(customer), 0), Put(payment(customer, reserved=5), 7)])
    assert store.get(Account, customer) is None


def test_a_check_demands_a_version_and_changes_nothing(store: Store, customer: str) -> None:
    held = payment(customer)
    store.commit([Put(held, 0)])
    store.commit([Put(Account(customer), 0), Check(held, 1)])
    with pytest.raises(ConflictingWriteError):
        store.commit([Put(Account(customer, audit_sequence=1), 1), Check(held, 2)])
    stored = store.get(Payment, customer, "pi_1")
    assert stored is not None
    assert stored.version == 1


def test_records_of_a_kind_come_in_the_order_of_their_keys(store: Store, customer: str) -> None:
    entries = [AuditEntry(customer, n, NOW, "a", "w", "y", {"n": n}) for n in (10, 2, 1)]
    store.commit([Put(entry, 0) for entry in entries])
    store.commit([Put(EventMark(customer, "evt_1", "t", NOW), 0)])
    found = [stored.record.sequence for stored in store.all_of(AuditEntry, customer)]
    assert found == [1, 2, 10]


def test_an_identity_is_keyed_by_issuer_and_subject(store: Store, customer: str) -> None:
    identity = Identity("https://issuer", customer, "cus_1", NOW, "service")
    store.commit([Put(identity, 0)])
    stored = store.get(Identity, "https://issuer", customer)
    assert stored is not None
    assert stored.record == identity
    assert store.get(Identity, "https://other", customer) is None


def test_what_is_due_is_found_once_its_time_has_come(store: Store, customer: str) -> None:
    soon, later = effect(customer, 1, NOW), effect(customer, 2, NOW + timedelta(seconds=1))
    store.commit([Put(soon, 0), Put(later, 0)])
    assert DueKey(Effect, customer, soon.id) in store.due(NOW, limit=50)
    assert DueKey(Effect, customer, later.id) not in store.due(NOW, limit=50)
    assert DueKey(Effect, customer, later.id) in store.due(later.next_attempt_at, limit=50)


def test_what_has_ended_is_due_no_more(store: Store, customer: str) -> None:
    ended = effect(customer, 1, NOW)
    store.commit([Put(ended, 0)])
    store.commit([Put(replace(ended, status=EffectStatus.DONE), 1)])
    assert DueKey(Effect, customer, ended.id) not in store.due(NOW, limit=50)


@pytest.mark.stack
def test_a_queue_is_read_page_by_page_the_first_due_first(store: Store, customer: str) -> None:
    for number in (3, 1, 2):
        due_at = NOW + timedelta(hours=number)
        store.commit([Put(QueuedCase(customer, f"c{number}", due_at), 0)])
    store.commit([Put(QueuedCase(customer, "c1", None), 1)])
    mine: list[str] = []
    after: str | None = None
    while True:
        page = store.queued("cases", limit=1, after=after)
        mine += [row.id for row in page.rows if row.customer == customer]
        after = page.after
        if after is None:
            break
    assert mine == ["c2", "c3"]
    assert [key.kind for key in store.due(NOW + timedelta(days=9), limit=50)].count(QueuedCase) == 0
    for nonsense in ("x", "bm8=", "é"):
        with pytest.raises(InvalidRequestError):
            store.queued("cases", limit=1, after=nonsense)


def test_sixteen_spenders_of_one_payment_take_exactly_what_is_there(
    table: Any, customer: str
) -> None:
    """Each reserves 100 of 1,000 in a transaction; ten win, and the cap holds to the cent."""
    store = DynamoDBStore(table, TABLE, incarnation=1, livemode=False)
    store.commit([Put(payment(customer), 0)])
    won: list[int] = []

    def spend(number: int) -> None:
        while True:
            stored = store.get(Payment, customer, "pi_1")
            assert stored is not None
            if stored.record.left() < 100:
                return
            mark = EventMark(customer, f"evt_{number}", "t", NOW)
            try:
                store.commit([Put(stored.record.reserve(100), stored.version), Put(mark, 0)])
            except ConflictingWriteError:
                continue
            won.append(number)
            return

    threads = [threading.Thread(target=spend, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = store.get(Payment, customer, "pi_1")
    assert stored is not None
    assert (len(won), stored.record.left()) == (10, 0)
    assert len(store.all_of(EventMark, customer)) == 10
