"""SES says that a mail bounced: through its rule and its queue onto the account, for the staff."""

import json
from collections.abc import Callable

import pytest

from infrastructure.local.stack import Stack
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.domain.effects import Effect, EffectKind
from shared.domain.mail_trouble import address_digest
from tests.handlers.ses_events import bounced
from tests.scenarios.conftest import Bus
from tests.scenarios.customers import Customer, ask
from tests.scenarios.people import staff_token

pytestmark = pytest.mark.stack


def as_if_from_ses(stack: Stack) -> str:
    """The stack's rule on bounces, again for a source of ours: only AWS sends from its own."""
    events, source = stack.aws("events"), "test.ses"
    (rule,) = [
        r for r in events.list_rules()["Rules"] if "Email Bounced" in r.get("EventPattern", "")
    ]
    pattern = json.loads(rule["EventPattern"])
    assert pattern["source"] == ["aws.ses"]
    again = json.dumps(pattern | {"source": [source]})
    events.put_rule(Name="bounces-again", EventPattern=again)
    targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    events.put_targets(Rule="bounces-again", Targets=targets)
    return source


def test_a_bounce_stops_the_mails_and_calls_a_person(
    stack: Stack, newcomer: Callable[..., Customer], settle: Callable[[], None], bus: Bus
) -> None:
    customer = newcomer()
    cancellation = customer.confirm(customer.quote("at_period_end"))
    settle()
    told = customer.mails()
    store = DynamoDBStore(
        stack.aws("dynamodb"), stack.outputs["TableName"], incarnation=1, livemode=False
    )
    effects = [stored.record for stored in store.all_of(Effect, customer.id)]
    (mail,) = [
        effect
        for effect in effects
        if effect.kind is EffectKind.SEND_MAIL
        and effect.params["template"] == "cancellation_scheduled"
    ]
    ses = stack.aws("sesv2")
    (name,) = ses.list_configuration_sets()["ConfigurationSets"]
    (destination,) = ses.get_configuration_set_event_destinations(ConfigurationSetName=name)[
        "EventDestinations"
    ]
    assert sorted(destination["MatchingEventTypes"]) == ["BOUNCE", "COMPLAINT"]

    digest = address_digest(customer.id, customer.email)
    at = stack.now().replace(microsecond=0).isoformat().replace("+00:00", "Z")
    tags = {"customer": customer.id, "message": mail.id, "address": digest}
    source = as_if_from_ses(stack)
    for of in ("another-stack", name):
        event = bounced(tags, configuration_set=of)
        event["detail"]["bounce"]["timestamp"] = at
        detail = json.dumps(event["detail"])
        entry = {"Source": source, "DetailType": event["detail-type"], "Detail": detail}
        assert stack.aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
        settle()

    auditor = staff_token(stack, "auditor")
    account = ask(stack, 200, "GET", f"/v1/staff/accounts/{customer.id}", auditor).json()
    assert account["mail_troubles"] == [
        {
            "mail": mail.id,
            "template": "cancellation_scheduled",
            "trouble": "bounced",
            "detail": "Permanent General",
            "at": at,
        }
    ]
    customer.withdraw(cancellation)
    settle()
    assert customer.mails() == told
    assert bus.about(customer.id).count("AttentionNeeded") == 2  # the first mail, and the second
