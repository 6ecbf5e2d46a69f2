"""Stripe's API in front of the simulated account: what is changed, with what can go wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from infrastructure.proof.simulated.billing import TIMES_OUT, Reads, check_note, found
from infrastructure.proof.simulated.cycle import drop_charge, plan_collection
from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.hub import MINUTE, SECOND
from infrastructure.proof.simulated.keys import Kept
from infrastructure.proof.simulated.stripe import Note
from shared.domain.errors import OutcomeUnknownError, RefusedError, UnavailableError
from shared.domain.invoice import CreditNoteLine, PendingCharge
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus

T = TypeVar("T")

# Longer than we wait for an answer, shorter than the settle time of an effect.
EARLIEST, LATEST = 20 * SECOND, 5 * MINUTE


class Api(Reads):
    """`shared.ports.Billing` for one worker."""

    def mutate(self, name: str, key: str | None, params: object, act: Callable[[], T]) -> T:
        """One request that changes something, under its key."""
        worker, keys = self.worker, self.keys
        asked = (name, params)
        fault = worker.enter("mutate", name)
        worker.world.watch.posted(name, key, params)
        if fault is Fault.STRIPE_BUSY:
            raise UnavailableError("stripe: 429")
        if fault is Fault.STRIPE_CUT_BEFORE or worker.world.stripe_is_down:
            worker.pass_time(TIMES_OUT)
            raise OutcomeUnknownError("stripe: cut")
        fresh = key is None or keys.find(key) is None
        if fault is Fault.STRIPE_LATE and fresh:
            self._execute_late(key, asked, act)
            worker.pass_time(TIMES_OUT)
            raise OutcomeUnknownError("stripe: timed out")
        if fault is Fault.STRIPE_500_IDLE and fresh:
            keys.break_down(key, asked)
            raise OutcomeUnknownError("stripe: 500", sticky=True)
        try:
            answer = keys.run(key, asked, act)
        except (RefusedError, OutcomeUnknownError) as error:
            worker.world.watch.answered(name, key, params, error)
            raise
        if fault is Fault.STRIPE_500_DONE and fresh:
            keys.break_down(key, asked)
            raise OutcomeUnknownError("stripe: 500", sticky=True)
        worker.leave(fault)
        if fault is Fault.STRIPE_CUT_AFTER:
            raise OutcomeUnknownError("stripe: cut")
        return answer

    def _execute_late(self, key: str | None, asked: object, act: Callable[[], object]) -> None:
        """The request is in Stripe's hands and will be carried out, some time."""
        world = self.worker.world
        entry = Kept(world.hub.now, asked, in_use=True)
        if key:
            self.keys.kept[key] = entry

        def carry_out() -> None:
            entry.in_use, entry.at = False, world.hub.now
            try:
                entry.answer = act()
            except RefusedError as refusal:
                entry.error = refusal

        world.hub.after(EARLIEST + world.chance(LATEST - EARLIEST), carry_out)

    # -- subscriptions

    def set_cancel_at_period_end(self, subscription: str, *, cancel: bool, key: str) -> None:
        """See `Billing`."""

        def act() -> None:
            facts = self._changeable(subscription)
            end = max(item.period_end for item in facts.items) if cancel else None
            self.stripe.set_subscription(replace(facts, cancels_at=end), "updated")

        self.mutate("set_cancel_at_period_end", key, (subscription, cancel), act)

    def cancel_now(self, subscription: str) -> None:
        """See `Billing`."""

        def act() -> None:
            if self._known(subscription).status is SubscriptionStatus.ENDED:
                raise RefusedError("resource_missing", "it has ended")
            self.stripe.end(subscription, self.stripe.now())

        self.mutate("cancel_now", None, subscription, act)

    def pause_collection(self, subscription: str, *, key: str) -> None:
        """See `Billing`."""

        def act() -> None:
            facts = self._changeable(subscription)
            self.stripe.paused.add(subscription)
            self.stripe.set_subscription(facts, "updated")

        self.mutate("pause_collection", key, subscription, act)

    def resume_collection(self, subscription: str, *, key: str) -> None:
        """See `Billing`."""

        def act() -> None:
            facts = self._changeable(subscription)
            self.stripe.paused.discard(subscription)
            self.stripe.set_subscription(facts, "updated")

        self.mutate("resume_collection", key, subscription, act)

    def _known(self, subscription: str) -> SubscriptionFacts:
        return found(self.stripe.subscriptions, subscription)

    def _changeable(self, subscription: str) -> SubscriptionFacts:
        facts = self._known(subscription)
        if facts.status is SubscriptionStatus.ENDED:
            raise RefusedError("invalid_canceled_subscription_fields", "it has ended")
        return facts

    # -- invoices and what waits for them

    def set_auto_advance(self, invoice: str, *, on: bool, key: str) -> None:
        """See `Billing`."""

        def act() -> None:
            known = found(self.stripe.invoices, invoice)
            begins = on and not known.facts.collects
            known.facts = replace(known.facts, collects=on)
            if begins:
                plan_collection(self.stripe, invoice)

        self.mutate("set_auto_advance", key, (invoice, on), act)

    def void_invoice(self, invoice: str, *, key: str) -> None:
        """See `Billing`."""

        def act() -> None:
            known = found(self.stripe.invoices, invoice)
            if known.facts.status != "open":
                raise RefusedError("400", known.facts.status)
            known.facts = replace(known.facts, status="void")

        self.mutate("void_invoice", key, invoice, act)

    def finalize_draft(self, invoice: str, *, key: str) -> None:
        """See `Billing`."""

        def act() -> None:
            known = found(self.stripe.invoices, invoice)
            if known.facts.status != "draft":
                raise RefusedError("invoice_not_editable", known.facts.status)
            known.facts = replace(known.facts, status="open", collects=False)

        self.mutate("finalize_draft", key, invoice, act)

    def remove_charge(self, charge: str) -> None:
        """See `Billing`."""
        self.mutate("remove_charge", None, charge, lambda: drop_charge(self.stripe, charge))

    def add_charge(self, params: Mapping[str, Any], *, operation: str, key: str) -> str:
        """See `Billing`."""

        def act() -> str:
            facts = self._known(params["subscription"])
            if facts.status is SubscriptionStatus.ENDED:
                raise RefusedError("400", "a subscription that has ended takes no charges")
            name = self.stripe.name("ii")
            self.stripe.pending[name] = PendingCharge(
                id=name,
                subscription=params["subscription"],
                amount=params["amount"],
                currency=params["currency"],
                description=params["description"],
                period_start=datetime.fromisoformat(params["period_start"]),
                period_end=datetime.fromisoformat(params["period_end"]),
                tax_rates=tuple(params["tax_rates"]),
                discountable=params["discountable"],
                operation=operation,
            )
            self.stripe.added[operation] = name
            self.worker.world.watch.charged(operation)
            return name

        return self.mutate("add_charge", key, (operation, dict(params)), act)

    # -- money

    def refund_payment(
        self, *, payment: str, amount: int, operation: str, customer: str, key: str
    ) -> RefundFacts:
        """See `Billing`."""

        def act() -> RefundFacts:
            made = self.stripe.refund(payment, amount, operation, customer)
            self.worker.world.watch.refunded(made)
            return made

        params = (operation, payment, amount, customer)
        return self.mutate("refund_payment", key, params, act)

    def issue_credit_note(
        self,
        *,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refunds: Sequence[tuple[str, int]],
        credit: int,
        operation: str,
        key: str,
        out_of_band: int = 0,
    ) -> str:
        """See `Billing`."""
        made = tuple(map(tuple, refunds))
        params = (operation, invoice, tuple(lines), made, credit, out_of_band)
        return self.mutate("issue_credit_note", key, params, lambda: self._note(*params))

    def _note(
        self,
        operation: str,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refunds: Sequence[tuple[Any, ...]],
        credit: int,
        out_of_band: int,
    ) -> str:
        stripe = self.stripe
        total = check_note(stripe, invoice, lines, refunds, credit + out_of_band)
        name, customer = stripe.name("cn"), stripe.invoices[invoice].customer
        stripe.notes[name] = Note(
            name, invoice, customer, total, credit, tuple(refunds), operation, stripe.now()
        )
        self.worker.world.watch.documented(operation)
        return name
