"""SES's word that a mail bounced or was complained of, from its event to what follows here."""

import json
from typing import Any

import pytest

from functions.record_mail_feedback import handler
from shared.adapters.ses_mailer import SesMailer
from shared.application.change import transact
from shared.domain.effects import Effect
from shared.domain.mail_trouble import MailTrouble
from tests.application.builders import CUSTOMER
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import Context, sqs_event
from tests.handlers.ses_events import ADDRESS, bounced, complained, left_by_rule


class Ses:
    """SES's client, as far as mails are sent with it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_email(self, **request: Any) -> None:
        self.sent.append(request)


def sent(services: HandlerServices, template: str = "refund_failed") -> Effect:
    """A mail that has gone out, as its effect."""
    values = {"amount": "1.00 USD", "refund": "r", "stripe_refund": "re_1"}

    def decide(change: Any) -> None:
        change.mail(template, values)

    transact(services, CUSTOMER, "test", decide)
    services.run_effects()
    return services.store.all_of(Effect, CUSTOMER)[-1].record


def tags_of(effect: Effect) -> dict[str, str]:
    """The tags that the real mailer gives to SES."""
    ses = Ses()
    SesMailer(ses, "billing@example.com", "fairexit").send(
        to=ADDRESS,
        template="refund_failed",
        values=dict(effect.params["values"]),
        message_id=effect.id,
        customer=effect.customer,
    )
    (request,) = ses.sent
    assert request["ConfigurationSetName"] == "fairexit"
    return {tag["Name"]: tag["Value"] for tag in request["EmailTags"]}


def tell(event: dict[str, Any]) -> None:
    answer = handler.lambda_handler(sqs_event(left_by_rule(event)), Context())
    assert answer == {"batchItemFailures": []}


@pytest.mark.parametrize(
    ("make", "trouble", "detail"),
    [
        (bounced, "bounced", "Permanent General"),
        (
            lambda tags: bounced(tags, "Permanent", "OnAccountSuppressionList"),
            "bounced",
            "Permanent OnAccountSuppressionList",
        ),
        (
            lambda tags: bounced(tags, "Transient", "MailboxFull"),
            "undelivered",
            "Transient MailboxFull",
        ),
        (
            lambda tags: bounced(tags, "Undetermined", "Undetermined"),
            "undelivered",
            "Undetermined Undetermined",
        ),
        (complained, "complained", "complaint"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_came_back_is_on_record_by_mail_and_without_an_address(
    services: HandlerServices, make: Any, trouble: str, detail: str
) -> None:
    mail = sent(services)
    event = make(tags_of(mail))
    assert ADDRESS not in json.dumps(left_by_rule(event))
    for _ in range(2):
        tell(event)
    (stored,) = services.store.all_of(MailTrouble, CUSTOMER)
    known = stored.record
    assert (known.id, known.trouble, known.detail) == (mail.id, trouble, detail)
    assert known.at.isoformat() == "2017-08-05T00:41:02+00:00"
    assert ADDRESS not in repr(services.store.table)


def test_a_mail_that_nobody_here_has_sent_changes_nothing(services: HandlerServices) -> None:
    commits = services.store.commits
    tell(bounced({"customer": "none", "message": "01J0", "address": "none"}))
    tell(complained({"customer": CUSTOMER, "message": "01J0", "address": "none"}))
    assert services.store.commits == commits
