"""Customers, subscriptions and invoices for use cases under test, with keyword defaults."""

from datetime import UTC, datetime

from shared.application.refresh_subscription import refresh_subscription
from shared.domain.dispute import DisputeFacts, DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.invoice import InvoiceFacts, LineFacts, PaymentFacts, TaxFacts
from shared.domain.subscription import SubscriptionFacts, SubscriptionItem, SubscriptionStatus
from tests.fakes.services import FakeServices

CUSTOMER = "cus_ann"
SUBSCRIPTION = "sub_ann"
YEAR_START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR_END = datetime(2027, 1, 1, tzinfo=UTC)


def subscription_facts(
    *,
    start: datetime = YEAR_START,
    end: datetime = YEAR_END,
    amount: int = 120000,
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE,
) -> SubscriptionFacts:
    item = SubscriptionItem(
        id="si_1",
        product="prod_1",
        price="price_1",
        quantity=1,
        unit_amount=amount,
        currency="usd",
        interval="year",
        period_start=start,
        period_end=end,
    )
    return SubscriptionFacts(
        id=SUBSCRIPTION,
        customer=CUSTOMER,
        status=status,
        items=(item,),
        cancels_at=None,
        ended_at=None,
        created_at=start,
        collection_paused=False,
        livemode=False,
    )


def paid_invoice(
    *,
    amount: int = 120000,
    tax: int = 0,
    start: datetime = YEAR_START,
    end: datetime = YEAR_END,
    refunded: int = 0,
    refundable: bool = True,
) -> InvoiceFacts:
    taxes = (TaxFacts("txr_1", tax, amount, inclusive=False),) if tax else ()
    line = LineFacts("il_1", "subscription", amount, tax, start, end, "Annual plan", taxes)
    paid = PaymentFacts(
        id="pi_1",
        amount=amount + tax,
        fee=0,
        refunded=refunded,
        disputed=0,
        refundable=refundable,
        method="card",
        total=amount + tax,
    )
    return InvoiceFacts(
        id="in_1",
        number="A-0001",
        status="paid",
        created_at=start,
        currency="usd",
        lines=(line,),
        payments=(paid,),
        credited=0,
        subscription=SUBSCRIPTION,
        collects=True,
    )


def chargeback(
    *,
    outcome: DisputeOutcome = DisputeOutcome.UNDECIDED,
    kind: DisputeKind = DisputeKind.CHARGEBACK,
) -> DisputeFacts:
    withdrawn = 120000 if kind is DisputeKind.CHARGEBACK else 0
    open_ = outcome is DisputeOutcome.UNDECIDED
    return DisputeFacts(
        id="du_1",
        customer=CUSTOMER,
        charge="ch_1",
        payment="pi_1",
        kind=kind,
        phase=DisputePhase.OPEN if open_ else DisputePhase.ENDED,
        outcome=outcome,
        raw_status="needs_response" if open_ else outcome.value,
        amount=120000,
        currency="usd",
        withdrawn=withdrawn,
        returned=withdrawn if outcome is DisputeOutcome.WON else 0,
        fee=1500 if withdrawn else 0,
        settlement_currency="usd",
        reason="fraudulent",
        opened_at=YEAR_START,
        respond_by=None,
        livemode=False,
    )


def services_with_annual_plan(*, tax: int = 0) -> FakeServices:
    """A customer on an annual plan, paid, known here and at Stripe."""
    services = FakeServices()
    services.billing.emails[CUSTOMER] = "ann@example.com"
    services.billing.known_subscriptions[SUBSCRIPTION] = subscription_facts()
    services.billing.invoices["in_1"] = paid_invoice(tax=tax)
    services.billing.now = services.clock.now()
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    return services
