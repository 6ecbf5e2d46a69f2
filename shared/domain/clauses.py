"""The kinds of clauses that a policy is made of: few, general, and free of any pack's name.

Every clause has the id of the sentence it came from, the grounds on which it is looked at, and a
paraphrase. The same id may stand on several clauses where one sentence says several things.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.facts import Attribution, Finding, Ground, LineKind, SettleAs


class Outcome(StrEnum):
    """How a case stands, worst first: where several apply, the first one holds."""

    DENIED = "denied"
    REFERRED = "referred"
    NEEDS_EVIDENCE = "needs_evidence"
    NEEDS_VERIFICATION = "needs_verification"
    NEEDS_APPROVAL = "needs_approval"
    GRANTED = "granted"


class Since(StrEnum):
    """The event from which a window counts."""

    INVOICE_DATE = "invoice_date"
    PURCHASE = "purchase"
    SERVICE_DATE = "service_date"


class When(StrEnum):
    """Which part of a line of the named kinds is left out."""

    ALWAYS = "always"
    RENDERED = "rendered"
    USED = "used"


class Share(StrEnum):
    """How a formula finds what is due on a line."""

    UNUSED_TIME = "unused_time"
    OVERCHARGE = "overcharge"
    DISRUPTION = "disruption"
    FULL_AMOUNT = "full_amount"


class Promise(StrEnum):
    """What a deadline is about."""

    REVIEW = "review"
    PAYOUT = "payout"
    CALLBACK = "callback"


class ServiceUntil(StrEnum):
    """When a cancelled service ends, save where the rest of its time is given back."""

    END_OF_CYCLE = "end_of_cycle"
    AT_ONCE = "at_once"


class UsageOnExit(StrEnum):
    """What becomes of metered usage that is not yet billed."""

    BILL = "bill"
    WAIVE = "waive"


class Event(StrEnum):
    """What a consequence follows on."""

    CHARGEBACK = "chargeback"
    CANCELLATION = "cancellation"
    ACTIVATION = "activation"
    INTAKE = "intake"
    CONTEST = "contest"
    NON_PAYMENT = "non_payment"
    VIOLATION = "violation"
    COSTS = "costs"
    FRAUD_WARNING = "fraud_warning"
    INQUIRY = "inquiry"
    POLICY_CHANGE = "policy_change"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What all clauses have; ``grounds`` are those on which the clause is looked at."""

    id: str
    kind: str
    grounds: frozenset[Ground]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Clause):
    """The request must come by day ``days`` after the event; the event's local date is day 0."""

    days: int
    since: Since
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRule(Clause):
    """What a ground leads to; with needs_verification it counts once staff have verified it."""

    outcome: Outcome
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion(Clause):
    """Findings that rule a refund out; incidents that are all somebody else's do so too."""

    findings: frozenset[Finding]
    attributions: Mapping[Attribution, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRule(Clause):
    """The account must not be suspended; earlier invoices must be paid where that is asked."""

    invoices_paid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRule(Clause):
    """The customer must bring at least this many kinds of evidence."""

    at_least: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter(Clause):
    """Lines, or their used part, that are left out of what can be refunded."""

    kinds: frozenset[LineKind]
    when: When
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula(Clause):
    """What is due on a line, and whether it is an entitlement or needs approval."""

    share: Share
    outcome: Outcome
    code: str
    settle_as: frozenset[SettleAs]
    ends_service: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disruption(Formula):
    """The share of the time in which the service was down.

    Incidents of ``attributions`` count when they lasted and were reported as asked. With
    ``sla_entitles`` only the vendor's own, beyond the SLA, give ``outcome``; all others that count
    need approval. ``unrecorded`` is the outcome while no incident is recorded at all.
    """

    attributions: frozenset[Attribution]
    at_least_minutes: int
    reported_within_hours: int | None
    sla_entitles: bool
    unrecorded: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap(Clause):
    """An upper limit for the whole refund, by currency; a currency without one has limit 0.

    Without ``limits`` it names the limit that always holds: what was paid and has not gone back.
    """

    name: str
    limits: Mapping[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCharge(Clause):
    """A charge for each issue resolved by day ``days`` after the purchase."""

    what: str
    charges: Mapping[str, int]
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline(Clause):
    """A time by which something is promised, in business days or between business hours."""

    promise: Promise
    business_days: int | None
    business_hours: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule(Clause):
    """Who may approve how much alone, and whether present evidence must have been reviewed."""

    agent_limits: Mapping[str, int]
    review_evidence: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence(Clause):
    """What an event leads to beside the refund."""

    on: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackRule(Consequence):
    """What a chargeback leads to.

    With ``reinstate_when_paid`` a suspension for one that was lost ends once nothing is owed; else
    a person lifts it.
    """

    suspend: bool
    block_refunds: bool
    stop_collection: bool
    amount_becomes_owed_when_lost: bool
    fees_become_owed_when_lost: bool
    reinstate_when_paid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NonPaymentRule(Consequence):
    """The grace that whoever does not pay has, in days from the first attempt that failed.

    Without ``suspend_after_days`` or ``cancel_after_days`` that does not happen by itself.
    """

    remind_after_days: tuple[int, ...]
    suspend_after_days: int | None
    cancel_after_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationRule(Consequence):
    """What staff may do to whoever breaks the terms; an end by it gives nothing back."""

    suspend: bool
    stop_collection: bool
    cancel_without_refund: bool


class SubmitBy(StrEnum):
    """Who has evidence submitted when nobody has said anything until the margin begins."""

    PERSON = "person"
    IF_IT_PAYS = "if_it_pays"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestRule(Consequence):
    """How a dispute is contested.

    ``margin_hours`` before the bank's deadline is ours; ``remind_days`` before it staff are told.
    ``disclosed`` says how customers are shown the policy.
    """

    submit: SubmitBy
    margin_hours: int
    remind_days: tuple[int, ...]
    disclosed: str | None


# Where no clause speaks of contesting a person decides, two days before the deadline at the latest.
NO_CONTEST = ContestRule(
    id="",
    kind="consequence",
    grounds=frozenset(),
    text="",
    on=Event.CONTEST,
    submit=SubmitBy.PERSON,
    margin_hours=48,
    remind_days=(5, 3),
    disclosed=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsRule(Consequence):
    """Whether the customer owes what contesting has cost others' bills, once it is lost."""

    owed_when_lost: bool


class WarningAction(StrEnum):
    """What is done about a payment before it becomes a chargeback."""

    ASK = "ask"
    REFUND = "refund"
    CONTEST = "contest"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyWarningRule(Consequence):
    """What an early warning leads to; with ASK a person decides.

    With REFUND a payment of at most ``refund_at_most`` (minor units, by currency) goes back where
    that is worth more than waiting; above it a person is asked. It goes back ``hours`` later, so
    that a person can overrule it.
    """

    action: WarningAction
    refund_at_most: Mapping[str, int]
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudWarningRule(EarlyWarningRule):
    """What an issuer's suspicion of fraud leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryRule(EarlyWarningRule):
    """What a bank's inquiry leads to; with CONTEST it is answered before its deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRule(Consequence):
    """What a cancellation leads to; None where the clause does not say.

    ``notice_days``: so many local days before the cycle's end the request must have come for the
    renewal not to be charged.
    """

    service_until: ServiceUntil | None
    notice_days: int | None
    usage_on_exit: UsageOnExit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty(Consequence):
    """A duty of the house that decides no refund: its channels, subject and days."""

    channels: frozenset[str]
    subject: str | None
    days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDeductions(Clause):
    """Amounts that staff name, each with what it is for, come off the refund."""

    what: str
