"""What holds after every request: each breach is noticed, and no valid operation makes one."""

import io
import itertools
import random
from typing import Any

import pytest
import stripe

OPERATIONS = 80
SEEDS = (1, 2, 3, 4)


@pytest.fixture
def world(shop):
    """One object of each kind that has invariants, by kind; the breach is forgotten at the end."""
    subscription = shop.subscribe(1000)
    payment = shop.payment(subscription.latest_invoice)
    shop.client.v1.refunds.create({"payment_intent": payment.id, "amount": 100})
    shop.local("POST", "disputes", charge=payment.latest_charge.id, kind="inquiry", amount=50)
    shop.client.v1.credit_notes.create(
        {"invoice": subscription.latest_invoice, "amount": 30, "credit_amount": 30}
    )
    store = shop.server.service.store
    yield lambda kind: next(store.rows(kind))
    store.violations.clear()


@pytest.mark.parametrize(
    ("kind", "changes", "fault"),
    [
        ("balance_transaction", {"net": 1}, "net 1 is not the amount less its fees"),
        ("balance_transaction", {"currency": "eur"}, "its transactions are"),
        ("charge", {"amount_refunded": 99}, "its refunds are 100"),
        ("charge", {"amount_captured": 99}, "refunds of 100 exceed 99"),
        ("charge", {"refunded": True}, "refunded is True"),
        ("charge", {"amount_captured": 900}, "the balance moved by 1000"),
        ("refund", {"status": "failed"}, "the balance moved by -100, not 0"),
        ("dispute", {"status": "needs_response"}, "the money is here"),
        ("dispute", {"balance_transactions": [{"amount": -1}]}, "changed without an event"),
        ("invoice", {"total": 999}, "total 999 is not 1000 - 0 + 0"),
        ("invoice", {"amount_paid": 999}, "amount_paid 999 is not 1000 + 0"),
        ("invoice", {"amount_remaining": 1}, "amount_remaining 1 is not 0"),
        ("credit_note", {"post_payment_amount": 31}, "its parts are not its total"),
        ("credit_note", {"out_of_band_amount": 1}, "31 is given back, not 30"),
        ("customer", {"balance": 5}, "balance 5 is not -30"),
        ("subscription", {"status": "paused"}, "status changed without an event"),
    ],
)
def test_a_breach_is_noticed_in_its_request(shop, world, kind, changes, fault):
    world(kind).update(changes)
    with pytest.raises(stripe.APIError) as caught:
        shop.client.v1.customers.list()
    assert fault in str(caught.value)
    assert any(fault in found for found in shop.local("GET", "health")["violations"])


def test_an_object_that_no_event_told_of_is_noticed(shop):
    store = shop.server.service.store
    store.add("tax_rate")
    with pytest.raises(stripe.APIError):
        shop.client.v1.customers.list()
    assert "no event said so" in store.violations[0]
    store.violations.clear()


class Operator:
    """Draws operations and parameters; Stripe may refuse them, and must stay sound."""

    def __init__(self, shop: Any, seed: int) -> None:
        self.shop, self.v1 = shop, shop.client.v1
        self.draw = random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self.store = shop.server.service.store
        self.done: list[str] = []
        self.coupons = [
            self.v1.coupons.create({"percent_off": 33, "duration": "forever"}).id,
            self.v1.coupons.create({"amount_off": 77, "currency": "usd"}).id,
        ]
        self.rate = self.v1.tax_rates.create(
            {"display_name": "VAT", "percentage": 7.7, "inclusive": True}
        ).id

    def pick(self, kind: str) -> str:
        rows = list(self.store.tables.get(kind, {}))
        return self.draw.choice(rows) if rows else "absent"

    def amount(self) -> int:
        return self.draw.randint(1, self.draw.choice([50, 500, 3000]))

    def subscribe(self) -> None:
        method = self.draw.choice(
            ["pm_card_visa", "pm_card_refundFail", "pm_card_pendingRefund", "pm_card_createDispute"]
        )
        more: Any = self.draw.choice(
            [{}, {"trial_period_days": 3}, {"discounts": [{"coupon": self.coupons[0]}]}]
        )
        self.shop.subscribe(
            self.draw.randint(100, 5000),
            customer=self.shop.customer(method, balance=self.draw.randint(-500, 0)).id,
            default_tax_rates=self.draw.choice([[], [self.rate]]),
            **more,
        )

    def refund(self) -> None:
        params: Any = {"charge": self.pick("charge"), "amount": self.amount()}
        self.v1.refunds.create(params)

    def refund_all(self) -> None:
        self.v1.refunds.create({"charge": self.pick("charge")})

    def credit(self) -> None:
        part, amount = self.draw.choice(["refund", "credit", "out_of_band"]), self.amount()
        params: Any = {
            "invoice": self.pick("invoice"),
            "amount": amount,
            f"{part}_amount": amount,
        }
        preview = self.v1.credit_notes.preview(params)
        made = self.v1.credit_notes.create(params)
        assert (preview.total, preview.post_payment_amount) == (
            made.total,
            made.post_payment_amount,
        )

    def void_credit(self) -> None:
        self.v1.credit_notes.void_credit_note(self.pick("credit_note"))

    def change(self) -> None:
        subscription = self.pick("subscription")
        item = self.store.get("subscription", subscription)["items"]["data"][0]["id"]
        behaviour = self.draw.choice(["create_prorations", "always_invoice", "none"])
        entry = {"id": item, "quantity": self.draw.randint(1, 4)}
        params: Any = {"items": [entry], "proration_behavior": behaviour}
        self.v1.subscriptions.update(subscription, params)

    def start_over(self) -> None:
        subscription = self.pick("subscription")
        item = self.store.get("subscription", subscription)["items"]["data"][0]["id"]
        behaviour = self.draw.choice(["create_prorations", "none"])
        params: Any = self.draw.choice(
            [
                {"items": [{"id": item, "price": self.shop.price(self.amount(), "year")}]},
                {"billing_cycle_anchor": {"type": "now"}},
            ]
        )
        self.v1.subscriptions.update(subscription, {**params, "proration_behavior": behaviour})

    def detach(self) -> None:
        self.v1.payment_methods.detach(self.pick("payment_method"))

    def leave(self) -> None:
        if self.draw.random() < 0.3:
            self.v1.customers.delete(self.pick("customer"))

    def link(self) -> None:
        price: Any = {"currency": "usd", "product_data": {"name": "Owed"}}
        price["unit_amount"] = self.amount() + 50  # at least what can be charged
        params: Any = {"line_items": [{"price_data": price, "quantity": 1}]}
        link = self.v1.payment_links.create(params).id
        self.control(f"payment_links/{link}", method="pm_card_createDispute")

    def schedule(self) -> None:
        end = self.draw.choice([True, False])
        self.v1.subscriptions.update(self.pick("subscription"), {"cancel_at_period_end": end})

    def cancel(self) -> None:
        params: Any = {"prorate": self.draw.random() < 0.5, "invoice_now": self.draw.random() < 0.5}
        self.v1.subscriptions.cancel(self.pick("subscription"), params)

    def pause(self) -> None:
        self.v1.subscriptions.pause(self.pick("subscription"))

    def resume(self) -> None:
        self.v1.subscriptions.resume(self.pick("subscription"))

    def bill(self) -> None:
        customer = self.pick("customer")
        self.v1.invoice_items.create(
            {"customer": customer, "amount": self.amount(), "currency": "usd"}
        )
        invoice = self.v1.invoices.create(
            {
                "customer": customer,
                "pending_invoice_items_behavior": "include",
                "discounts": [{"coupon": self.coupons[1]}],
            }
        )
        self.v1.invoices.finalize_invoice(invoice.id)

    def pay(self) -> None:
        outside = self.draw.random() < 0.3
        self.v1.invoices.pay(self.pick("invoice"), {"paid_out_of_band": outside})

    def attach(self) -> None:
        intent = self.v1.payment_intents.create(
            {
                "amount": self.amount(),
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": self.draw.random() < 0.7,
            }
        )
        self.v1.invoices.attach_payment(self.pick("invoice"), {"payment_intent": intent.id})

    def confirm(self) -> None:
        self.v1.payment_intents.confirm(
            self.pick("payment_intent"), {"payment_method": "pm_card_visa"}
        )

    def void(self) -> None:
        self.v1.invoices.void_invoice(self.pick("invoice"))

    def write_off(self) -> None:
        self.v1.invoices.mark_uncollectible(self.pick("invoice"))

    def dispute(self) -> None:
        kind = self.draw.choice(["inquiry", "chargeback", "lost", "prevented"])
        body = {"charge": self.pick("charge"), "kind": kind, "amount": self.amount()}
        self.control("disputes", **body)

    def answer(self) -> None:
        file = io.BytesIO(b"%PDF-")
        file.name = "proof.pdf"
        receipt = self.v1.files.create({"purpose": "dispute_evidence", "file": file}).id
        text = self.draw.choice(["Ours.", "winning_evidence", "losing_evidence"])
        params: Any = {"evidence": {"receipt": receipt, "uncategorized_text": text}}
        params["submit"] = self.draw.random() < 0.5
        self.v1.disputes.update(self.pick("dispute"), params)

    def submit(self) -> None:
        self.v1.disputes.update(self.pick("dispute"), {"submit": True})

    def concede(self) -> None:
        self.v1.disputes.close(self.pick("dispute"))

    def decide(self) -> None:
        outcome = self.draw.choice(["won", "lost", "closed", "escalated", "appealed"])
        self.control(f"disputes/{self.pick('dispute')}", outcome=outcome)

    def move_refund(self) -> None:
        status = self.draw.choice(["failed", "succeeded", "canceled", "requires_action"])
        self.control(f"refunds/{self.pick('refund')}", status=status)

    def wait(self) -> None:
        self.shop.wait(self.draw.choice([10, 4000, 86400, 20 * 86400]))

    def control(self, path: str, **document: Any) -> None:
        import requests  # noqa: PLC0415 -- the control plane may refuse, which is fine here

        url = f"{self.shop.server.url}/_local/{path}"
        assert requests.post(url, json=document, timeout=10).status_code in (200, 400, 404)


def operations() -> list[str]:
    skipped = {"pick", "amount", "control"}
    return [
        name
        for name, value in vars(Operator).items()
        if callable(value) and name[0] != "_" and name not in skipped
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_operations_leave_everything_sound(shop, seed):
    """The law: whatever is asked, accepted or refused, no invariant breaks (the fixture checks)."""
    shop.local("POST", "settings", upcoming_days=2, overdue_days=1, counter_fee=True)
    shop.local("POST", "settings", unanswered_disputes="lost", smart_disputes=seed % 2 == 0)
    operator = Operator(shop, seed)
    operator.subscribe()
    names = operations()
    refused = 0
    for _ in itertools.repeat(None, OPERATIONS):
        name = operator.draw.choice(names)
        operator.done.append(name)
        try:
            getattr(operator, name)()
        except (stripe.InvalidRequestError, stripe.CardError):
            refused += 1
        found = shop.local("GET", "health")["violations"]
        assert found == [], operator.done
    assert refused < OPERATIONS
