"""Build a pack of evidence from facts: sections for the document, texts for the bank's form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.dispute import Dispute
from shared.domain.evidence import (
    ActivityEvent,
    ChargeStory,
    Family,
    Pack,
    Section,
    Subject,
    family_of,
    missing_of,
)
from shared.domain.money_text import money_text

# Stripe takes 20,000 characters in a text field and 150,000 in all of them.
LONGEST_FIELD = 20_000
# A document of some pages convinces; the rest of a long log stays countable.
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Terms:
    """The policy that held at the purchase, and how the customer was shown it."""

    title: str
    version: str
    since: datetime
    digest: str
    disclosed: str
    clauses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of our own records: when, what, and to which object."""

    at: datetime
    what: str
    subject: str


@dataclass(frozen=True, slots=True)
class EvidenceFacts:
    """Everything that our records and Stripe's say about a disputed payment."""

    dispute: Dispute
    story: ChargeStory
    terms: Terms
    purchased_at: datetime | None
    cancellations: tuple[Happened, ...]
    refunds: tuple[Happened, ...]
    messages: tuple[Happened, ...]
    activity: tuple[ActivityEvent, ...]


def build_pack(facts: EvidenceFacts) -> Pack:
    """The pack; what has no record is left empty and named as missing."""
    dispute = facts.dispute
    family = family_of(dispute.network, dispute.reason_code, dispute.reason)
    sections = (
        _purchase(facts),
        _customer(facts),
        _terms(facts),
        _cancellations(facts),
        _activity(facts),
        _refunds(facts),
        _messages(facts),
        _earlier(facts),
    )
    amount = money_text(dispute.amount, dispute.currency)
    return Pack(
        dispute=dispute.id,
        family=family,
        title=f"Response to dispute {dispute.id} over {amount}",
        sections=sections,
        fields=_fields(facts, family, {s.subject: s for s in sections}),
        missing=missing_of(family, sections),
    )


def day(at: datetime) -> str:
    """An instant for people who read many documents."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _purchase(facts: EvidenceFacts) -> Section:
    story, dispute = facts.story, facts.dispute
    return Section(
        Subject.PURCHASE,
        "The disputed payment",
        story.description or "A payment for a subscription.",
        ("what", "figure"),
        (
            ("payment", story.charge),
            ("paid", day(story.paid_at)),
            ("amount paid", money_text(story.amount, story.currency)),
            ("amount disputed", money_text(dispute.amount, dispute.currency)),
            ("reason given by the bank", f"{dispute.reason} {dispute.reason_code}".strip()),
            ("dispute opened", day(dispute.opened_at)),
        ),
    )


def _customer(facts: EvidenceFacts) -> Section:
    story = facts.story
    rows = (("name", story.name), ("mail address", story.email), ("address", story.address))
    known = tuple((what, value) for what, value in rows if value)
    return Section(
        Subject.CUSTOMER,
        "Who bought",
        "As given with the payment.",
        ("what", "value"),
        known,
        is_empty=not known,
    )


def _terms(facts: EvidenceFacts) -> Section:
    terms = facts.terms
    text = (
        f"{terms.title}, version {terms.version}, in force since {day(terms.since)} "
        f"({terms.digest}). {terms.disclosed}"
    )
    return Section(
        Subject.TERMS,
        "The terms in force at the purchase",
        text.strip(),
        ("clause", "what it says"),
        terms.clauses,
        is_empty=not terms.clauses,
    )


def _cancellations(facts: EvidenceFacts) -> Section:
    """That nobody cancelled is evidence as well, where we know since when we would have heard."""
    before = [one for one in facts.cancellations if one.at <= facts.story.paid_at]
    if not facts.cancellations:
        text = "Our records hold no cancellation of this customer's up to the day of this document."
    elif not before:
        text = "Every cancellation came after the disputed payment had been made."
    else:
        text = "Cancellations and what became of them."
    return Section(
        Subject.CANCELLATIONS,
        "Cancellations",
        text,
        ("when", "what", "subscription"),
        _rows(facts.cancellations),
    )


def _activity(facts: EvidenceFacts) -> Section:
    since = [one for one in facts.activity if one.at >= facts.story.paid_at]
    text = (
        f"{len(facts.activity)} uses of the service are recorded, {len(since)} of them after the "
        "disputed payment."
    )
    newest = sorted(facts.activity, key=lambda one: one.at, reverse=True)[:MOST_ROWS]
    rows = tuple((day(o.at), o.what, o.ip or "", o.device or "") for o in newest)
    return Section(
        Subject.ACTIVITY,
        "Use of the service",
        text if rows else "No use of the service was reported to us.",
        ("when", "what", "IP address", "device"),
        rows,
        is_empty=not rows,
    )


def _refunds(facts: EvidenceFacts) -> Section:
    text = "What has gone back on this payment." if facts.refunds else "Nothing has gone back."
    if facts.dispute.exposure:
        exposed = money_text(facts.dispute.exposure, facts.dispute.currency)
        text += f" With this dispute the customer would have {exposed} more than was paid."
    return Section(
        Subject.REFUNDS, "Refunds", text, ("when", "what", "refund"), _rows(facts.refunds)
    )


def _messages(facts: EvidenceFacts) -> Section:
    return Section(
        Subject.MESSAGES,
        "Messages to the customer",
        "Mails that were sent to the address given.",
        ("when", "what", "message"),
        _rows(facts.messages),
        is_empty=not facts.messages,
    )


def _earlier(facts: EvidenceFacts) -> Section:
    rows = tuple(
        (day(one.paid_at), money_text(one.amount, one.currency), one.id)
        for one in facts.story.earlier[:MOST_ROWS]
    )
    return Section(
        Subject.EARLIER_PAYMENTS,
        "Earlier payments that were not disputed",
        "Made by the same customer before this one.",
        ("when", "amount", "payment"),
        rows,
        is_empty=not rows,
    )


def _rows(happened: Sequence[Happened]) -> tuple[tuple[str, ...], ...]:
    return tuple((day(one.at), one.what, one.subject) for one in happened[-MOST_ROWS:])


def _fields(
    facts: EvidenceFacts, family: Family, sections: Mapping[Subject, Section]
) -> dict[str, str]:
    """The texts of the form; what is empty is left out, so that nothing is overwritten with it."""
    story, terms = facts.story, facts.terms
    texts = {
        "customer_name": story.name,
        "customer_email_address": story.email,
        "billing_address": story.address,
        "product_description": story.description,
        "service_date": day(story.paid_at),
        "access_activity_log": _log(sections[Subject.ACTIVITY]),
        "customer_purchase_ip": next((one.ip for one in facts.activity if one.ip), None),
        "uncategorized_text": _summary(facts, sections),
    }
    if terms.clauses:
        disclosed = f"{terms.title}, version {terms.version}. {terms.disclosed}".strip()
        texts |= {
            "refund_policy_disclosure": disclosed,
            "cancellation_policy_disclosure": disclosed,
        }
    if family is Family.CANCELED:
        texts["cancellation_rebuttal"] = _log(sections[Subject.CANCELLATIONS])
    if family in (Family.CREDIT, Family.NOT_AS_DESCRIBED):
        texts["refund_refusal_explanation"] = _log(sections[Subject.REFUNDS])
    if family is Family.DUPLICATE and story.earlier:
        texts["duplicate_charge_id"] = story.earlier[0].id
        texts["duplicate_charge_explanation"] = (
            "The earlier payment paid for another billing period; see the document."
        )
    return {name: text[:LONGEST_FIELD] for name, text in texts.items() if text}


def _log(section: Section) -> str | None:
    if section.is_empty:
        return None
    return "\n".join([section.text, *(" | ".join(row) for row in section.rows)])


def _summary(facts: EvidenceFacts, sections: Mapping[Subject, Section]) -> str:
    parts = [f"{section.title}: {section.text}" for section in sections.values() if section.text]
    return "\n\n".join([facts.dispute.id, *parts])
