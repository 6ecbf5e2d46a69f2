"""Mails to the customer and events to the company's systems: at least once, one stable id each."""

from typing import Any

from shared.application.case_document import instant
from shared.application.cases.notes import read_note
from shared.application.change import Change, present
from shared.application.effects.performer import Go, Performer, Result, Skip, Verdict
from shared.application.intake.answer import open_answer
from shared.application.privacy.announce_terms import note_sent
from shared.application.record_mail_trouble import call_person, mail_named
from shared.domain.contact import Contact
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import ErasedError
from shared.domain.mail_trouble import MailTrouble, address_digest
from shared.domain.privacy import PrivacyChoices
from shared.ports import Services


def _may_mail(services: Services, effect: Effect) -> Verdict:
    """Judged when it would be sent, so that an objection meets what is already on its way."""
    if effect.params.get("optional"):
        choices = services.store.get(PrivacyChoices, effect.customer)
        if choices is not None and not choices.record.wants_optional_mail:
            return Skip("the customer wants no optional mails")
    return Go()


def _send_mail(services: Services, effect: Effect) -> Result:
    """The address stays at Stripe and is read now; a customer without one gets no mail.

    What is sealed is opened now too: what was erased in the meantime is not sent. An address that
    takes none of our mails gets none, until another one stands at Stripe.
    """
    try:
        contact, known = _addressed(services, effect)
        values = dict(effect.params["values"]) | known
        if effect.params.get("note"):
            values["message"] = read_note(services, effect.customer, effect.params["note"])
    except ErasedError:
        return {"sent": False}
    if contact is None or not contact.email:
        return {"sent": False}
    if effect.params.get("to") is None and _is_stopped(services, effect.customer, contact.email):
        return {"sent": False, "stopped": True}
    services.mailer.send(
        to=contact.email,
        template=effect.params["template"],
        values=values,
        message_id=effect.id,
        customer=effect.customer,
        language=contact.language,
    )
    return {"sent": True}


def _is_stopped(services: Services, customer: str, address: str) -> bool:
    digest, now = address_digest(customer, address), present(services)
    troubles = services.store.all_of(MailTrouble, customer)
    return any(stored.record.stops(digest, now) for stored in troubles)


def _mailed(change: Change, effect: Effect, result: Result) -> None:
    """Whoever cannot be reached by mail is reached by a person, where something hangs on it."""
    if result.get("stopped"):
        change.audit("mail_not_sent", "the address takes no mails", **mail_named(effect))
        call_person(change, effect, "not sent")
    elif result["sent"] and "announcement" in effect.params:
        note_sent(change, effect.params["announcement"])


def _addressed(services: Services, effect: Effect) -> tuple[Contact | None, dict[str, str]]:
    """Whom it goes to, and what was sealed with the address of somebody who is no customer."""
    match effect.params.get("to"):
        case "staff":
            return Contact(services.staff_address), {}
        case {"sealed": _}:
            address, values = open_answer(services, effect)
            return Contact(address), values
        case _:
            return services.billing.contact(effect.customer), {}


def _alert(services: Services, effect: Effect) -> Result:
    """For the company's staff and whatever of theirs listens; counted for the alarm."""
    services.bus.publish("AttentionNeeded", _members(services, effect) | dict(effect.params))
    return {}


def _publish(services: Services, effect: Effect) -> Result:
    members = _members(services, effect) | dict(effect.params["detail"])
    services.bus.publish(effect.params["name"], members)
    return {}


def _members(services: Services, effect: Effect) -> dict[str, Any]:
    """What every domain event has."""
    return {
        "id": effect.id,
        "schema_version": 1,
        "occurred_at": instant(effect.created_at),
        "customer": effect.customer,
        "livemode": services.livemode,
    }


PERFORMERS = {
    EffectKind.SEND_MAIL: Performer(send=_send_mail, may_send=_may_mail, adopt=_mailed),
    EffectKind.PUBLISH_EVENT: Performer(send=_publish),
    EffectKind.ALERT: Performer(send=_alert, alerts=True),
}
