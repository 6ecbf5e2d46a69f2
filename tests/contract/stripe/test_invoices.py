"""Invoices: taxes, pending items, drafts, collection and its ends."""

from typing import Any

import pytest
import stripe


def tax_rate(shop, percentage, *, inclusive) -> Any:
    return shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": percentage, "inclusive": inclusive}
    ).id


def pending_item(shop, customer, amount, **params) -> Any:
    return shop.client.v1.invoice_items.create(
        {"customer": customer, "amount": amount, "currency": "usd", **params}
    )


@pytest.mark.parametrize(
    ("amount", "percentage", "inclusive", "tax", "total"),
    [
        pytest.param(1000, 20, False, 200, 1200, id="added"),
        pytest.param(1200, 20, True, 200, 1200, id="included"),
        pytest.param(999, 8.25, False, 82, 1081, id="added, rounded"),
        pytest.param(1999, 19, True, 319, 1999, id="included, rounded"),
        pytest.param(50, 5, False, 3, 53, id="half a cent goes up"),
    ],
)
def test_taxes_are_added_or_included(shop, amount, percentage, inclusive, tax, total):
    rate = tax_rate(shop, percentage, inclusive=inclusive)
    subscription = shop.subscribe(amount, default_tax_rates=[rate])
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.total, invoice.amount_paid, invoice.subtotal) == (total, total, amount)
    assert invoice.total_excluding_tax == total - tax
    entry = invoice.total_taxes[0]
    assert (entry.amount, entry.tax_rate_details.tax_rate) == (tax, rate)
    assert entry.tax_behavior == ("inclusive" if inclusive else "exclusive")
    line = invoice.lines.data[0]
    assert [one.amount for one in line.taxes] == [tax]
    assert subscription.default_tax_rates[0].percentage == percentage


def test_two_included_rates_share_what_is_tax(shop):
    rates = [tax_rate(shop, p, inclusive=True) for p in (10, 15)]
    subscription = shop.subscribe(1250, default_tax_rates=rates)
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert [tax.amount for tax in invoice.total_taxes] == [100, 150]
    assert invoice.total_excluding_tax == 1000


def test_an_items_own_rates_replace_the_defaults(shop):
    default, own = (tax_rate(shop, p, inclusive=False) for p in (20, 5))
    subscription = shop.client.v1.subscriptions.create(
        {
            "customer": shop.customer().id,
            "default_tax_rates": [default],
            "items": [{"price": shop.price(1000), "tax_rates": [own]}],
        }
    )
    assert shop.client.v1.invoices.retrieve(subscription.latest_invoice).total == 1050


def test_a_renewal_takes_the_pending_items(shop):
    customer = shop.customer().id
    subscription = shop.subscribe(1000, customer=customer)
    other = shop.subscribe(500, customer=customer)
    item = pending_item(
        shop,
        customer,
        25,
        subscription=subscription.id,
        description="calls",
        period={"start": 1767225600, "end": 1767312000},
    )
    shop.until("2026-02-02T00:00:00Z")
    invoice = shop.invoices(subscription.id)[0]
    assert (invoice.total, invoice.status) == (1025, "paid")
    line = invoice.lines.data[1]
    assert line.parent.invoice_item_details.invoice_item == item.id
    assert (line.description, line.period.end) == ("calls", 1767312000)
    assert shop.invoices(other.id)[0].total == 500
    assert shop.client.v1.invoice_items.retrieve(item.id).invoice == invoice.id


def test_a_draft_by_hand_takes_pending_items_only_when_told_and_can_be_deleted(shop):
    customer = shop.customer().id
    item = pending_item(shop, customer, 500)
    empty = shop.client.v1.invoices.create({"customer": customer})
    assert (empty.status, empty.total, empty.auto_advance) == ("draft", 0, False)
    full = shop.client.v1.invoices.create(
        {"customer": customer, "pending_invoice_items_behavior": "include"}
    )
    assert full.total == 500
    assert shop.client.v1.invoices.delete(full.id).deleted
    assert shop.client.v1.invoice_items.retrieve(item.id).invoice == full.id
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoice_items.delete(item.id)


def test_only_a_one_off_draft_can_be_deleted(shop):
    subscription = shop.subscribe(1000)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.delete(subscription.latest_invoice)
    shop.until("2026-02-01T00:30:00Z")
    draft = shop.invoices(subscription.id)[0]
    assert draft.status == "draft"
    with pytest.raises(stripe.InvalidRequestError, match="created by subscriptions"):
        shop.client.v1.invoices.delete(draft.id)
    shop.client.v1.invoices.finalize_invoice(draft.id, {"auto_advance": False})
    assert shop.client.v1.invoices.void_invoice(draft.id).status == "void"


def test_a_draft_that_does_not_advance_stays_one(shop):
    subscription = shop.subscribe(1000)
    shop.until("2026-02-01T00:30:00Z")
    draft = shop.invoices(subscription.id)[0].id
    shop.client.v1.invoices.update(draft, {"auto_advance": False})
    shop.until("2026-02-10T00:00:00Z")
    assert shop.client.v1.invoices.retrieve(draft).status == "draft"
    shop.client.v1.invoices.update(draft, {"auto_advance": True})
    shop.wait(2 * 3600)
    assert shop.client.v1.invoices.retrieve(draft).status == "paid"


def open_invoice(shop) -> Any:
    """A renewal whose payment failed, and its subscription."""
    customer = shop.customer().id
    subscription = shop.subscribe(1000, customer=customer)
    bad = shop.client.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer}
    )
    shop.client.v1.subscriptions.update(subscription.id, {"default_payment_method": bad.id})
    shop.until("2026-02-01T02:00:00Z")
    return shop.invoices(subscription.id)[0], subscription.id


def test_a_failed_renewal_is_past_due_and_tried_again(shop):
    invoice, subscription = open_invoice(shop)
    assert (invoice.status, invoice.attempt_count, invoice.amount_remaining) == ("open", 1, 1000)
    assert invoice.next_payment_attempt is not None
    assert shop.client.v1.subscriptions.retrieve(subscription).status == "past_due"
    shop.wait(4 * 24 * 3600)
    assert shop.client.v1.invoices.retrieve(invoice.id).attempt_count == 2
    good = shop.client.v1.customers.retrieve(invoice.customer).invoice_settings
    shop.client.v1.subscriptions.update(
        subscription, {"default_payment_method": good.default_payment_method}
    )
    shop.wait(6 * 24 * 3600)
    assert shop.client.v1.invoices.retrieve(invoice.id).status == "paid"
    assert shop.client.v1.subscriptions.retrieve(subscription).status == "active"


def test_auto_advance_false_ends_the_attempts(shop):
    invoice, _ = open_invoice(shop)
    stopped = shop.client.v1.invoices.update(invoice.id, {"auto_advance": False})
    assert stopped.next_payment_attempt is None
    shop.wait(20 * 24 * 3600)
    later = shop.client.v1.invoices.retrieve(invoice.id)
    assert (later.status, later.attempt_count) == ("open", 1)


def test_paying_by_hand_is_declined_or_paid(shop):
    invoice, _ = open_invoice(shop)
    with pytest.raises(stripe.CardError):
        shop.client.v1.invoices.pay(invoice.id)
    good = shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": invoice.customer})
    paid = shop.client.v1.invoices.pay(invoice.id, {"payment_method": good.id})
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 1000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="Invoice is already paid"):
        shop.client.v1.invoices.pay(invoice.id)


def test_a_voided_invoice_asks_for_nothing(shop):
    invoice, _ = open_invoice(shop)
    assert shop.client.v1.invoices.void_invoice(invoice.id).status == "void"
    payment = shop.payment(invoice.id)
    assert payment.status == "canceled"
    shop.wait(20 * 24 * 3600)
    assert shop.client.v1.invoices.retrieve(invoice.id).attempt_count == 1


def test_a_bad_debt_is_kept_but_not_collected(shop):
    invoice, _ = open_invoice(shop)
    assert shop.client.v1.invoices.mark_uncollectible(invoice.id).status == "uncollectible"
    with pytest.raises(stripe.InvalidRequestError, match="already been marked uncollectible"):
        shop.client.v1.invoices.mark_uncollectible(invoice.id)
    shop.wait(20 * 24 * 3600)
    assert shop.client.v1.invoices.retrieve(invoice.id).attempt_count == 1


def test_finalizing_by_hand_numbers_it_and_only_once(shop):
    customer = shop.customer().id
    pending_item(shop, customer, 500)
    draft = shop.client.v1.invoices.create(
        {"customer": customer, "pending_invoice_items_behavior": "include"}
    )
    opened = shop.client.v1.invoices.finalize_invoice(draft.id)
    assert (opened.status, opened.number[-5:]) == ("open", "-0001")
    with pytest.raises(stripe.InvalidRequestError, match="can't re-finalize"):
        shop.client.v1.invoices.finalize_invoice(draft.id)


def test_an_account_credit_pays_first(shop):
    customer = shop.customer(balance=-300).id
    subscription = shop.subscribe(1000, customer=customer)
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.total, invoice.starting_balance, invoice.ending_balance) == (1000, -300, 0)
    assert (invoice.amount_due, invoice.amount_paid) == (700, 700)
    assert shop.client.v1.customers.retrieve(customer).balance == 0


def test_a_debt_on_the_account_is_collected_too(shop):
    customer = shop.customer(balance=4).id
    subscription = shop.subscribe(1000, customer=customer)
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.total, invoice.amount_paid, invoice.ending_balance) == (1000, 1004, 0)


def test_invoices_are_found_by_subscription_status_and_customer(shop):
    invoice, subscription = open_invoice(shop)
    found = shop.client.v1.invoices.list({"subscription": subscription, "status": "open"}).data
    assert [row.id for row in found] == [invoice.id]
    found = shop.client.v1.invoices.list({"customer": invoice.customer, "status": "paid"}).data
    assert [row.billing_reason for row in found] == ["subscription_create"]


def test_a_payment_leads_back_to_its_invoice(shop):
    subscription = shop.subscribe(1000)
    payment = shop.payment(subscription.latest_invoice)
    rows = shop.client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": payment.id}}
    ).data
    assert [(row.invoice, row.amount_paid, row.status) for row in rows] == [
        (subscription.latest_invoice, 1000, "paid")
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "fee"), [(12000, "usd", 378), (999, "eur", 59), (5000, "jpy", 180)]
)
def test_a_charge_has_a_fee(shop, amount, currency, fee):
    subscription = shop.subscribe(amount, currency=currency)
    transaction = shop.payment(subscription.latest_invoice).latest_charge.balance_transaction
    assert (transaction.amount, transaction.fee, transaction.net) == (amount, fee, amount - fee)
    assert transaction.fee_details[0].type == "stripe_fee"


def test_an_invoice_embeds_ten_lines_and_lists_the_rest(shop):
    customer = shop.customer().id
    for number in range(12):
        pending_item(shop, customer, 100 + number)
    draft = shop.client.v1.invoices.create(
        {"customer": customer, "pending_invoice_items_behavior": "include"}
    )
    assert (len(draft.lines.data), draft.lines.has_more) == (10, True)
    rest = shop.client.v1.invoices.line_items.list(draft.id, {"limit": 100})
    assert [line.amount for line in rest.data] == [111 - number for number in range(12)]
    event = shop.events("invoice.created")[0]
    assert len(event.data.object.lines.data) == 10


def test_only_an_open_invoice_can_be_voided(shop):
    subscription = shop.subscribe(1000)
    with pytest.raises(stripe.InvalidRequestError, match="`paid` payments cannot be voided"):
        shop.client.v1.invoices.void_invoice(subscription.latest_invoice)
    draft = shop.client.v1.invoices.create({"customer": subscription.customer})
    with pytest.raises(stripe.InvalidRequestError, match="You can only pass in open invoices"):
        shop.client.v1.invoices.void_invoice(draft.id)


def test_what_is_too_little_to_charge_is_owed_on_the_balance(shop):
    customer = shop.customer().id
    pending_item(shop, customer, 49)
    draft = shop.client.v1.invoices.create(
        {"customer": customer, "pending_invoice_items_behavior": "include"}
    )
    paid = shop.client.v1.invoices.finalize_invoice(draft.id)
    assert (paid.status, paid.amount_due, paid.amount_paid, paid.ending_balance) == (
        "paid",
        0,
        0,
        49,
    )
    assert shop.client.v1.customers.retrieve(customer).balance == 49


@pytest.mark.parametrize(
    "params",
    [{"collection_method": "send_invoice"}, {"days_until_due": 3}, {"due_date": 1800000000}],
)
def test_a_due_date_belongs_to_invoices_that_are_sent(shop, params):
    with pytest.raises(stripe.InvalidRequestError, match="'due_date' or 'days_until_due'"):
        shop.client.v1.invoices.create({"customer": shop.customer().id, **params})


def test_a_finalized_invoice_keeps_its_description(shop):
    subscription = shop.subscribe(1000)
    changed = shop.client.v1.invoices.update(subscription.latest_invoice, {"metadata": {"a": "1"}})
    assert changed.metadata["a"] == "1"
    with pytest.raises(stripe.InvalidRequestError, match="can't be updated in this way"):
        shop.client.v1.invoices.update(subscription.latest_invoice, {"description": "x"})


def test_a_line_of_a_draft_is_edited_and_the_item_stays(shop):
    rate = tax_rate(shop, 10, inclusive=False)
    made = shop.client.v1.subscriptions.create(
        {
            "customer": shop.customer().id,
            "items": [{"price": shop.price(1000), "quantity": 2}],
            "trial_period_days": 1,
        }
    )
    shop.until("2026-01-02T00:30:00Z")
    draft = shop.invoices(made.id)[0]
    line = draft.lines.data[0].id
    edit = shop.client.v1.invoices.line_items.update
    assert (draft.status, draft.total) == ("draft", 2000)
    assert edit(draft.id, line, {"quantity": 3}).amount == 3000
    edited = edit(draft.id, line, {"amount": 3600, "tax_rates": [rate]})
    assert (edited.quantity, edited.taxes[0].amount) == (3, 360)
    assert shop.client.v1.invoices.retrieve(draft.id).total == 3960
    item = shop.client.v1.subscriptions.retrieve(made.id)["items"].data[0]
    assert (item.quantity, item.price.unit_amount) == (2, 1000)
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        edit(draft.id, "il_absent", {"quantity": 1})
    shop.until("2026-01-02T02:00:00Z")
    assert shop.client.v1.invoices.retrieve(draft.id).amount_paid == 3960
    with pytest.raises(stripe.InvalidRequestError, match="Finalized"):
        edit(draft.id, line, {"quantity": 1})
