"""Each kind of billing error, made at Stripe by hand, found with its arithmetic, and given back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from infrastructure.local.stack import Stack
from tests.scenarios.customers import Customer, ask
from tests.scenarios.people import staff_token

pytestmark = pytest.mark.stack

Json = dict[str, Any]
# Two seats at 10.00 a day were agreed; what each mistake charges too much.
UNIT, SEATS = 1_000, 2
TOO_MUCH = {
    "price": 600,
    "quantity": 1_000,
    "discount": 500,
    "tax": 380,
    "duplicate_invoice": 2_000,
}


def subscribe_daily(stack: Stack, customer: str) -> dict[str, str]:
    """A subscription for each kind of mistake, all on the same terms and paid for the first day."""
    api: Any = stack.stripe.v1
    recurring = {"interval": "day"}
    product = api.products.create({"name": "Seats"}).id
    price = api.prices.create(
        {"currency": "usd", "unit_amount": UNIT, "recurring": recurring, "product": product}
    ).id
    coupon = api.coupons.create({"percent_off": 25, "duration": "forever"}).id
    made = {}
    for kind in TOO_MUCH:
        wanted: Json = {"customer": customer, "items": [{"price": price, "quantity": SEATS}]}
        if kind == "discount":
            wanted["discounts"] = [{"coupon": coupon}]
        made[kind] = str(api.subscriptions.create(wanted).id)
    return made


def mistake(stack: Stack, kind: str, subscription: str) -> str:
    """Edit the draft of the second day by hand, as somebody did who was mistaken; the invoice."""
    api: Any = stack.stripe.v1
    first, draft = sorted(
        api.invoices.list({"subscription": subscription}).data, key=lambda one: one.created
    )
    assert (first.status, draft.status) == ("paid", "draft")
    paid_for = first.lines.data[0].period
    rate = {"display_name": "VAT", "percentage": 19, "inclusive": False}
    edits: dict[str, Callable[[], Json]] = {
        "price": lambda: {"amount": 1_300 * SEATS},
        "quantity": lambda: {"quantity": SEATS + 1},
        "tax": lambda: {"tax_rates": [api.tax_rates.create(rate).id]},
        "duplicate_invoice": lambda: {"period": {"start": paid_for.start, "end": paid_for.end}},
    }
    if kind == "discount":
        api.invoices.update(draft.id, {"discounts": ""})
    else:
        api.invoices.line_items.update(draft.id, draft.lines.data[0].id, edits[kind]())
    return str(draft.id)


@pytest.mark.clause("voip.billing_error")
def test_each_kind_of_error_is_found_with_its_arithmetic_and_given_back(
    stack: Stack, newcomer: Callable[..., Customer], settle: Callable[[], None]
):
    customer = newcomer(interval="month", amount=4_900)
    api: Any = stack.stripe.v1
    api.customers.update(customer.id, {"tax_exempt": "reverse"})
    subscriptions = subscribe_daily(stack, customer.id)
    settle()
    stack.advance(timedelta(days=1, minutes=10))
    invoices = {kind: mistake(stack, kind, name) for kind, name in subscriptions.items()}
    stack.advance(timedelta(hours=2))
    settle()
    agent = staff_token(stack, "agent")
    for kind, invoice in invoices.items():
        wanted = {"invoice": invoice, "ground": "billing_error"}
        case = customer.ask(201, "POST", "/v1/refund-requests", body=wanted)
        path = f"/v1/staff/cases/{customer.id}/{case['id']}"
        found = {"verified": True, "reason": "somebody edited the draft"}
        seen: Json = ask(stack, 200, "POST", f"{path}/findings", agent, body=found).json()
        quote = seen["quote"]
        because = [one for e in quote["trace"] for one in e["saw"].get("because", ())]
        assert [one["kind"] for one in because] == [kind]
        assert "USD" in because[0]["arithmetic"]
        assert (quote["outcome"], quote["total"]) == ("granted", TOO_MUCH[kind])
        consent = {"decide": "approve", "digest": seen["digest"], "reason": "it is right"}
        ask(stack, 200, "POST", f"{path}/decision", agent, body=consent)
    settle()
    cases = customer.ask(200, "GET", "/v1/refund-requests")["data"]
    assert {case["state"] for case in cases} == {"paid"}
    paid = {
        kind: [
            refund.amount
            for payment in api.invoice_payments.list({"invoice": invoice}).data
            for refund in api.refunds.list({"payment_intent": payment.payment.payment_intent}).data
        ]
        for kind, invoice in invoices.items()
    }
    assert paid == {kind: [amount] for kind, amount in TOO_MUCH.items()}
