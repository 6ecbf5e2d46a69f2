"""Refunds that were promised: payments at the local Stripe, and what our table says of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from infrastructure.proof.wire.servers import Servers
from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.domain.account import Account
from shared.domain.cancellation import Cancellation, CancellationState, ItemEnd, Timing
from shared.domain.controls import OPERATIONS, Controls
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.records import QUOTE_LIFETIME, Quote
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.ports import Put

PRICE = 5000
DUE = EffectKind.REFUND_PAYMENT


@dataclass(frozen=True, slots=True)
class Promise:
    """One refund, by the effect that carries it out."""

    customer: str
    effect: str
    operation: str
    payment: str
    amount: int


def open_switch(services: Any) -> None:
    """Money moves, and no cap holds it."""
    controls = Controls(OPERATIONS, True, "proof", "proof", services.clock.now())  # noqa: FBT003
    services.store.commit([Put(controls, 0)])


def promise_many(services: Any, servers: Servers, number: int, threads: int) -> list[Promise]:
    """As many payments, each with a part of it promised back."""
    with ThreadPoolExecutor(threads) as pool:
        payments = list(pool.map(lambda _: _paid(servers), range(number)))
        return list(pool.map(lambda pair: promise(services, *pair), enumerate(payments)))


def _paid(servers: Servers) -> tuple[str, str]:
    api = servers.api().v1
    customer = api.customers.create({"name": "Ann"})
    intent = api.payment_intents.create(
        {
            "amount": PRICE,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    return customer.id, intent.id


def promise(services: Any, number: int, paid: tuple[str, str]) -> Promise:
    """What a confirmed cancellation leaves behind, as far as a refund needs it."""
    customer, payment = paid
    now, amount = services.clock.now().replace(microsecond=0), 100 + number % (PRICE - 100)
    ids = services.ids
    operation = RefundOperation(
        id=ids.new(),
        customer=customer,
        cancellation=ids.new(),
        invoice="in_proof",
        payment=payment,
        amount=amount,
        currency="usd",
        status=RefundStatus.RESERVED,
        reserved_at=now,
    )
    effect = Effect(
        id=ids.new(),
        customer=customer,
        kind=DUE,
        params={
            "refund": operation.id,
            "payment": payment,
            "amount": amount,
            "currency": "usd",
        },
        status=EffectStatus.PENDING,
        created_at=now,
        next_attempt_at=now,
        environment="proof",
    )
    records = (
        Account(customer),
        Payment(payment, customer, "usd", PRICE, reserved=amount),
        *granted(operation),
        operation,
        effect,
    )
    services.store.commit([Put(record, 0) for record in records])
    return Promise(customer, effect.id, operation.id, payment, amount)


def granted(refund: RefundOperation) -> tuple[Cancellation, Quote]:
    """The cancellation that promises a refund, and the quote by which the policy granted it."""
    now, name = refund.reserved_at, refund.cancellation or ""
    cancellation = Cancellation(
        id=name,
        customer=refund.customer,
        subscription="sub_proof",
        quote=f"quote-{name}",
        timing=Timing.IMMEDIATELY,
        state=CancellationState.EXECUTING,
        requested_at=now,
        effective_at=now,
        items=(ItemEnd("si_proof", now),),
        refunds=(refund.id,),
    )
    back = {"invoice": refund.invoice, "refunds": {refund.payment: refund.amount}, "credit": 0}
    quote = Quote(
        id=cancellation.quote,
        customer=refund.customer,
        subscription=cancellation.subscription,
        timing=cancellation.timing,
        created_at=now,
        valid_until=now + QUOTE_LIFETIME,
        facts_digest="proof",
        case="{}",
        document=json.dumps({"outcome": "granted"}),
        returns=json.dumps([back]),
        used_by=name,
    )
    return cancellation, quote


def attempt(services: Any, one: Promise) -> None:
    """One message, as the consumer treats it."""
    try:
        perform_effect(services, customer=one.customer, effect_id=one.effect)
    except Exception:  # noqa: BLE001 - as the handler does: noted, and back to the queue
        try:
            count_failed_attempt(services, customer=one.customer, effect_id=one.effect)
        except Exception:  # noqa: BLE001 - it stays due
            return


def still_open(services: Any, promises: Sequence[Promise]) -> list[Promise]:
    """Those whose effect has no end yet."""

    def is_open(one: Promise) -> bool:
        stored = services.store.get(Effect, one.customer, one.effect)
        return stored is None or stored.record.due_at is not None

    return [one for one in promises if is_open(one)]


# From the first retry to the last: what the next attempt of an effect waits for.
STEPS = tuple(
    timedelta(minutes=minutes) for minutes in (3, 3, 16, 16, 61, 61, 21 * 60, *(25 * 60,) * 6)
)


def judge(store: Any, api: Any, promises: Sequence[Promise]) -> Iterator[str]:
    """Every promise that is not out exactly once, or not in the ledger; every other refund.

    Args:
        store: the table.
        api: a Stripe client.
        promises: all that there are.
    """
    made: dict[str, list[Any]] = defaultdict(list)
    for refund in api.v1.refunds.list({"limit": 100}).auto_paging_iter():
        named = refund.metadata.to_dict() if refund.metadata else {}
        made[named.get("fairexit_operation", "")].append(refund)
    for stranger in made.keys() - {one.operation for one in promises}:
        yield f"{stranger or 'nobody'}: {[r.id for r in made[stranger]]} that nobody was promised"
    for one in promises:
        refunds = [r for r in made[one.operation] if r.status == "succeeded"]
        if [r.amount for r in refunds] != [one.amount]:
            yield f"{one.operation}: {[r.amount for r in refunds]} for a promise of {one.amount}"
        entries = [e.record for e in store.all_of(LedgerEntry, one.customer)]
        booked = sum(e.amount for e in entries if e.target is Book.REFUNDED)
        if booked != one.amount:
            yield f"{one.operation}: {booked} in the ledger"
        held = store.get(Payment, one.customer, one.payment)
        if held is None or (held.record.reserved, held.record.refunded) != (0, one.amount):
            yield f"{one.operation}: the payment is {held and held.record}"
