"""What SES tells of a mail that it could not deliver, or that somebody complained of.

The record names the mail and what came of it; no mail goes to that address any more while it
holds. A person hears of it where the mail was a decision or a promise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.domain.effects import Effect, EffectKind
from shared.domain.mail_trouble import CASUAL, MailTrouble, Trouble
from shared.ports import Services

ALERT = "mail_not_delivered"
STAFF_ALERT = "staff_mail_not_delivered"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What came back: of which mail (an effect of `customer`), and when."""

    customer: str
    mail: str
    trouble: Trouble
    at: datetime
    detail: str
    address: str


def record_mail_trouble(services: Services, feedback: Feedback) -> str:
    """What came of it, as a word for the metric; the same feedback again changes nothing."""

    def decide(change: Change) -> str:
        sent = change.load(Effect, feedback.mail)
        if sent is None or sent.kind is not EffectKind.SEND_MAIL:
            return "unknown_mail"
        if change.load(MailTrouble, feedback.mail) is not None:
            return "known"
        template = str(sent.params["template"])
        match sent.params.get("to"):
            case "staff":
                # Nobody of the staff reads what this system says: that is an alarm of its own.
                change.alert(STAFF_ALERT, sent.id, f"{template} {feedback.trouble.value}")
                change.audit("staff_mail_lost", feedback.trouble.value, mail=sent.id)
                return "staff"
            case {"place": _}:  # the address that was sealed there went when the mail had gone
                change.audit("answer_lost", feedback.trouble.value, mail=sent.id)
                return "stranger"
        _record(change, sent, template, feedback)
        return feedback.trouble.value

    return transact(services, feedback.customer, "ses", decide)


def _record(change: Change, sent: Effect, template: str, feedback: Feedback) -> None:
    change.put(
        MailTrouble(
            id=sent.id,
            customer=feedback.customer,
            trouble=feedback.trouble,
            template=template,
            at=feedback.at,
            detail=feedback.detail,
            address=feedback.address,
        )
    )
    change.audit(f"mail_{feedback.trouble.value}", feedback.detail, **mail_named(sent))
    # A complaint came from somebody who has read it.
    if feedback.trouble is not Trouble.COMPLAINED:
        call_person(change, sent, feedback.trouble.value)


def call_person(change: Change, mail: Effect, why: str) -> None:
    """Let a person know that a mail did not arrive, where something hangs on it."""
    template = str(mail.params["template"])
    if template not in CASUAL and not mail.params.get("optional"):
        change.alert(ALERT, mail.id, f"{template} {why}")


def mail_named(mail: Effect) -> Mapping[str, Any]:
    """How the audit trail names a mail; with its case, on whose timeline it then stands."""
    named = {"mail": mail.id, "template": mail.params["template"]}
    case = mail.params["values"].get("case")
    return named | ({"case": case} if case else {})


def mail_troubles(services: Services, customer: str) -> list[dict[str, Any]]:
    """The mails to a customer that did not arrive or were not wanted, for the staff."""
    found = [stored.record for stored in services.store.all_of(MailTrouble, customer)]
    return [
        {
            "mail": one.id,
            "template": one.template,
            "trouble": one.trouble.value,
            "detail": one.detail,
            "at": instant(one.at),
        }
        for one in found
    ]
