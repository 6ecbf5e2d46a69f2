"""One lifetime from its seed to its judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from infrastructure.proof.simulated.callers import Callers
from infrastructure.proof.simulated.claims import Claims
from infrastructure.proof.simulated.cycle import plan_renewal
from infrastructure.proof.simulated.faults import Fault, Oracle, Placed, count
from infrastructure.proof.simulated.functions import ISSUER
from infrastructure.proof.simulated.hub import DAY, EPOCH, HOUR, MINUTE, EndlessError
from infrastructure.proof.simulated.script import LENGTH, Plan, Script, Step
from infrastructure.proof.simulated.sites import Sites
from infrastructure.proof.simulated.stripe import Paid
from infrastructure.proof.simulated.table import Backup
from infrastructure.proof.simulated.verdict import judge
from infrastructure.proof.simulated.world import World
from shared.application.identify_customer import link_identity
from shared.application.reconcile import Report, reconcile
from shared.application.reconcile_lists import Scope
from shared.application.refresh_subscription import refresh_subscription
from shared.application.turn_switch import set_caps, turn_switch
from shared.domain.cancellation import Cancellation, Timing
from shared.domain.controls import RefundCap, Window
from shared.domain.controls import Scope as CapScope
from shared.domain.errors import RefusedError
from shared.domain.invoice import LineFacts, PaymentFacts, PendingCharge
from shared.domain.subscription import SubscriptionFacts, SubscriptionItem, SubscriptionStatus

# The longest time-out of a function, and how long a request may be on its way to Stripe.
DRAIN = SETTLE = 15 * MINUTE
# Nobody lives to the end of a long look in the worst weather; after as many it has to pass.
MOST_LOOKS = 300
EVERYTHING = Scope(money_days=60, grace=timedelta(0), everyone=True)


@dataclass(slots=True)
class Lived:
    """What came of a lifetime."""

    violations: list[tuple[str, str]]
    fired: dict[int, Fault]
    happened: Counter[str]
    days: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> Counter[str]:
        """Every fault by kind, those of operators and outages too."""
        return count(self.fired) + self.happened


class Lifetime:
    """A world, its script and its callers."""

    def __init__(
        self, seed: str, script: Script, oracle: Oracle, *, sites: Sites | None = None
    ) -> None:
        self.script = script
        self._oracle = oracle
        self.world = World(seed, Placed({}), policy=script.policy)
        self._sites = sites
        self.callers = Callers(self.world)
        self.claims = Claims(self.world, self.callers)
        self._saved: tuple[int, Backup] | None = None
        self.lost_since: int | None = None
        self.happened: Counter[str] = Counter()
        self._keys = self._looks = 0

    def live(self) -> Lived:
        """Live it, and be judged."""
        world = self.world
        try:
            self.begin()
            for step in self.script.steps:
                world.hub.at(step.at, lambda step=step: self._take(step))  # type: ignore[misc]
            world.hub.run(LENGTH)
            report = self._calm_down()
            violations = world.watch.violations + judge(self, report)
        except EndlessError as endless:
            violations = [*world.watch.violations, ("I3", str(endless))]
        happened = self.happened
        queues = (world.events, *world.lanes.values())
        happened["redrive"] += sum(queue.redriven for queue in queues)
        return Lived(
            violations,
            self._oracle.fired,
            happened,
            days=world.hub.now // DAY,
            errors=Counter(world.watch.errors),
        )

    def begin(self) -> None:
        """Customers with a paid period, known on both sides, and the switch open."""
        world = self.world
        for plan in self.script.plans:
            self.subscribe(plan)
        turn_switch(world.ports(), money_moves=True, reason="proof", by="proof")
        for plan in self.script.plans:
            customer = plan.customer
            refresh_subscription(world.ports(), customer=customer, subscription=plan.subscription)
            # Whoever signs in is named like the customer.
            link_identity(
                world.ports(), issuer=ISSUER, subject=customer, customer=customer, by="proof"
            )
        world.oracle = world.stripe.oracle = self._oracle
        # What has set the world up is no part of the life in it.
        world.sites = self._sites

    def subscribe(self, plan: Plan) -> None:
        """A customer with a period that was paid."""
        stripe = self.world.stripe
        start = EPOCH - timedelta(days=plan.days_ago)
        end = start + timedelta(days=plan.days)
        whole = sum(plan.parts) + plan.from_balance
        item = SubscriptionItem(
            f"si_{plan.customer}", "prod_1", "price_1", 1, whole, "usd", "month", start, end
        )
        facts = SubscriptionFacts(
            id=plan.subscription,
            customer=plan.customer,
            status=SubscriptionStatus.ACTIVE,
            items=(item,),
            cancels_at=None,
            ended_at=None,
            created_at=start,
            collection_paused=False,
            livemode=False,
        )
        stripe.emails[plan.customer] = f"{plan.customer}@example.com"
        stripe.subscriptions[facts.id] = facts
        plan_renewal(stripe, facts.id)
        line = LineFacts(f"il_{plan.customer}", "subscription", whole, 0, start, end, "plan")
        paid = [
            Paid(f"pi_{plan.customer}_{number}", plan.customer, amount, "usd")
            for number, amount in enumerate(plan.parts)
        ]
        name = f"in_{plan.customer}"
        balance = plan.from_balance
        kind = "customer_balance"
        other = [PaymentFacts(f"{name}:{kind}", balance, 0, 0, 0, balance > 0, kind, balance)]
        stripe.add_invoice(
            facts, (line,), status="paid", paid=paid, other=other if balance else [], name=name
        )
        if plan.unpaid:
            ahead = LineFacts(f"il_{name}", "subscription", 300, 0, end, end + (end - start), "")
            for status in ("open", "draft"):
                stripe.add_invoice(facts, (ahead,), status=status, paid=[], name=f"{name}_{status}")
        if plan.pending:
            charge = f"ii_{plan.customer}"
            stripe.pending[charge] = PendingCharge(
                charge, facts.id, 500, "usd", "minutes", start, end + (end - start)
            )

    @property
    def fired(self) -> dict[int, Fault]:
        """The faults so far."""
        return self._oracle.fired

    # -- the script

    def _take(self, step: Step) -> None:
        take: Callable[[Step], None] = getattr(self, f"_{step.what}")
        take(step)

    def _plan_of(self, step: Step) -> Plan:
        return next(plan for plan in self.script.plans if plan.customer == step.customer)

    def _work(self, job: Callable[[], object]) -> None:
        self.world.hub.work(self.world.hub.now, job, self.world.watch.ended)

    def _cancel(self, step: Step) -> None:
        self._keys += 1
        key, plan = f"key-{self._keys}", self._plan_of(step)
        self._work(
            lambda: self.callers.cancel(plan.customer, plan.subscription, Timing(step.detail), key)
        )

    def _withdraw(self, step: Step) -> None:
        plan = self._plan_of(step)
        self._work(lambda: self.callers.withdraw(plan.customer, plan.subscription))

    def _claim(self, step: Step) -> None:
        self._work(lambda: self.claims.claim(step.customer, step.detail))

    def _claim_by_quote(self, step: Step) -> None:
        plan = self._plan_of(step)
        self._work(lambda: self.claims.claim_by_quote(plan.customer, plan.subscription))

    def _claim_by_phone(self, step: Step) -> None:
        person, _, ground = step.detail.partition(" ")
        self._work(lambda: self.claims.claim_by_phone(step.customer, person, ground))

    def _find(self, step: Step) -> None:
        person, _, found = step.detail.partition(" ")
        self._work(lambda: self.claims.find(step.customer, person, found, step.amount))

    def _ask(self, step: Step) -> None:
        self._work(lambda: self.claims.ask(step.customer, step.detail))

    def _decide(self, step: Step) -> None:
        person, _, decision = step.detail.partition(" ")
        self._work(lambda: self.claims.decide(step.customer, person, decision, step.amount))

    def _reply(self, step: Step) -> None:
        self._work(lambda: self.claims.reply(step.customer))

    def _take_claim_back(self, step: Step) -> None:
        self._work(lambda: self.claims.take_back(step.customer))

    def _look(self, step: Step) -> None:
        known = [one.id for one in self.world.table.every(Cancellation)]
        self._work(lambda: self.callers.look(step.customer, known[0] if known else None))

    def _dispute(self, step: Step) -> None:
        payment = f"pi_{step.customer}_0"
        if self.world.stripe.open_dispute(payment, inquiry=step.detail == "inquiry"):
            self.happened[f"dispute_{step.detail}"] += 1

    def _move_dispute(self, step: Step) -> None:
        for dispute in list(self.world.stripe.disputes.values()):
            if dispute.customer == step.customer:
                moved = self.world.stripe.move_dispute(dispute.id, step.detail)
                self.happened[f"dispute_{step.detail}"] += moved

    def _dashboard_refund(self, step: Step) -> None:
        payment = f"pi_{step.customer}_0"
        left = self.world.stripe.payments()[payment].amount - self.world.stripe.refunded(payment)
        try:
            self.world.stripe.refund(payment, max(1, left * step.amount // 100))
        except RefusedError:
            return
        self.happened["dashboard_refund"] += 1

    def _stop(self, _step: Step) -> None:
        self._turn(money_moves=False)
        self.happened["switch_stopped"] += 1

    def _open(self, _step: Step) -> None:
        self._turn(money_moves=True)

    def _turn(self, *, money_moves: bool) -> None:
        """The operator's command, from a machine that does not fail."""
        world, oracle = self.world, self.world.oracle
        world.oracle = Placed({})
        turn_switch(world.ports(), money_moves=money_moves, reason="proof", by="proof")
        world.oracle = oracle
        world.watch.closed_since = None if money_moves else world.hub.now

    def _caps(self, step: Step) -> None:
        world, oracle = self.world, self.world.oracle
        world.oracle = Placed({})
        caps = [
            RefundCap(CapScope.EVERYONE, Window.HOUR, step.amount, (("usd", 200_000),)),
            RefundCap(CapScope.CUSTOMER, Window.DAY, 2),
        ]
        set_caps(world.ports(), caps=caps, reason="proof", by="proof")
        world.oracle = oracle
        world.watch.caps = tuple(caps)
        self.happened["capped"] += 1

    def _outage(self, step: Step) -> None:
        self.world.down_until = self.world.hub.now + step.amount
        self.happened["outage_of_days"] += 1

    def _stripe_outage(self, step: Step) -> None:
        self.world.stripe_is_down = True
        self.happened["stripe_outage"] += 1
        self.world.hub.after(step.amount, self._stripe_is_back)

    def _stripe_is_back(self) -> None:
        self.world.stripe_is_down = False

    def _reconcile(self, _step: Step) -> None:
        if self.world.is_paused:
            return
        self._work(self.world.compare)
        self.happened["reconciled"] += 1

    # -- a table that is set back, as the runbook says

    def _backup(self, _step: Step) -> None:
        self._saved = (self.world.hub.now, self.world.table.backup())

    def _restore(self, _step: Step) -> None:
        """Stop money, let nothing begin and everything come to rest, set the table back."""
        if self._saved is None:
            return
        self._turn(money_moves=False)
        self.world.is_paused = True
        self.world.hub.after(DRAIN, self._set_back)

    def _set_back(self) -> None:
        world = self.world
        assert self._saved is not None, "a script backs up before it restores"
        self.lost_since, rows = self._saved
        world.table.restore(rows)
        world.incarnation += 1
        self._turn(money_moves=False)
        self.happened["restore"] += 1
        world.hub.after(world.chance(MINUTE), lambda: self._look_and_open(world.hub.now))

    def _look_and_open(self, since: int) -> None:
        """Take in what Stripe knows; what was on its way there has arrived before all goes on."""

        def look() -> None:
            self.world.reconcile(EVERYTHING)

        def looked(error: BaseException | None) -> None:
            self.world.watch.ended(error)
            self.world.oracle = self._oracle
            if error is None:
                self.world.hub.at(since + SETTLE, go_on)
            else:
                self.world.hub.after(MINUTE, again)

        def go_on() -> None:
            self.world.resume()
            self._turn(money_moves=True)

        def again() -> None:
            self._looks += 1
            if self._looks > MOST_LOOKS:
                self.world.oracle = Placed({})
            self.world.hub.work(self.world.hub.now, look, looked)

        again()

    # -- the end

    def _calm_down(self) -> Report:
        """No more faults: everything has to come to its end, and both sides to agree."""
        world = self.world
        self._oracle.stop()
        world.stripe_is_down, world.down_until = False, 0
        if world.watch.closed_since is not None and not self._is_restoring():
            self._turn(money_moves=True)
        for days in (10, 3):
            world.hub.run(world.hub.now + days * DAY)
            self.compare(repair=True)
        world.hub.run(world.hub.now + DAY)
        return self.compare(repair=False)

    def _is_restoring(self) -> bool:
        return self._saved is not None and self.lost_since is None

    def compare(self, *, repair: bool) -> Report:
        """The nightly comparison of everything, on a quiet day."""
        reports: list[Report] = []

        def compare() -> None:
            ports = self.world.ports(timeout=DAY)
            reports.append(reconcile(ports, EVERYTHING, repair=repair))

        self._work(compare)
        self.world.hub.run(self.world.hub.now + HOUR)
        (report,) = reports
        return report
