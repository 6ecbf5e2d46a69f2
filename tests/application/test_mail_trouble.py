"""A mail that comes back stops mails to that address, and a person hears of what mattered."""

from datetime import timedelta
from typing import Any

import pytest

from shared.application.change import Change, transact
from shared.application.manage_account import show_to_staff
from shared.application.privacy.forget_records import forget_records
from shared.application.record_mail_trouble import Feedback, record_mail_trouble
from shared.domain.effects import Effect, EffectKind
from shared.domain.mail_trouble import CASUAL, MailTrouble, Trouble, address_digest
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.application.case_life import AGENT, Life
from tests.fakes.services import FakeServices
from tests.unit.adapters.test_mail_templates import TEMPLATES

ADDRESS = "ann@example.com"
PROMISE, CASUAL_MAIL = "refund_failed", "account_reinstated"
VALUES = {"amount": "1.00 USD", "refund": "r", "stripe_refund": "re_1", "reference": "x"}


def mail(services: FakeServices, template: str = PROMISE, *, to: str | None = None) -> str:
    """Let a mail be sent; its id."""

    def decide(change: Change) -> str:
        params: dict[str, Any] = {"template": template, "values": VALUES}
        return change.effect(EffectKind.SEND_MAIL, params | ({"to": to} if to else {}))

    sent = transact(services, CUSTOMER, "test", decide)
    services.run_effects()
    return sent


def comes_back(services: FakeServices, sent: str, trouble: Trouble, address: str = ADDRESS) -> str:
    told = Feedback(
        customer=CUSTOMER,
        mail=sent,
        trouble=trouble,
        at=services.clock.now(),
        detail="Permanent General",
        address=address_digest(CUSTOMER, address),
    )
    outcome = record_mail_trouble(services, told)
    services.run_effects()
    return outcome


def alerts(services: FakeServices) -> list[tuple[str, str]]:
    return [
        (detail["what"], detail["detail"])
        for name, detail in services.bus.published
        if name == "AttentionNeeded"
    ]


def test_a_bounce_stops_mails_to_that_address_and_calls_a_person() -> None:
    services = services_with_annual_plan()
    first = mail(services)
    assert comes_back(services, first, Trouble.BOUNCED) == "bounced"
    assert comes_back(services, first, Trouble.BOUNCED) == "known"
    assert alerts(services) == [("mail_not_delivered", f"{PROMISE} bounced")]
    second = mail(services)
    assert [sent["id"] for sent in services.mailer.sent] == [first]
    assert alerts(services)[1:] == [("mail_not_delivered", f"{PROMISE} not sent")]
    stored = services.store.get(Effect, CUSTOMER, second)
    assert stored is not None
    assert stored.record.result == {"sent": False, "stopped": True}
    (shown,) = show_to_staff(services, CUSTOMER, AGENT)["mail_troubles"]
    assert (shown["mail"], shown["template"], shown["trouble"]) == (first, PROMISE, "bounced")


@pytest.mark.parametrize(
    ("trouble", "days", "goes_out"),
    [
        (Trouble.BOUNCED, 29, False),
        (Trouble.BOUNCED, 30, True),
        (Trouble.COMPLAINED, 300, False),
        (Trouble.UNDELIVERED, 0, True),
    ],
)
def test_how_long_an_address_gets_no_mails(trouble: Trouble, days: int, goes_out: bool) -> None:
    services = services_with_annual_plan()
    comes_back(services, mail(services), trouble)
    services.clock.instant += timedelta(days=days)
    mail(services)
    assert len(services.mailer.sent) == 1 + goes_out


def test_another_address_at_stripe_gets_mails_again() -> None:
    services = services_with_annual_plan()
    comes_back(services, mail(services), Trouble.COMPLAINED, " Ann@Example.com")
    mail(services)
    services.billing.emails[CUSTOMER] = "ann@elsewhere.example"
    mail(services)
    assert [sent["to"] for sent in services.mailer.sent] == [ADDRESS, "ann@elsewhere.example"]


def test_nobody_is_called_for_a_mail_on_which_nothing_hangs() -> None:
    services = services_with_annual_plan()
    comes_back(services, mail(services, CASUAL_MAIL), Trouble.BOUNCED)
    mail(services, CASUAL_MAIL)
    assert alerts(services) == []
    # Whoever complains has read it; what is not sent after that matters.
    services = services_with_annual_plan()
    comes_back(services, mail(services), Trouble.COMPLAINED)
    assert alerts(services) == []
    mail(services)
    assert alerts(services) == [("mail_not_delivered", f"{PROMISE} not sent")]


def test_a_lost_mail_to_the_staff_is_an_alarm_and_stops_no_customers_mails() -> None:
    case = Life("rtc")
    case.open("billing_error")
    case.settle()
    services = case.services

    def tell(change: Change) -> str:
        values = {"case": case.id, "customer": CUSTOMER, "state": "x", "clock": "y", "due_at": "z"}
        params = {"template": "staff_case_late", "to": "staff", "values": values}
        return change.effect(EffectKind.SEND_MAIL, params)

    sent = transact(services, CUSTOMER, "test", tell)
    services.run_effects()
    assert comes_back(services, sent, Trouble.BOUNCED) == "staff"
    assert alerts(services) == [("staff_mail_not_delivered", "staff_case_late bounced")]
    before = len(services.mailer.sent)
    mail(services)
    assert len(services.mailer.sent) == before + 1


def test_a_mail_of_a_case_that_came_back_stands_on_its_timeline() -> None:
    case = Life("rtc")
    case.open("billing_error")
    case.settle()
    received = case.services.mailer.sent[0]
    comes_back(case.services, received["id"], Trouble.BOUNCED)
    (entry,) = [e for e in case.view["timeline"] if e["what"] == "mail_bounced"]
    assert entry["details"]["template"] == received["template"] == "case_received"


def test_an_erased_address_is_known_no_more() -> None:
    services = services_with_annual_plan()
    comes_back(services, mail(services), Trouble.BOUNCED)
    forget_records(services, CUSTOMER)
    (stored,) = services.store.all_of(MailTrouble, CUSTOMER)
    assert stored.record.address == ""
    assert not stored.record.stops("", services.clock.now())


def test_mails_on_which_nothing_hangs_are_mails_that_exist() -> None:
    assert set(TEMPLATES) >= CASUAL
