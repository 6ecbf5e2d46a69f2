"""Our `Billing` adapter over HTTP against the local Stripe, with the pinned SDK in between."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import stripe_client
from shared.application.plan_returns import plan_returns
from shared.domain.case import parse_case
from shared.domain.contact import Contact
from shared.domain.dispute import DisputeKind, DisputePhase
from shared.domain.errors import (
    BrokenInvariantError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from shared.domain.invoice import CreditNoteLine, TaxFacts
from shared.domain.subscription import SubscriptionStatus

YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def billing(shop: Any) -> StripeBilling:
    return StripeBilling(stripe_client("sk_test_local", shop.server.url))


def annual(shop: Any, amount: int = 120000, **params: Any) -> Any:
    subscription = shop.subscribe(amount, "year", **params)
    shop.wait(5)
    return subscription


def first_invoice(billing: StripeBilling, subscription: str) -> Any:
    (invoice,) = billing.subscription_invoices(subscription, YEAR)
    return invoice


def test_a_subscription_comes_with_the_period_of_each_item(
    shop: Any, billing: StripeBilling
) -> None:
    made = annual(shop)
    seen = billing.subscription(made.id)
    assert seen is not None
    assert (seen.customer, seen.status) == (made.customer, SubscriptionStatus.ACTIVE)
    (item,) = seen.items
    assert (item.unit_amount, item.currency, item.interval) == (120000, "usd", "year")
    assert (item.period_start, item.period_end) == (YEAR, datetime(2027, 1, 1, tzinfo=UTC))
    assert billing.subscription("sub_absent") is None


def test_an_invoice_comes_with_its_lines_and_its_payment(shop: Any, billing: StripeBilling) -> None:
    invoice = first_invoice(billing, annual(shop).id)
    (line,), (payment,) = invoice.lines, invoice.payments
    assert (line.kind, line.amount, line.tax) == ("subscription", 120000, 0)
    assert (payment.amount, payment.total, payment.refunded) == (120000, 120000, 0)
    assert (payment.refundable, payment.disputed, payment.method) == (True, 0, "card")


@pytest.mark.parametrize(
    ("inclusive", "net", "tax"),
    [(False, 10000, 1900), (True, 8403, 1597)],
    ids=["on top", "inside"],
)
def test_a_lines_amount_is_net_whatever_its_tax(
    shop: Any, billing: StripeBilling, net: int, tax: int, *, inclusive: bool
) -> None:
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 19, "inclusive": inclusive}
    )
    invoice = first_invoice(billing, annual(shop, 10000, default_tax_rates=[rate.id]).id)
    (line,) = invoice.lines
    assert (line.amount, line.tax) == (net, tax)
    assert [(t.rate, t.amount, t.inclusive) for t in line.taxes] == [(rate.id, tax, inclusive)]


def test_invoices_for_time_that_is_over_are_left_out(shop: Any, billing: StripeBilling) -> None:
    made = shop.subscribe(1000, "month")
    shop.until("2026-03-10T12:00:00Z")
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    (invoice,) = billing.subscription_invoices(made.id, now)
    assert invoice.lines[0].period_start == datetime(2026, 3, 1, tzinfo=UTC)


def test_setting_the_end_and_taking_it_back(shop: Any, billing: StripeBilling) -> None:
    made = annual(shop)
    billing.set_cancel_at_period_end(made.id, cancel=True, key="k1")
    seen = billing.subscription(made.id)
    assert seen is not None
    assert seen.cancels_at == datetime(2027, 1, 1, tzinfo=UTC)
    billing.set_cancel_at_period_end(made.id, cancel=False, key="k2")
    seen = billing.subscription(made.id)
    assert seen is not None
    assert seen.cancels_at is None


def test_cancelling_now_moves_no_money(shop: Any, billing: StripeBilling) -> None:
    made = annual(shop)
    billing.cancel_now(made.id)
    seen = billing.subscription(made.id)
    assert seen is not None
    assert seen.status is SubscriptionStatus.ENDED
    assert seen.ended_at is not None
    assert shop.client.v1.invoice_items.list({"customer": made.customer}).data == []
    assert shop.client.v1.refunds.list().data == []
    with pytest.raises(RefusedError):
        billing.cancel_now(made.id)


def refund(billing: StripeBilling, payment: str, key: str, amount: int = 97479) -> Any:
    return billing.refund_payment(
        payment=payment, amount=amount, operation="01OP", customer="cus_1", key=key
    )


def test_a_refund_is_made_once_under_its_key_and_found_by_its_operation(
    shop: Any, billing: StripeBilling
) -> None:
    payment = first_invoice(billing, annual(shop).id).payments[0].id
    first = refund(billing, payment, "refund_payment:test:01OP:1")
    again = refund(billing, payment, "refund_payment:test:01OP:1")
    assert first == again
    assert (first.status, first.operation, first.operation_customer) == (
        "succeeded",
        "01OP",
        "cus_1",
    )
    assert billing.refunds_of(payment) == [first]
    seen = billing.payment(payment)
    assert seen is not None
    assert seen.refunded == 97479


def test_an_answer_that_is_cut_is_unknown_and_the_same_key_finds_it(
    shop: Any, billing: StripeBilling
) -> None:
    payment = first_invoice(billing, annual(shop).id).payments[0].id
    shop.local("POST", "faults", kind="commit_then_cut", method="POST", path="/v1/refunds", times=9)
    with pytest.raises(OutcomeUnknownError) as unknown:
        refund(billing, payment, "k")
    assert not unknown.value.sticky
    shop.local("DELETE", "faults")
    assert refund(billing, payment, "k") == billing.refunds_of(payment)[0]
    assert len(billing.refunds_of(payment)) == 1


def test_a_key_with_other_parameters_is_our_own_bug(shop: Any, billing: StripeBilling) -> None:
    payment = first_invoice(billing, annual(shop).id).payments[0].id
    refund(billing, payment, "k", amount=100)
    with pytest.raises(BrokenInvariantError):
        refund(billing, payment, "k", amount=101)


def test_a_refund_above_what_is_left_is_refused(shop: Any, billing: StripeBilling) -> None:
    payment = first_invoice(billing, annual(shop).id).payments[0].id
    with pytest.raises(RefusedError):
        refund(billing, payment, "k", amount=120001)


def test_a_credit_note_links_the_refund_and_is_found_by_its_operation(
    shop: Any, billing: StripeBilling
) -> None:
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 19, "inclusive": False}
    )
    invoice = first_invoice(billing, annual(shop, 10000, default_tax_rates=[rate.id]).id)
    made = refund(billing, invoice.payments[0].id, "k", amount=5950)
    line = CreditNoteLine(
        invoice.lines[0].id, 5000, (TaxFacts(rate.id, 950, 5000, inclusive=False),)
    )
    note = billing.issue_credit_note(
        invoice=invoice.id,
        lines=[line],
        refunds=[(made.id, 5950)],
        credit=0,
        operation="01CN",
        key="n",
    )
    assert billing.credit_note_of(invoice.id, "01CN") == note
    assert billing.credit_note_of(invoice.id, "01OTHER") is None
    issued = shop.client.v1.credit_notes.retrieve(note)
    assert (issued.total, issued.post_payment_amount) == (5950, 5950)
    assert [(r.refund, r.amount_refunded) for r in issued.refunds] == [(made.id, 5950)]
    assert first_invoice(billing, str(invoice.subscription)).credited == 0


def test_a_pending_charge_goes_and_comes_back_under_its_operation(
    shop: Any, billing: StripeBilling
) -> None:
    made = annual(shop)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    vat = {"display_name": "VAT", "percentage": 7.7, "inclusive": False}
    rate = shop.client.v1.tax_rates.create(vat)
    params = {
        "tax_rates": [rate.id],
        "discountable": False,
        "customer": made.customer,
        "subscription": made.id,
        "amount": 900,
        "currency": "usd",
        "description": "Add-on",
        "period_start": later.isoformat(),
        "period_end": (later + timedelta(days=30)).isoformat(),
    }
    added = billing.add_charge(params, operation="01ADD", key="a")
    assert billing.charge_added(made.customer, "01ADD") == added
    (charge,) = billing.pending_charges(made.customer, made.id)
    assert (charge.amount, charge.period_start) == (900, later)
    assert (charge.tax_rates, charge.discountable) == ((rate.id,), False)
    for _ in range(2):  # one that is gone already is as it should be
        billing.remove_charge(added)
    assert billing.pending_charges(made.customer, made.id) == []


def test_collection_stops_and_starts(shop: Any, billing: StripeBilling) -> None:
    made = annual(shop)
    billing.pause_collection(made.id, key="p")
    (seen,) = billing.subscriptions(made.customer)
    assert seen.collection_paused
    billing.resume_collection(made.id, key="r")
    (seen,) = billing.subscriptions(made.customer)
    assert not seen.collection_paused


def test_a_chargeback_names_customer_withdrawal_and_fee(shop: Any, billing: StripeBilling) -> None:
    made = annual(shop)
    payment = first_invoice(billing, made.id).payments[0].id
    charge = shop.client.v1.payment_intents.retrieve(payment).latest_charge
    opened = shop.local("POST", "disputes", charge=charge, kind="chargeback")
    seen = billing.dispute(opened["id"])
    assert seen is not None
    assert (seen.customer, seen.payment, seen.charge) == (made.customer, payment, charge)
    assert (seen.kind, seen.phase) == (DisputeKind.CHARGEBACK, DisputePhase.OPEN)
    assert (seen.withdrawn, seen.fee) == (120000, 1500)
    paid = billing.payment(payment)
    assert paid is not None
    assert (paid.disputed, paid.refundable) == (120000, False)


def test_an_inquiry_has_taken_nothing(shop: Any, billing: StripeBilling) -> None:
    payment = first_invoice(billing, annual(shop).id).payments[0].id
    charge = shop.client.v1.payment_intents.retrieve(payment).latest_charge
    opened = shop.local("POST", "disputes", charge=charge, kind="inquiry")
    seen = billing.dispute(opened["id"])
    assert seen is not None
    assert (seen.kind, seen.withdrawn, seen.fee) == (DisputeKind.INQUIRY, 0, 0)
    paid = billing.payment(payment)
    assert paid is not None
    assert (paid.disputed, paid.refundable) == (0, True)


def test_a_customer_without_an_address_gets_no_mail(shop: Any, billing: StripeBilling) -> None:
    ann = shop.customer(email="ann@example.com", preferred_locales=["de-AT", "en"])
    assert billing.contact(ann.id) == Contact("ann@example.com", "de-AT")
    assert billing.contact(shop.customer().id) == Contact(None)
    assert billing.contact("cus_absent") is None


def test_a_dead_stripe_is_unknown() -> None:
    nobody = StripeBilling(stripe_client("sk_test_local", "http://127.0.0.1:9"))
    with pytest.raises(OutcomeUnknownError):
        nobody.subscription("sub_1")


def methods(invoice: Any) -> list[tuple[str, int]]:
    return [(paid.method, paid.amount) for paid in invoice.payments]


def test_what_the_balance_paid_is_a_payment_of_its_own(shop: Any, billing: StripeBilling) -> None:
    customer = shop.customer()
    shop.client.v1.customers.balance_transactions.create(
        customer.id, {"amount": -50000, "currency": "usd"}
    )
    invoice = first_invoice(billing, annual(shop, customer=customer.id).id)
    assert methods(invoice) == [("card", 70000), ("customer_balance", 50000)]


def test_what_was_paid_outside_of_stripe_is_a_payment_of_its_own(
    shop: Any, billing: StripeBilling
) -> None:
    made = annual(shop, collection_method="send_invoice", days_until_due=30)
    shop.wait(4000)
    shop.client.v1.invoices.pay(made.latest_invoice, {"paid_out_of_band": True})
    assert methods(first_invoice(billing, made.id)) == [("out_of_band", 120000)]


def test_a_coupon_is_in_the_amounts_already(shop: Any, billing: StripeBilling) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 25, "duration": "forever"})
    invoice = first_invoice(billing, annual(shop, discounts=[{"coupon": coupon.id}]).id)
    assert [line.amount for line in invoice.lines] == [90000]
    assert methods(invoice) == [("card", 90000)]


def test_a_preview_moves_nothing_and_has_the_total_of_the_note(
    shop: Any, billing: StripeBilling
) -> None:
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 19, "inclusive": True}
    )
    invoice = first_invoice(billing, annual(shop, 11900, default_tax_rates=[rate.id]).id)
    line = CreditNoteLine(
        invoice.lines[0].id, 5950, (TaxFacts(rate.id, 950, 5000, inclusive=True),)
    )
    total = billing.preview_credit_note(
        invoice=invoice.id, lines=[line], refund=5950, credit=0, out_of_band=0
    )
    assert total == 5950
    assert billing.refunds_of(invoice.payments[0].id) == []
    assert billing.credit_note_of(invoice.id, "01CN") is None


def test_what_a_note_gives_to_the_balance_counts_as_credited(
    shop: Any, billing: StripeBilling
) -> None:
    made = annual(shop)
    invoice = first_invoice(billing, made.id)
    billing.issue_credit_note(
        invoice=invoice.id,
        lines=[CreditNoteLine(invoice.lines[0].id, 20000, ())],
        refunds=[],
        credit=20000,
        operation="01CN",
        key="n",
    )
    assert first_invoice(billing, made.id).credited == 20000
    assert shop.client.v1.customers.retrieve(made.customer).balance == -20000


@pytest.mark.parametrize("inclusive", [False, True], ids=["tax on top", "tax inside"])
@pytest.mark.parametrize(("amount", "percent"), [(11900, 25), (9999, 33), (12345, 7), (1001, 50)])
def test_a_discounted_lines_note_is_over_what_is_promised(
    shop: Any, billing: StripeBilling, amount: int, percent: int, *, inclusive: bool
) -> None:
    """What is left of a discounted, taxed line, as a quote would give it back."""
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 19, "inclusive": inclusive}
    )
    coupon = shop.client.v1.coupons.create({"percent_off": percent, "duration": "forever"})
    params = {"default_tax_rates": [rate.id], "discounts": [{"coupon": coupon.id}]}
    invoice = first_invoice(billing, annual(shop, amount, **params).id)
    (line,) = invoice.lines
    for net, tax in ((line.amount, line.tax), (line.amount * 2 // 3, line.tax * 2 // 3)):
        document = {
            "settle_as": "refund",
            "total": net + tax,
            "lines": [{"id": line.id, "amount": net, "tax": tax}],
        }
        (back,) = plan_returns(case_of(invoice), [invoice], document)
        previewed = billing.preview_credit_note(
            invoice=invoice.id, lines=back.lines, refund=net + tax, credit=0, out_of_band=0
        )
        assert previewed == net + tax


def case_of(invoice: Any) -> Any:
    """The case of one invoice, as far as payments are concerned."""
    document = {
        "policy": "voip",
        "now": "2026-03-10T12:00:00Z",
        "invoices": [
            {
                "currency": invoice.currency,
                "lines": [
                    {"id": "il_1", "kind": "subscription", "amount": invoice.lines[0].amount}
                ],
                "payments": [{"id": p.id, "amount": p.amount} for p in invoice.payments],
            }
        ],
        "request": {"ground": "unused_period"},
    }
    return parse_case(document)


def test_account_credit_is_given_once_under_its_key_and_found_by_its_operation(
    shop: Any, billing: StripeBilling
) -> None:
    customer = shop.customer().id
    given = [
        billing.give_account_credit(
            customer=customer, amount=500, currency="usd", operation="op_1", key="give_credit:t:1:1"
        )
        for _ in range(2)
    ]
    assert given[0] == given[1] == billing.account_credit_of(customer, "op_1")
    assert billing.account_credit_of(customer, "op_2") is None
    assert shop.client.v1.customers.retrieve(customer).balance == -500


def test_the_key_that_may_only_read_reads_and_changes_nothing(shop: Any) -> None:
    reading = StripeBilling(stripe_client("rk_test_local_read_only", shop.server.url))
    made = annual(shop)
    assert reading.subscription(made.id) is not None
    with pytest.raises(UnavailableError, match="403"):
        reading.set_auto_advance("in_1", on=False, key="k")
    seen = reading.subscription(made.id)
    assert seen is not None
    assert not seen.ended_at
