"""Cancel now with a pro-rata refund, against fakes of every port."""

import json

import pytest

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.show_account import check_access
from shared.application.show_cancellation import show_cancellation
from shared.domain.errors import (
    ConflictError,
    NotFoundError,
)
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from shared.domain.records import Quote
from tests.application.annual_plan import REFUND, confirm, quoted, refunded
from tests.application.builders import (
    CUSTOMER,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def test_the_quote_shows_what_comes_back_and_when_access_ends(services: FakeServices) -> None:
    shown = quoted(services)["quote"]
    assert (shown["outcome"], shown["total"], shown["currency"]) == ("granted", REFUND, "usd")
    assert shown["lines"][0]["fraction"] == "593/730"
    assert shown["cancellation"]["access_until"] == "2026-03-10T12:00:00Z"


def test_the_case_is_stored_so_that_the_decision_can_be_recomputed(services: FakeServices) -> None:
    shown = quoted(services)
    stored = services.store.get(Quote, CUSTOMER, shown["id"])
    assert stored is not None
    case = json.loads(stored.record.case)
    assert case["invoices"][0]["lines"][0]["amount"] == 120000
    assert json.loads(stored.record.document) == shown["quote"]


def test_confirming_executes_exactly_the_quote(services: FakeServices) -> None:
    answer = confirm(services, quoted(services)["id"])
    assert (answer.status, answer.body["state"]) == (202, "executing")
    services.run_effects()
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert done["state"] == "executed"
    assert [r["status"] for r in done["refunds"]] == ["succeeded"]
    assert done["refunds"][0]["credit_note"] == "cn_0"
    assert refunded(services) == REFUND


def test_access_is_off_with_the_commit_before_any_effect_has_run(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    assert check_access(services, customer=CUSTOMER)["entitled"] is False


def test_money_moves_only_after_stripe_has_cancelled(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    order = [name for name, _ in services.billing.calls]
    assert (
        order.index("cancel_now") < order.index("refund_payment") < order.index("issue_credit_note")
    )


def test_the_credit_note_links_the_refund_and_credits_the_line(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    (note,) = services.billing.credit_notes.values()
    assert note["refunds"] == [("re_0", REFUND)]
    assert [(line.invoice_line, line.amount) for line in note["lines"]] == [("il_1", REFUND)]


def test_tax_is_returned_on_its_own_and_credited_to_its_rate() -> None:
    services = services_with_annual_plan(tax=22800)
    shown = quoted(services)
    # 228.00 of tax × 593/730 = 185.21 (18521.09…), half up
    assert (shown["quote"]["amount"], shown["quote"]["tax"]) == (REFUND, 18521)
    confirm(services, shown["id"])
    services.run_effects()
    (note,) = services.billing.credit_notes.values()
    assert [tax.amount for line in note["lines"] for tax in line.taxes] == [18521]
    assert refunded(services) == REFUND + 18521


def test_customer_and_company_are_told_once(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    assert sorted(m["template"] for m in services.mailer.sent) == [
        "refund_issued",
        "subscription_ended",
    ]
    assert sorted(name for name, _ in services.bus.published) == [
        "RefundIssued",
        "SubscriptionEnded",
    ]


def test_the_ledger_has_the_refund_once(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    entries = [stored.record for stored in services.store.all_of(LedgerEntry, CUSTOMER)]
    assert [(e.what, e.amount, e.currency) for e in entries] == [("refund", REFUND, "usd")]


def test_the_payment_holds_the_reservation_until_the_refund_is_out(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    held = services.store.get(Payment, CUSTOMER, "pi_1")
    assert held is not None
    assert held.record.reserved == REFUND
    services.run_effects()
    settled = services.store.get(Payment, CUSTOMER, "pi_1")
    assert settled is not None
    assert (settled.record.reserved, settled.record.refunded) == (0, REFUND)


def test_the_same_key_replays_the_first_answer(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    first = confirm(services, quote_id)
    again = confirm(services, quote_id)
    assert (again.body, again.replayed) == (first.body, True)
    services.run_effects()
    assert refunded(services) == REFUND


def test_the_same_key_with_another_body_is_refused(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    call = ClientCall("POST /v1/cancellations", "key-1", "another body")
    with pytest.raises(ConflictError) as refusal:
        cancel_subscription(services, customer=CUSTOMER, request=ConfirmQuote("x"), call=call)
    assert refusal.value.slug == "idempotency-mismatch"


def test_a_used_quote_is_refused_and_names_its_cancellation(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    first = confirm(services, quote_id)
    with pytest.raises(ConflictError) as refusal:
        confirm(services, quote_id, key="key-2")
    assert refusal.value.slug == "quote-used"
    assert refusal.value.members["cancellation"] == first.body["id"]


def test_an_expired_quote_is_refused_with_new_figures(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    services.clock.advance(minutes=15)
    with pytest.raises(ConflictError) as refusal:
        confirm(services, quote_id)
    assert refusal.value.slug == "quote-expired"
    fresh = refusal.value.members["quote"]
    assert fresh["id"] != quote_id
    assert fresh["quote"]["total"] < REFUND
    assert confirm(services, fresh["id"]).status == 202


def test_a_quote_is_good_to_its_last_second(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    services.clock.advance(minutes=14, seconds=59)
    answer = confirm(services, quote_id)
    services.run_effects()
    assert answer.body["refunds"][0]["amount"] == REFUND


def test_a_changed_fact_is_refused_with_new_figures(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    services.billing.invoices["in_1"] = paid_invoice(refunded=50000)
    with pytest.raises(ConflictError) as refusal:
        confirm(services, quote_id)
    assert refusal.value.slug == "facts-changed"
    assert refusal.value.members["quote"]["quote"]["total"] == 70000
    assert services.billing.calls == []


def test_anothers_quote_and_an_absent_one_look_alike(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    answers = []
    for customer, quote in (("cus_eve", quote_id), (CUSTOMER, "q_absent")):
        call = ClientCall("POST /v1/cancellations", "key", "body")
        with pytest.raises(NotFoundError) as refusal:
            cancel_subscription(services, customer=customer, request=ConfirmQuote(quote), call=call)
        answers.append((refusal.value.slug, refusal.value.detail))
    assert answers[0] == answers[1]


def test_cancelling_twice_is_refused(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    with pytest.raises(ConflictError) as refusal:
        quoted(services)
    assert refusal.value.slug == "already-canceled"
