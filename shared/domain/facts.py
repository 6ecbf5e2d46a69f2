"""The facts of a case: everything that a decision may look at.

Amounts are minor units of the invoices' currency, instants are aware and in UTC. Defaults are
filled in by ``shared.domain.case``, so that rules never meet them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.periods import Period
from shared.domain.settings import Overrides


class Ground(StrEnum):
    """Why money is asked back."""

    UNUSED_PERIOD = "unused_period"
    BILLING_ERROR = "billing_error"
    SERVICE_DISRUPTION = "service_disruption"
    DISSATISFACTION = "dissatisfaction"
    VENDOR_FAULT = "vendor_fault"
    WITHDRAWAL = "withdrawal"
    GOODWILL = "goodwill"


class LineKind(StrEnum):
    """What an invoice line charges for."""

    SUBSCRIPTION = "subscription"
    USAGE = "usage"
    SETUP = "setup"
    ONBOARDING = "onboarding"
    CUSTOM_WORK = "custom_work"
    THIRD_PARTY_FEE = "third_party_fee"
    ONE_TIME = "one_time"
    DIGITAL = "digital"
    SERVICE = "service"


class Finding(StrEnum):
    """What staff found out about the case."""

    CUSTOMER_MISUSE = "customer_misuse"
    THIRD_PARTY_DOWNTIME = "third_party_downtime"
    TERMS_BREACH = "terms_breach"
    USER_ERROR = "user_error"
    CHANGED_REQUIREMENTS = "changed_requirements"
    USED_AFTER_COMPLETION = "used_after_completion"
    NON_PAYMENT = "non_payment"


class Attribution(StrEnum):
    """Whose doing an incident was."""

    VENDOR = "vendor"
    THIRD_PARTY = "third_party"
    CUSTOMER = "customer"
    SHARED = "shared"


class Standing(StrEnum):
    """Whether the account may be served."""

    GOOD = "good"
    SUSPENDED = "suspended"


class Method(StrEnum):
    """How a payment was made, which decides how it can go back."""

    CARD = "card"
    BANK = "bank"
    CUSTOMER_BALANCE = "customer_balance"
    OUT_OF_BAND = "out_of_band"


class SettleAs(StrEnum):
    """Whether money goes back or stays as account credit."""

    REFUND = "refund"
    CREDIT = "credit"


class Role(StrEnum):
    """What a member of staff may approve."""

    AGENT = "agent"
    APPROVER = "approver"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who asks; ``country`` and ``consumer`` are None where unknown."""

    standing: Standing
    country: str | None
    consumer: bool | None
    open_invoices: tuple[str, ...]
    purchased_at: datetime


@dataclass(frozen=True, slots=True)
class Service:
    """A part of what a line sells, with its share of the price."""

    name: str
    weight: int


@dataclass(frozen=True, slots=True)
class Returned:
    """What was already given back on a line for the same ground."""

    amount: int
    tax: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One reason why a line was charged otherwise than it should have been, with its arithmetic.

    ``amount`` and ``tax`` are what was charged too much by it; negative where it was too little.
    """

    kind: str
    arithmetic: str
    amount: int
    tax: int


@dataclass(frozen=True, slots=True)
class Line:
    """An invoice line: net amount after discounts, and its tax; negative for a mid-cycle credit.

    ``expected_tax`` None where nobody said: then the tax follows the amount.
    """

    id: str
    kind: LineKind
    amount: int
    tax: int
    period: Period | None
    credits: tuple[str, ...]
    used_amount: int | None
    rendered_at: datetime | None
    expected_amount: int | None
    expected_tax: int | None
    differences: tuple[Difference, ...]
    services: tuple[Service, ...]
    returned: Returned


@dataclass(frozen=True, slots=True)
class Payment:
    """An invoice's share of a payment, and what of it has gone back or is disputed."""

    id: str
    amount: int
    fee: int
    refunded: int
    disputed: int
    refundable: bool
    method: Method


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its lines and payments; no payments means unpaid."""

    number: str | None
    issued_at: datetime
    currency: str
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]
    credited: int


@dataclass(frozen=True, slots=True)
class Request:
    """What the customer asks for."""

    ground: Ground
    received_at: datetime
    effective_at: datetime
    channel: str
    evidence: frozenset[str]
    verified: bool | None
    findings: frozenset[Finding]
    service_date: datetime | None
    amount_asked: int | None
    settle_as: SettleAs | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What matters to a statutory withdrawal; None where unknown.

    ``loss_waiver``: the consumer agreed to lose the right and what was bought has been begun or
    performed in full, so that it is lost.
    """

    informed: bool | None
    started_on_request: bool | None
    loss_waiver: bool | None


@dataclass(frozen=True, slots=True)
class Incident:
    """A recorded disturbance; ``services`` empty means all; None where unknown."""

    period: Period
    reported_at: datetime | None
    resolved_at: datetime | None
    attribution: Attribution | None
    beyond_sla: bool | None
    services: frozenset[str]


@dataclass(frozen=True, slots=True)
class NamedDeduction:
    """An amount that staff take off, and for what."""

    what: str
    amount: int


@dataclass(frozen=True, slots=True)
class Approval:
    """A member of staff's consent; ``amount`` None means the whole bound."""

    by: str
    role: Role
    at: datetime
    amount: int | None
    reason: str | None
    evidence_reviewed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Case:
    """All facts of a decision, the instant at which it is taken among them."""

    policy: str
    overrides: Overrides
    now: datetime
    customer: Customer
    invoices: tuple[Invoice, ...]
    request: Request
    withdrawal: Withdrawal
    incidents: tuple[Incident, ...]
    resolved_issues: tuple[datetime, ...]
    per_issue_charge: int | None
    deductions: tuple[NamedDeduction, ...]
    approvals: tuple[Approval, ...]
