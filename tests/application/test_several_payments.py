"""An invoice paid in parts: by two cards, from the balance, outside of Stripe."""

from dataclasses import replace
from typing import Any

import pytest

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.quote_cancellation import quote_cancellation
from shared.application.show_cancellation import show_cancellation
from shared.domain.cancellation import Timing
from shared.domain.errors import ConflictError, OutcomeUnknownError, RefusedError
from shared.domain.invoice import PaymentFacts
from shared.domain.ledger import Book, LedgerEntry
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    paid_invoice,
    services_with_annual_plan,
)
from tests.application.replanning import TRANSFER, replan, shown
from tests.fakes.services import FakeServices

REFUND = 97479


def paid(name: str, amount: int, method: str = "card") -> PaymentFacts:
    return PaymentFacts(name, amount, 0, 0, 0, refundable=True, method=method, total=amount)


def paid_by(*payments: PaymentFacts) -> FakeServices:
    services = services_with_annual_plan()
    services.billing.invoices["in_1"] = replace(paid_invoice(), payments=payments)
    return services


def cancel(services: FakeServices) -> dict[str, Any]:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    answer = cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(quote["id"]),
        call=ClientCall("r", "k", quote["id"]),
    )
    services.run_effects()
    return show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])


def test_two_payments_are_filled_in_order_and_documented_once() -> None:
    services = paid_by(paid("pi_1", 50000), paid("pi_2", 70000))
    done = cancel(services)
    assert [(r["payment"], r["amount"]) for r in done["refunds"]] == [
        ("pi_1", 50000),
        ("pi_2", REFUND - 50000),
    ]
    assert done["state"] == "executed"
    (note,) = services.billing.credit_notes.values()
    assert sorted(amount for _, amount in note["refunds"]) == [REFUND - 50000, 50000]
    assert len({r["credit_note"] for r in done["refunds"]}) == 1


def test_the_note_waits_for_the_last_refund() -> None:
    services = paid_by(paid("pi_1", 50000), paid("pi_2", 70000))
    services.billing.fail_after["refund_payment"] = [OutcomeUnknownError("cut")]
    done = cancel(services)
    assert done["state"] == "executed"
    assert len(services.billing.credit_notes) == 1
    assert sum(r.amount for r in services.billing.refunds.values()) == REFUND


def test_what_came_from_the_balance_goes_back_there() -> None:
    services = paid_by(paid("pi_1", 50000), paid("balance", 70000, "customer_balance"))
    done = cancel(services)
    assert [(r["payment"], r["amount"]) for r in done["refunds"]] == [("pi_1", 50000)]
    assert [(c["amount"], c["credit_note"]) for c in done["account_credits"]] == [
        (REFUND - 50000, "cn_0")
    ]
    (note,) = services.billing.credit_notes.values()
    assert note["credit"] == REFUND - 50000
    entries = [stored.record for stored in services.store.all_of(LedgerEntry, CUSTOMER)]
    assert {(e.target, e.amount) for e in entries} == {
        (Book.REFUNDED, 50000),
        (Book.CREDITED, REFUND - 50000),
    }


def test_an_invoice_paid_from_the_balance_alone_needs_no_refund() -> None:
    services = paid_by(paid("balance", 120000, "customer_balance"))
    done = cancel(services)
    assert (done["state"], done["refunds"]) == ("executed", [])
    assert services.billing.called("refund_payment") == []
    assert [c["amount"] for c in done["account_credits"]] == [REFUND]


def test_what_was_paid_outside_of_stripe_needs_a_person() -> None:
    services = paid_by(paid("pi_1", 50000), paid("cash", 70000, "out_of_band"))
    with pytest.raises(ConflictError) as refusal:
        cancel(services)
    assert refusal.value.slug == "needs-review"
    assert services.billing.calls == []


@pytest.mark.parametrize("differs_by", [-1, 1])
def test_a_quote_that_stripe_would_document_otherwise_is_not_offered(differs_by: int) -> None:
    services = paid_by(paid("pi_1", 120000))
    services.billing.preview_differs_by = differs_by
    with pytest.raises(ConflictError) as refusal:
        cancel(services)
    assert refusal.value.slug == "needs-review"
    assert services.billing.calls == []


def test_of_two_refunds_that_did_not_arrive_each_goes_its_own_other_way() -> None:
    services = paid_by(paid("pi_1", 50000), paid("pi_2", 70000))
    services.billing.fail_before["refund_payment"] = [RefusedError("400", "no")] * 2
    stuck = cancel(services)
    first, second = (refund["id"] for refund in stuck["refunds"])
    instead = replan(services, first, TRANSFER)
    half = shown(services, stuck["id"])
    assert half["state"] == "needs_person"
    assert [refund["id"] for refund in half["refunds"]] == [first, second, instead]
    other = replan(services, second, TRANSFER)
    done = shown(services, stuck["id"])
    assert done["state"] == "executed"
    assert [refund["id"] for refund in done["refunds"]] == [first, second, instead, other]
