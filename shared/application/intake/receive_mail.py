"""A mail that came in: it opens a refund case, is answered with what is missing, or is left alone.

A case is opened only for a mail that proves to come from the address that Stripe has for the
customer of the invoice which its subject names; on which ground is not read out of its words, that
is a finding of staff. A mail that proves nothing is not answered, since
the answer would go to whoever was impersonated; where somebody wrote in a customer's name, that
customer is told, at most once a day.
"""

from shared.application.cases.attach_evidence import attach_evidence
from shared.application.cases.open_case import OpenCase, open_case
from shared.application.change import Change, present, transact
from shared.application.intake.answer import answer
from shared.application.intake.limit_rate import take
from shared.domain import clauses as c
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.inbound_mail import InboundMail, read_mail
from shared.domain.invoice import InvoiceFacts
from shared.domain.mail_verdict import (
    JudgedMail,
    MailKind,
    MailReceipt,
    judge_mail,
    same_address,
    sender_key,
)
from shared.domain.records import EventMark
from shared.domain.tally import day_of, hour_of
from shared.ports import Services

CHANNEL = "email"
DEFAULT_SUBJECT = "Refund Request: {invoice}"
# Larger than ten megabytes of attachments in their encoding, and well inside the function's memory.
MAX_BYTES = 15 * 1024 * 1024
# A person who gets the subject wrong tries again a few times; a flood is no person.
_PER_HOUR, _PER_DAY = 5, 20
# All answers together, so that no flood from many addresses makes a spammer of us.
_ANSWERS_PER_HOUR = 500
EVERYBODY = "mailbox"


def receive_mail(services: Services, receipt: MailReceipt, *, own_address: str) -> str:
    """What came of a message, as a word for the metrics; the message is deleted then."""
    raw = services.mailbox.read(receipt.message, most=MAX_BYTES)
    if raw is None:
        return "gone"
    outcome = _receive(services, receipt, raw, own_address)
    services.mailbox.delete(receipt.message)
    return outcome


def _receive(services: Services, receipt: MailReceipt, raw: bytes, own_address: str) -> str:
    mail = read_mail(raw[:MAX_BYTES])
    judged = judge_mail(mail, receipt, own_address=own_address, subject=_subject(services))
    match judged.kind:
        case MailKind.REQUEST if len(raw) <= MAX_BYTES:
            return _request(services, receipt, mail, judged)
        case MailKind.REQUEST:
            return _answer(services, receipt, mail, "mail_too_large")
        case MailKind.NO_INVOICE_NUMBER:
            return _answer(services, receipt, mail, "mail_without_number")
        case MailKind.UNPROVEN:
            return _warn(services, receipt, mail, judged)
        case _:
            return judged.kind.value


def _subject(services: Services) -> str:
    """The form of the subject that the policy in force asks for."""
    policy = services.policies.load_policy(services.policy, present(services))
    intake = policy.duty(c.Event.INTAKE)
    return (intake.subject if intake else None) or DEFAULT_SUBJECT


def _request(
    services: Services, receipt: MailReceipt, mail: InboundMail, judged: JudgedMail
) -> str:
    if not _may_go_on(services, receipt, mail):
        return "flooded"
    invoice = _invoice_of(services, mail, judged)
    if invoice is None or invoice.customer is None:
        # The same answer for an invoice that is nobody's and for somebody else's.
        return _answer(services, receipt, mail, "mail_not_matched")
    customer = invoice.customer
    try:
        opened = open_case(
            services,
            customer=customer,
            wanted=OpenCase(
                invoice=invoice.id,
                statement=mail.text or mail.subject,
                channel=CHANNEL,
                reference=f"mail:{receipt.message}",
            ),
            by=f"mail:{customer}",
        )
    except NotFoundError:
        return _answer(services, receipt, mail, "mail_not_matched")
    except ConflictError:
        return _answer(services, receipt, mail, "mail_channel_not_taken")
    for number, file in enumerate(mail.attachments):
        attach_evidence(
            services,
            customer=customer,
            case=opened.case.id,
            reference=f"mail:{receipt.message}:{number}",
            content=file.content,
            by=f"mail:{customer}",
        )
    return "case_joined" if opened.joined else "case_opened"


def _invoice_of(services: Services, mail: InboundMail, judged: JudgedMail) -> InvoiceFacts | None:
    """The invoice that the subject names, if it is the sender's."""
    found = services.billing.invoice_numbered(judged.invoice_number or "")
    if found is None or found.customer is None or mail.sender is None:
        return None
    contact = services.billing.contact(found.customer)
    if contact is None or contact.email is None or not same_address(contact.email, mail.sender):
        return None
    return found


def _may_go_on(services: Services, receipt: MailReceipt, mail: InboundMail) -> bool:
    """Whether the sender has not had all that one sender may have; exact, in the table."""
    owner, now = sender_key(mail.sender or ""), present(services)
    spans = (("hour", hour_of(now), _PER_HOUR), ("day", day_of(now), _PER_DAY))
    return all(
        take(services, owner=owner, name=name, since=since, thing=receipt.message, limit=limit)
        for name, since, limit in spans
    )


def _answer(services: Services, receipt: MailReceipt, mail: InboundMail, template: str) -> str:
    """Tell the sender what is missing, once a message and within what a sender may have."""
    sender, since = mail.sender, hour_of(present(services))
    if sender is None or not _may_go_on(services, receipt, mail):
        return "flooded"
    if not take(
        services,
        owner=EVERYBODY,
        name="answers",
        since=since,
        thing=receipt.message,
        limit=_ANSWERS_PER_HOUR,
    ):
        return "flooded"
    values = {"subject": _subject(services).replace("{invoice}", "A-0001")}

    def decide(change: Change) -> str:
        if change.load(EventMark, receipt.message) is None:
            change.put(EventMark(change.customer, receipt.message, template, change.now))
            answer(change, sender, template, values)
        return template.removeprefix("mail_")

    return transact(services, sender_key(sender), "mail", decide)


def _warn(services: Services, receipt: MailReceipt, mail: InboundMail, judged: JudgedMail) -> str:
    """Somebody may have written in a customer's name: that customer is told, once a day."""
    invoice = _invoice_of(services, mail, judged)
    if invoice is None or invoice.customer is None:
        return "unproven"
    owner, since = invoice.customer, day_of(present(services))
    if not take(services, owner=owner, name="warned", since=since, thing=receipt.message, limit=1):
        return "unproven"
    return _answer(services, receipt, mail, "mail_unproven")
