"""The restore's runbook carried out: a table put back to an earlier time refunds nothing twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infrastructure.local.stack import Stack, start_stack
from shared.adapters.system_clock import SystemClock
from tests.scenarios.conftest import Fairexit
from tests.scenarios.customers import SETTLE_SECONDS, Customer

pytestmark = pytest.mark.stack

RESTORED = "restored"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own: whatever else runs is spared a second life of the table."""
    running = start_stack(directory=tmp_path_factory.mktemp("restored"))
    yield running
    running.stop()


def copy_of_the_table(stack: Stack) -> list[Any]:
    """What a backup would hold now."""
    pages = stack.aws("dynamodb").get_paginator("scan")
    table = stack.outputs["TableName"]
    return [item for page in pages.paginate(TableName=table) for item in page["Items"]]


def put_into_a_table_of_its_own(stack: Stack, items: list[Any]) -> None:
    """What `restore-table-to-point-in-time` does with a backup."""
    dynamodb = stack.aws("dynamodb")
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    dynamodb.create_table(
        TableName=RESTORED,
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in items:
        dynamodb.put_item(TableName=RESTORED, Item=item)


def paused(stack: Stack) -> set[str]:
    """The states of the queues' consumers."""
    mappings = stack.aws("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {mapping["State"] for mapping in mappings}


def refunds_of(customer: Customer) -> list[int]:
    """What Stripe has sent back to a customer."""
    found = customer.stack.stripe.v1.refunds.list({"payment_intent": customer.payment()})
    return [refund.amount for refund in found.data]


def test_nothing_leaves_twice_and_what_was_lost_is_taken_in(
    stack: Stack,
    newcomer: Callable[..., Customer],
    settle: Callable[[], None],
    fairexit: Fairexit,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    monkeypatch.setattr(
        SystemClock, "wait", lambda _self, seconds: stack.advance(timedelta(seconds=seconds))
    )
    early, late, calm = newcomer(), newcomer(), newcomer()
    stack.advance(timedelta(days=20))
    assert fairexit("switch", "stop", "--reason", "so that a refund waits")[0] == 0
    promised = early.confirm(early.quote())
    settle()
    assert [refund["status"] for refund in early.cancellation(promised)["refunds"]] == ["reserved"]
    at, backup = stack.now(), copy_of_the_table(stack)

    # What the backup does not know: the waiting refund is made, and another one is promised.
    assert fairexit("switch", "open", "--reason", "as before")[0] == 0
    stack.advance(timedelta(minutes=3))
    stack.fire_schedule()
    lost = late.confirm(late.quote())
    settle()
    assert early.cancellation(promised)["state"] == late.cancellation(lost)["state"] == "executed"

    state = ["--state", str(tmp_path / "restore.json")]
    command = ["restore", "--to", at.isoformat(), "--reason", "a lost table", *state]
    status, told = fairexit(*command)
    assert (status, "restore-table-to-point-in-time" in told) == (3, True)
    assert paused(stack) == {"Disabled"}
    put_into_a_table_of_its_own(stack, backup)
    status, told = fairexit(*command, "--from-table", RESTORED)
    assert (status, "incarnation 2" in told) == (1, True), told
    stack.settle(SETTLE_SECONDS)
    stack.advance(timedelta(minutes=3))
    stack.fire_schedule()
    settle()

    done = early.cancellation(promised)
    assert (done["state"], [r["status"] for r in done["refunds"]]) == ("executed", ["succeeded"])
    assert len(refunds_of(early)) == len(refunds_of(late)) == 1
    for customer in (early, late):
        assert len(stack.stripe.v1.credit_notes.list({"customer": customer.id}).data) == 1
    # The cancellation of which nothing is known here counts against the payment all the same.
    assert not late.access()["entitled"]
    _, report = fairexit("reconcile", "--look", "--everyone", "--grace", "0")
    differing = [line for line in report.splitlines() if early.id in line or calm.id in line]
    assert differing == []
    told_of_late = [line.split()[0] for line in report.splitlines() if late.id in line]
    assert told_of_late == ["credit_note_unknown_here"]
    quote = calm.quote()
    settle()
    assert quote["quote"]["outcome"] == "granted"
