"""A refund that comes back weeks later, replanned by a person with the command line."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from infrastructure.local.at_stripe import control
from infrastructure.local.stack import Stack
from tests.scenarios.conftest import Bus, Fairexit
from tests.scenarios.customers import Customer

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    ("way", "mail"),
    [
        (["--account-credit"], "is in your account"),
        (["--out-of-band", "SEPA 4711"], "was sent to you another way"),
    ],
    ids=["account credit", "out of band"],
)
def test_a_late_failure_is_replanned_against_the_same_credit_note(
    stack: Stack,
    newcomer: Callable[..., Customer],
    settle: Callable[[], None],
    fairexit: Fairexit,
    bus: Bus,
    way: list[str],
    mail: str,
):
    customer = newcomer()
    stack.advance(timedelta(days=20))
    cancellation = customer.confirm(customer.quote())
    settle()
    [refund] = customer.cancellation(cancellation)["refunds"]
    stack.advance(timedelta(days=45))
    failure = {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    control(stack, "POST", f"refunds/{refund['stripe_refund']}", failure)
    settle()

    about = ["--customer", customer.id]
    status, shown = fairexit("refund", "show", *about)
    assert (status, "did_not_arrive (expired_or_canceled_card)" in shown) == (1, True)
    again = ["--payment", refund["payment"]]
    replan = ["refund", "replan", refund["id"], *about, "--reason", "the customer asked"]
    assert fairexit(*replan, *again)[0] == 2  # that card is gone
    assert fairexit(*replan, *way)[0] == 0
    settle()

    done = customer.cancellation(cancellation)
    [first, second] = done["refunds"]
    assert (done["state"], first["status"], second["status"]) == ("executed", "failed", "succeeded")
    assert first["credit_note"] == second["credit_note"] is not None
    given = [
        -entry.amount
        for entry in stack.stripe.v1.customers.balance_transactions.list(customer.id).data
    ]
    assert given == ([refund["amount"]] if way == ["--account-credit"] else [])
    assert len(stack.stripe.v1.credit_notes.list({"customer": customer.id}).data) == 1
    assert any(mail in one for one in customer.mails())
    assert "RefundReplanned" in bus.about(customer.id)
    assert customer.id not in fairexit("reconcile", "--look", "--grace", "0")[1]
    assert fairexit("refund", "show", *about)[0] == 0
