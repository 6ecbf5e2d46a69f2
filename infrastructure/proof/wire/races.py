"""Q4: sixteen threads at once on the embedded table; one winner, caps exact."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from infrastructure.proof.goals import Result
from infrastructure.proof.simulated.faults import Placed
from infrastructure.proof.simulated.hub import DAY
from infrastructure.proof.simulated.lifetime import Lifetime
from infrastructure.proof.simulated.script import Plan, Script
from infrastructure.proof.wire.promises import granted, open_switch, promise
from infrastructure.proof.wire.servers import Servers, running
from infrastructure.proof.wire.services import WireServices
from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.cases.decide_case import Approve, approve
from shared.application.cases.open_case import OpenCase, open_case
from shared.application.cases.review_case import record_findings
from shared.application.cases.show_case import load_case, staff_view
from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import handle_dispute
from shared.application.perform_effect import Performed, perform_effect
from shared.application.quote_cancellation import quote_cancellation
from shared.application.refresh_subscription import refresh_subscription
from shared.application.turn_switch import set_caps
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.account import Account
from shared.domain.approval_limits import Grants
from shared.domain.cancellation import Cancellation, Timing
from shared.domain.controls import RefundCap, Scope, Window
from shared.domain.errors import FairexitError
from shared.domain.facts import Ground
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundOperation
from shared.domain.staff import StaffMember, StaffRole
from shared.domain.subscription import Subscription

ROUNDS, THREADS = 200, 16
CAP = 5
OVERCHARGED = 4000


@dataclass(slots=True)
class Booth:
    """Sixteen workers with clients of their own, on one account at a simulated Stripe."""

    workers: list[Any]
    pool: ThreadPoolExecutor

    def at_once(self, job: Callable[[Any, int], Any]) -> list[Any]:
        """What each worker got: its answer, or the error that it met."""
        gate = threading.Barrier(THREADS)

        def run(number: int) -> Any:
            gate.wait()
            try:
                return job(self.workers[number], number)
            except FairexitError as error:
                return error

        return list(self.pool.map(run, range(THREADS)))


class _OneAtATime:
    """A simulated Stripe that many threads may ask."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._api, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                return method(*args, **kwargs)

        return call


class _Blind:
    """Judges nothing: what a race comes to is counted at its end."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def race(rounds: int = ROUNDS) -> Result:
    """All races in turn, for so many rounds."""
    begun, failures, ran = time.monotonic(), [], Counter[str]()
    with running() as servers, ThreadPoolExecutor(THREADS) as pool:
        stores = [WireServices(servers).store for _ in range(THREADS)]
        open_switch(WireServices(servers, store=stores[0]))
        for number in range(rounds):
            name, contest = RACES[number % len(RACES)]
            plan = Plan(f"cus_{number}", 25, 30, (12000,), 0, 0)
            booth = Booth(_workers(servers, stores, plan), pool)
            ran[name] += 1
            failures += [f"{name}, round {number}: {what}" for what in contest(booth, plan)]
    told = ", ".join(f"{times} {name}" for name, times in ran.items())
    return Result(
        "Q4 real concurrency",
        f"{ROUNDS} rounds of {THREADS} threads, one winner, caps exact",
        f"{rounds} rounds ({told}), {len(failures)} wrong",
        not failures,
        time.monotonic() - begun,
        failures=failures,
    )


def _workers(servers: Servers, stores: Sequence[Any], plan: Plan) -> list[Any]:
    """Sixteen sets of adapters that share an account with one subscription."""
    life = Lifetime("race", Script("voip", (plan,), ()), Placed({}))
    life.subscribe(plan)
    world = life.world
    world.hub.now = int(servers.now().timestamp() * 1000) % (20 * DAY)
    world.hub.is_still = True
    world.watch = _Blind()  # type: ignore[assignment]
    billing = _OneAtATime(world.ports().billing)
    workers: list[Any] = [WireServices(servers, billing=billing, store=one) for one in stores]
    for worker in workers:
        worker.stripe, worker.vault = world.stripe, world.ports().vault
    refresh_subscription(workers[0], customer=plan.customer, subscription=plan.subscription)
    return workers


def _same_refund(booth: Booth, plan: Plan) -> Sequence[str]:
    """One effect, sixteen messages."""
    worker = booth.workers[0]
    one = promise(worker, 1, (plan.customer + "_r", f"pi_{plan.customer}_0"))
    booth.at_once(lambda w, _: perform_effect(w, customer=one.customer, effect_id=one.effect))
    made = [r.amount for r in worker.stripe.refunds.values()]
    entries = worker.store.all_of(LedgerEntry, one.customer)
    fine = made == [one.amount] and len(entries) == 1
    return [] if fine else [f"{made} for {one.amount}, {len(entries)} entries"]


def _cap(booth: Booth, plan: Plan) -> Sequence[str]:
    """Sixteen refunds, and a cap with room for five."""
    worker = booth.workers[0]
    payment = f"pi_{plan.customer}_0"
    caps = [RefundCap(Scope.CUSTOMER, Window.DAY, CAP, (("usd", CAP * 200),))]
    set_caps(worker, caps=caps, reason="race", by="proof")
    # All of one customer, each on an account of its own as far as the reservation goes.
    first = promise(worker, 1, (plan.customer + "_c", payment))
    others = [_beside(worker, first, number) for number in range(1, THREADS)]
    effects = [first.effect, *others]
    done = booth.at_once(
        lambda w, n: perform_effect(w, customer=first.customer, effect_id=effects[n])
    )
    set_caps(worker, caps=[], reason="race", by="proof")
    made = list(worker.stripe.refunds.values())
    held = sum(outcome is Performed.HELD for outcome in done)
    fine = len(made) <= CAP and held >= THREADS - CAP - sum(
        isinstance(outcome, FairexitError) for outcome in done
    )
    return [] if fine else [f"{len(made)} refunds left, {held} held: {done}"]


def _beside(worker: Any, first: Any, number: int) -> str:
    """A further refund of the same customer and payment."""
    from shared.application.change import Change  # noqa: PLC0415
    from shared.domain.effects import Effect, EffectKind  # noqa: PLC0415

    change = Change(worker, first.customer, "proof")
    known = change.load(RefundOperation, first.operation)
    held = change.load(Payment, first.payment)
    assert known is not None
    assert held is not None
    name = f"{first.operation}{number}"
    operation = replace(known, id=name, cancellation=f"{name}c", amount=100)
    for record in (operation, *granted(operation)):
        change.put(record)
    change.put(held.reserve(100))
    params = {
        "refund": operation.id,
        "payment": first.payment,
        "amount": 100,
        "currency": "usd",
    }
    effect = change.effect(EffectKind.REFUND_PAYMENT, params)
    change.commit()
    stored = worker.store.get(Effect, first.customer, effect)
    assert stored is not None
    return effect


def _same_call(booth: Booth, plan: Plan) -> Sequence[str]:
    """One confirmation with one key, sent sixteen times."""
    worker = booth.workers[0]
    quote = _quote(worker, plan, Timing.IMMEDIATELY)
    call = ClientCall("r", f"key-{plan.customer}", quote)
    answers = booth.at_once(
        lambda w, _: cancel_subscription(
            w, customer=plan.customer, request=ConfirmQuote(quote), call=call
        )
    )
    bodies = {str(answer.body) for answer in answers if not isinstance(answer, FairexitError)}
    rejected = [str(a) for a in answers if isinstance(a, FairexitError) and "quote" in str(a)]
    made = worker.store.all_of(Cancellation, plan.customer)
    fine = len(bodies) == 1 and len(made) == 1 and not rejected
    return [] if fine else [f"{len(bodies)} answers, {len(made)} cancellations, {rejected[:2]}"]


def _take_back(booth: Booth, plan: Plan) -> Sequence[str]:
    """Half take a cancellation back, half cancel again."""
    worker = booth.workers[0]
    first = _confirm(worker, plan, _quote(worker, plan, Timing.AT_PERIOD_END), "first")

    def job(w: Any, number: int) -> Any:
        if number % 2:
            return withdraw_cancellation(w, customer=plan.customer, cancellation=first)
        return _confirm(w, plan, _quote(w, plan, Timing.AT_PERIOD_END), f"again-{number}")

    booth.at_once(job)
    made = [one.record for one in worker.store.all_of(Cancellation, plan.customer)]
    standing = [one.id for one in made if one.state == "scheduled"]
    stored = worker.store.get(Subscription, plan.customer, plan.subscription)
    ours = stored.record.cancellation if stored else None
    fine = standing == ([ours] if ours else []) and len(standing) <= 1
    return [] if fine else [f"standing {standing}, the subscription says {ours}"]


def _same_event(booth: Booth, plan: Plan) -> Sequence[str]:
    """A chargeback, told of sixteen times by one event."""
    worker = booth.workers[0]
    dispute = worker.stripe.open_dispute(f"pi_{plan.customer}_0", inquiry=False)
    booth.at_once(
        lambda w, _: handle_dispute(
            w, dispute=dispute, event=f"evt_{plan.customer}", event_type="charge.dispute.created"
        )
    )
    entries = [one.record for one in worker.store.all_of(LedgerEntry, plan.customer)]
    account = worker.store.get(Account, plan.customer)
    causes = account.record.causes if account else ()
    taken = sum(entry.amount for entry in entries)
    fine = len(causes) == 1 and taken == 12000 + 1500
    return [] if fine else [f"{len(causes)} causes, {taken} booked in {len(entries)} entries"]


def _same_approval(booth: Booth, plan: Plan) -> Sequence[str]:
    """An overcharge that was verified, agreed to by four people, each of them four times."""
    worker, customer = booth.workers[0], plan.customer
    wanted = OpenCase(invoice=f"in_{customer}", ground=Ground.BILLING_ERROR)
    case = open_case(worker, customer=customer, wanted=wanted, by=f"customer:{customer}").case.id
    staff = [StaffMember("race", f"agent-{n}", frozenset({StaffRole.AGENT})) for n in range(4)]
    lines = {f"il_{customer}": {"expected_amount": 12000 - OVERCHARGED}}
    record_findings(
        worker,
        by=staff[0],
        customer=customer,
        case=case,
        found={"verified": True, "lines": lines},
        goodwill=None,
        reason="race",
    )
    consent = Approve(staff_view(worker, load_case(worker, customer, case))["digest"], "race")
    booth.at_once(
        lambda w, n: approve(w, by=staff[n % 4], customer=customer, case=case, consent=consent)
    )
    made = [one.record.amount for one in worker.store.all_of(RefundOperation, customer)]
    grants = worker.store.get(Grants, customer)
    noted = [grant.amount for grant in grants.record.grants] if grants else []
    held = worker.store.get(Payment, customer, f"pi_{customer}_0")
    reserved = held.record.reserved if held else 0
    fine = made == noted == [OVERCHARGED] and reserved == OVERCHARGED
    return [] if fine else [f"{made} promised, {noted} noted, {reserved} reserved"]


def _quote(worker: Any, plan: Plan, timing: Timing) -> str:
    shown = quote_cancellation(
        worker, customer=plan.customer, subscription=plan.subscription, timing=timing
    )
    return str(shown["id"])


def _confirm(worker: Any, plan: Plan, quote: str, key: str) -> str:
    call = ClientCall("r", f"{key}-{plan.customer}", quote)
    answer = cancel_subscription(
        worker, customer=plan.customer, request=ConfirmQuote(quote), call=call
    )
    return str(answer.body["id"])


RACES = (
    ("same refund", _same_refund),
    ("cap", _cap),
    ("same call", _same_call),
    ("cancel and take back", _take_back),
    ("same event", _same_event),
    ("same approval", _same_approval),
)
