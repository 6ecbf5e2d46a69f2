"""A refund that did not get through: its story as far as several tests need it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.application.adopt_refund import refresh_refund
from shared.application.reconcile import reconcile
from shared.application.reconcile_lists import Scope
from shared.application.replan_refund import Replan, replan_refund
from shared.application.show_cancellation import show_cancellation
from shared.domain.invoice import PaymentFacts
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundWay
from tests.application.annual_plan import confirm, quoted
from tests.application.builders import CUSTOMER, paid_invoice, services_with_annual_plan
from tests.fakes.services import FakeServices

GONE = "expired_or_canceled_card"
CREDIT = Replan(RefundWay.ACCOUNT_CREDIT, "asked for it")
TRANSFER = Replan(RefundWay.OUT_OF_BAND, "asked for it", reference="SEPA 4711")


def to(payment: str) -> Replan:
    return Replan(RefundWay.PAYMENT, "asked for it", payment=payment)


def two_payments() -> FakeServices:
    """An invoice paid by two cards, the first of which takes the whole refund."""
    services = services_with_annual_plan()
    payments = tuple(
        PaymentFacts(name, amount, 0, 0, 0, refundable=True, method="card", total=amount)
        for name, amount in (("pi_1", 100000), ("pi_2", 120000))
    )
    invoice = replace(paid_invoice(amount=220000), payments=payments)
    services.billing.invoices["in_1"] = replace(
        invoice, lines=(replace(invoice.lines[0], amount=120000),)
    )
    return services


def cancelled(services: FakeServices) -> str:
    cancellation: str = confirm(services, quoted(services)["id"]).body["id"]
    services.run_effects()
    return cancellation


def becomes(services: FakeServices, refund: str, status: str, failure: str | None = None) -> None:
    seen = services.billing.refunds[refund]
    services.billing.refunds[refund] = replace(seen, status=status, failure=failure)
    refresh_refund(services, refund=refund)
    services.run_effects()


def shown(services: FakeServices, cancellation: str) -> dict[str, Any]:
    return show_cancellation(services, customer=CUSTOMER, cancellation=cancellation)


def replan(services: FakeServices, refund: str, plan: Replan) -> str:
    made = replan_refund(services, customer=CUSTOMER, refund=refund, plan=plan, by="agent")
    services.run_effects()
    return made.id


def books(services: FakeServices) -> dict[Book, int]:
    """What stands in each book, as the entries sum up."""
    sums: dict[Book, int] = dict.fromkeys(Book, 0)
    for stored in services.store.all_of(LedgerEntry, CUSTOMER):
        sums[stored.record.target] += stored.record.amount
        sums[stored.record.source] -= stored.record.amount
    return {book: amount for book, amount in sums.items() if amount}


def mails(services: FakeServices) -> list[str]:
    return [mail["template"] for mail in services.mailer.sent if "refund" in mail["template"]]


def left(services: FakeServices, payment: str) -> int:
    stored = services.store.get(Payment, CUSTOMER, payment)
    assert stored is not None
    assert stored.record.reserved == 0
    return stored.record.left()


def agrees_with_stripe(services: FakeServices) -> bool:
    return reconcile(services, Scope(grace=timedelta(0))).findings == []


def failed_late(services: FakeServices, failure: str = GONE) -> tuple[str, str]:
    """A refund that has succeeded, was documented, and comes back weeks later."""
    cancellation = cancelled(services)
    services.clock.advance(days=45)
    becomes(services, "re_0", "failed", failure)
    (refund,) = shown(services, cancellation)["refunds"]
    assert (refund["status"], refund["problem"]) == ("failed", "did_not_arrive")
    return cancellation, refund["id"]
