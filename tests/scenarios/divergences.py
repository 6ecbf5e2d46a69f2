"""Ways to let our records and Stripe's lists part, each on a customer of its own.

What happens at Stripe happens with every webhook dropped; what goes wrong here is written into the
table, as a bug or a hand would.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from infrastructure.local.at_stripe import control, open_dispute, settle_dispute
from infrastructure.local.stack import Stack
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.adapters.ulid_ids import UlidIds
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundStatus
from shared.domain.subscription import Subscription
from shared.ports import Put, Stored

PRICE = 12_000


@dataclass(slots=True)
class Buyer:
    """A customer at Stripe with one paid subscription, and what has happened to it."""

    customer: str
    subscription: str
    item: str
    invoice: str
    payment: str
    charge: str
    refund: str = ""
    dispute: str = ""


class Shop:
    """Makes customers, lets things happen to them at Stripe, and reaches into the table."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.stripe: Any = stack.stripe.v1
        self.store = DynamoDBStore(
            stack.aws("dynamodb"), stack.outputs["TableName"], incarnation=1, livemode=False
        )
        self.ids = UlidIds()
        recurring = {"interval": "year"}
        price: Any = {"currency": "usd", "unit_amount": PRICE, "recurring": recurring}
        self._price = self.stripe.prices.create(price | {"product_data": {"name": "Calls"}}).id

    def buyer(self) -> Buyer:
        """A new customer who has bought a year."""
        card = "pm_card_visa"
        settings = {"default_payment_method": card}
        wanted = {"name": "B", "payment_method": card, "invoice_settings": settings}
        customer = self.stripe.customers.create(wanted).id
        return self.subscribe(customer)

    def subscribe(self, customer: str) -> Buyer:
        """One more year for a customer."""
        items = {"customer": customer, "items": [{"price": self._price}]}
        made = self.stripe.subscriptions.create(items)
        paid = self.stripe.invoice_payments.list({"invoice": made.latest_invoice}).data[0].payment
        charge = self.stripe.payment_intents.retrieve(paid.payment_intent).latest_charge
        item = made["items"]["data"][0].id
        return Buyer(customer, made.id, item, made.latest_invoice, paid.payment_intent, charge)

    # -- at Stripe

    def refund(self, buyer: Buyer) -> None:
        wanted = {"payment_intent": buyer.payment, "amount": 500}
        buyer.refund = self.stripe.refunds.create(wanted).id

    def fail_refund(self, buyer: Buyer) -> None:
        failed = {"status": "failed", "failure_reason": "lost_or_stolen_card"}
        control(self.stack, "POST", f"refunds/{buyer.refund}", failed)

    def dispute(self, buyer: Buyer) -> None:
        buyer.dispute = open_dispute(self.stack, buyer.charge, "chargeback")

    def lose(self, buyer: Buyer) -> None:
        settle_dispute(self.stack, buyer.dispute, "lost")

    def subscribe_again(self, buyer: Buyer) -> None:
        self.subscribe(buyer.customer)

    def cancel(self, buyer: Buyer) -> None:
        self.stripe.subscriptions.cancel(buyer.subscription, {"prorate": False})

    def set_to_end(self, buyer: Buyer) -> None:
        self.stripe.subscriptions.update(buyer.subscription, {"cancel_at_period_end": True})

    def change_quantity(self, buyer: Buyer) -> None:
        items = [{"id": buyer.item, "quantity": 2}]
        changed = {"items": items, "proration_behavior": "none"}
        self.stripe.subscriptions.update(buyer.subscription, changed)

    def credit(self, buyer: Buyer) -> None:
        line = self.stripe.invoices.retrieve(buyer.invoice).lines.data[0].id
        lines = [{"type": "invoice_line_item", "invoice_line_item": line, "amount": 300}]
        wanted = {"invoice": buyer.invoice, "lines": lines, "out_of_band_amount": 300}
        self.stripe.credit_notes.create(wanted)

    # -- in the table

    def _change(self, stored: Stored[Any] | None, **change: Any) -> None:
        assert stored is not None
        self.store.commit([Put(replace(stored.record, **change), stored.version)])

    def _entry(self, buyer: Buyer, cause: str) -> LedgerEntry:
        return LedgerEntry(
            id=self.ids.new(),
            customer=buyer.customer,
            at=self.stack.now(),
            what="foreign_refund",
            source=Book.PAID,
            target=Book.REFUNDED,
            amount=500,
            currency="usd",
            cause=cause,
            evidence=(cause, buyer.payment),
        )

    def enter_twice(self, buyer: Buyer) -> None:
        self.store.commit([Put(self._entry(buyer, buyer.refund), 0)])

    def reserve_for_nothing(self, buyer: Buyer) -> None:
        self._change(self.store.get(Payment, buyer.customer, buyer.payment), reserved=100)

    def mistake_amount(self, buyer: Buyer) -> None:
        self._change(self.store.get(ForeignRefund, buyer.customer, buyer.refund), amount=501)

    def invent_refund(self, buyer: Buyer) -> None:
        name = f"re_nowhere_{buyer.customer}"
        invented = ForeignRefund(
            name, buyer.customer, None, 500, "usd", RefundStatus.SUCCEEDED, self.stack.now()
        )
        self.store.commit([Put(invented, 0), Put(self._entry(buyer, name), 0)])

    def invent_subscription(self, buyer: Buyer) -> None:
        stored = self._subscription(buyer)
        invented = replace(stored.record, id=f"sub_nowhere_{buyer.customer}")
        self.store.commit([Put(invented, 0)])

    def end_before_it_was_billed(self, buyer: Buyer) -> None:
        stored = self._subscription(buyer)
        begun = stored.record.items[0].period_start
        before = stored.record.ended(begun - timedelta(seconds=1))
        self.store.commit([Put(before, stored.version)])

    def forget_effect(self, buyer: Buyer) -> None:
        """A reading of what waits to be billed, planned and never taken up.

        Due soon, not now: the emulator fires the schedule every minute of its own time.
        """
        planned = self.stack.now().replace(microsecond=0)
        due = planned + timedelta(minutes=30)
        effect = Effect(
            id=self.ids.new(),
            customer=buyer.customer,
            kind=EffectKind.SWEEP_CHARGES,
            params={"subscription": buyer.subscription, "end": _far(planned).isoformat()},
            status=EffectStatus.PENDING,
            created_at=planned,
            next_attempt_at=due,
            environment="local",
        )
        self.store.commit([Put(effect, 0)])

    def _subscription(self, buyer: Buyer) -> Stored[Subscription]:
        stored = self.store.get(Subscription, buyer.customer, buyer.subscription)
        assert stored is not None
        return stored


def _far(at: datetime) -> datetime:
    return at + timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Injection:
    """A kind of divergence: what is heard of first, what then is not, and how often."""

    kind: str
    repaired: bool
    first: tuple[Callable[[Shop, Buyer], None], ...] = ()
    unheard: Callable[[Shop, Buyer], None] | None = None
    in_table: Callable[[Shop, Buyer], None] | None = None
    times: int = 8


INJECTIONS: tuple[Injection, ...] = (
    Injection("refund_unknown_here", repaired=True, unheard=Shop.refund),
    Injection("refund_event_missed", repaired=True, first=(Shop.refund,), unheard=Shop.fail_refund),
    Injection("dispute_unknown_here", repaired=True, unheard=Shop.dispute),
    Injection("dispute_phase_differs", repaired=True, first=(Shop.dispute,), unheard=Shop.lose),
    Injection("subscription_unknown_here", repaired=True, unheard=Shop.subscribe_again),
    Injection("subscription_status_differs", repaired=True, unheard=Shop.cancel),
    Injection("subscription_end_differs", repaired=True, unheard=Shop.set_to_end),
    Injection("subscription_period_differs", repaired=True, unheard=Shop.change_quantity),
    Injection("credit_note_unknown_here", repaired=False, unheard=Shop.credit),
    Injection(
        "ledger_differs",
        repaired=False,
        first=(Shop.refund,),
        in_table=Shop.enter_twice,
        times=4,
    ),
    Injection(
        "reservation_unexplained",
        repaired=False,
        first=(Shop.refund,),
        in_table=Shop.reserve_for_nothing,
        times=4,
    ),
    Injection(
        "refund_amount_differs",
        repaired=False,
        first=(Shop.refund,),
        in_table=Shop.mistake_amount,
        times=4,
    ),
    Injection("refund_unknown_at_stripe", repaired=False, in_table=Shop.invent_refund, times=4),
    Injection(
        "subscription_unknown_at_stripe",
        repaired=False,
        in_table=Shop.invent_subscription,
        times=4,
    ),
    Injection("billed_after_end", repaired=False, in_table=Shop.end_before_it_was_billed, times=4),
    Injection("effect_stuck", repaired=True, in_table=Shop.forget_effect, times=4),
)


def buyers_for(shop: Shop, injections: Iterable[Injection]) -> list[tuple[Injection, Buyer]]:
    """A customer of its own for each divergence."""
    return [(one, shop.buyer()) for one in injections for _ in range(one.times)]
