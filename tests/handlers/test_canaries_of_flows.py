"""Nothing personal gets out of any flow at whatever call it breaks off.

Every route is called with a body that it takes, every kind of effect is carried out, a mail and a
report come in; and each of these again with a failure at its first call on a port, its second,
and so on, in errors that quote what only the person knows.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib import import_module
from itertools import count
from typing import Any

import pytest

from shared.application.cases.open_case import OpenCase, open_case
from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import handle_dispute
from shared.application.identify_customer import link_identity
from shared.application.incidents.record_incident import record_incident
from shared.application.intake.take_declaration import Declared, take_declaration
from shared.application.privacy.announce_terms import announce_terms
from shared.application.privacy.hold_data import place_hold
from shared.application.privacy.open_request import Ask, open_for
from shared.application.privacy.report_breach import report_breach
from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Timing
from shared.domain.declaration import DeclarationKind
from shared.domain.effects import Effect, EffectKind, Lane
from shared.domain.evidence import ChargeStory
from shared.domain.facts import Ground
from shared.domain.incident import Outage
from shared.domain.privacy import RequestKind
from shared.domain.upload import ContentType, Upload, UploadState
from shared.ports import Put
from shared.runtime.access import ROUTES, Caller
from tests.application.builders import CUSTOMER, SUBSCRIPTION, YEAR_START, chargeback
from tests.fakes.services import START
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, Context, claims, http_event, sqs_event
from tests.handlers.test_canaries import (
    ERRORS,
    HANDLERS,
    MAIL,
    NAME,
    TEXT,
    Outputs,
    assert_clean,
    outputs,
)

__all__ = ["outputs"]
STAFF, PNG = "staff:iss#1", b"\x89PNG\r\n\x1a\n" + TEXT.encode()
PORTS = (
    *("store", "billing", "vault", "people", "files", "sign_ins", "bus", "mailer"),
    *("mailbox", "uploads", "scanner"),
)
AT = "2026-03-11T10:00:00Z"
CLAIM = {"invoice": "in_1", "ground": "billing_error", "statement": TEXT}
VIOLATION = {"finding": "terms_breach", "reference": "T-1"}
INCIDENT = {
    "reference": "inc-1",
    "services": ["prod_1"],
    "started_at": "2026-03-09T08:00:00Z",
    "source": "probes",
}
# What each route takes; None where it takes no body.
BODIES: dict[str, Any] = {
    "POST /v1/quotes": {"subscription": SUBSCRIPTION, "timing": "immediately"},
    "POST /v1/cancellations": {"quote_id": "q", "reason": TEXT, "feedback": f"{NAME} {MAIL}"},
    "POST /v1/refund-requests": CLAIM,
    "POST /v1/refund-requests/{id}/evidence": {
        "kind": "identity_document",
        "content_type": "image/png",
        "size": len(PNG),
    },
    "POST /v1/refund-requests/{id}/replies": {"message": TEXT},
    "POST /v1/refund-requests/{id}/callback": {"at": AT},
    "POST /v1/staff/cases": CLAIM | {"customer": CUSTOMER, "channel": "phone"},
    "POST /v1/staff/cases/{customer}/{id}/findings": {"reason": TEXT, "verified": True},
    "POST /v1/staff/cases/{customer}/{id}/questions": {"message": TEXT},
    "POST /v1/staff/cases/{customer}/{id}/callback": {"message": TEXT},
    "POST /v1/staff/cases/{customer}/{id}/evidence": {
        "kind": "screenshot",
        "content_type": "image/png",
        "size": len(PNG),
    },
    "POST /v1/staff/cases/{customer}/{id}/decision": {"decide": "decline", "reason": TEXT},
    "POST /v1/declarations": {
        "kind": "cancellation",
        "name": NAME,
        "contract": f"{SUBSCRIPTION} {TEXT}",
        "email": MAIL,
        "text": TEXT,
    },
    "POST /v1/declarations/{id}/confirmations": {"code": "CODE"},
    "POST /v1/staff/declarations/{id}/matches": {
        "customer": CUSTOMER,
        "subscription": SUBSCRIPTION,
    },
    "POST /v1/incidents": INCIDENT,
    "POST /v1/staff/incidents": INCIDENT,
    "POST /v1/staff/incidents/{id}/credit-batches": {},
    "POST /v1/identities": {"issuer": ISSUER, "subject": NAME, "customer": CUSTOMER},
    "POST /v1/privacy-requests": {"kind": "restriction"},
    "POST /v1/privacy-requests/{id}/confirmation": {"code": TEXT},
    "POST /v1/breach-reports": {"text": TEXT},
    "POST /v1/staff/accounts/{customer}/privacy-requests": {"kind": "objection", "reason": "T-1"},
    "POST /v1/staff/accounts/{customer}/privacy-requests/{id}/steps": {"step": "redact_at_stripe"},
    "POST /v1/staff/accounts/{customer}/legal-holds": {"reference": "court-7/26"},
    "POST /v1/staff/accounts/{customer}/suspensions": VIOLATION,
    "POST /v1/staff/accounts/{customer}/costs": {
        "dispute": "du_1",
        "amount": 100,
        "currency": "usd",
        "what": "lawyer",
        "receipt": "R-1",
    },
    "POST /v1/staff/accounts/{customer}/cancellations": VIOLATION | {"subscription": SUBSCRIPTION},
    "POST /v1/staff/accounts/{customer}/disputes/{id}/decisions": {"decision": "prepare"},
    "POST /v1/staff/accounts/{customer}/collections": {"currency": "usd"},
    "POST /v1/activity": {
        "customer": CUSTOMER,
        "events": [{"at": "2026-02-01T08:00:00Z", "what": TEXT, "ip": MAIL, "device": NAME}],
    },
}
CALLED = [route for route, caller in ROUTES.items() if caller != Caller.STRIPE]


@pytest.fixture
def world(services: HandlerServices) -> HandlerServices:
    """Ann, with something personal in every place, and something under way on every lane."""
    services.people.known[CUSTOMER] = {"name": NAME, "email": MAIL}
    services.billing.emails[CUSTOMER] = MAIL
    invoice = replace(services.billing.invoices["in_1"], customer=CUSTOMER)
    services.billing.invoices["in_1"] = invoice
    link_identity(services, issuer=ISSUER, subject="user-1", customer=CUSTOMER, by="s")
    wanted = OpenCase(invoice="in_1", ground=Ground.BILLING_ERROR, statement=TEXT)
    case = open_case(services, customer=CUSTOMER, wanted=wanted, by=f"customer:{CUSTOMER}").case
    upload = Upload(
        "up-1", CUSTOMER, case.id, "screenshot", ContentType.PNG, 9, UploadState.OFFERED, START, "c"
    )
    services.store.commit([Put(upload, 0)])
    services.uploads.arrived[upload.incoming] = PNG
    due = START + timedelta(days=8)
    services.billing.stories["ch_1"] = ChargeStory(
        "ch_1", YEAR_START, 120_000, "usd", TEXT, NAME, MAIL, TEXT, None
    )
    services.billing.disputes["du_1"] = replace(chargeback(), respond_by=due, network="visa")
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.AT_PERIOD_END
    )
    report_breach(services, customer=CUSTOMER, text=TEXT, call=ClientCall("r", "b", "d"))
    place_hold(services, CUSTOMER, "court-7/26", STAFF)
    outage = Outage(services=("prod_1",), started_at=START - timedelta(days=1))
    record_incident(services, reference="inc-0", outage=outage, source="probes", by="s")
    declared = Declared(DeclarationKind.WITHDRAWAL, NAME, SUBSCRIPTION, MAIL, TEXT)
    take_declaration(services, declared)
    correct = Ask(RequestKind.RECTIFICATION, {"name": NAME, "email": MAIL})
    for ask in (correct, Ask(RequestKind.ACCESS), Ask(RequestKind.ERASURE)):
        open_for(services, customer=CUSTOMER, ask=ask, actor=STAFF, reason="T-1")
    announce_terms(
        services, subject="voip", version="9", wanted_from=START, summary="s", by="operator"
    )
    return services


def ids_of(services: HandlerServices) -> dict[str, list[str]]:
    """The ids that a route's path may name, by the first word of what it is about."""
    found: dict[str, list[str]] = {}
    for item in services.store.table.values():
        found.setdefault(item["sk"].partition("#")[0], []).append(str(item.get("id", "")))
    return found


_ABOUT = {
    "refund-requests": "CASE",
    "cases": "CASE",
    "privacy-requests": "PRIVACY",
    "declarations": "DECLARATION",
    "disputes": "DISPUTE",
    "incidents": "INCIDENT",
    "breach-reports": "BREACH",
}


def request_of(services: HandlerServices, route: str) -> Callable[[], Any]:
    """A call of the route by whoever may, with a body and a path that it takes."""
    known = ids_of(services)
    about = next((_ABOUT[word] for word in route.split("/") if word in _ABOUT), "")
    path = {"id": (known.get(about) or ["0" * 26])[0], "customer": CUSTOMER, "evidence": "up-1"}
    jwt = claims(scope="openid customer service", email=MAIL, name=NAME)
    jwt |= {"cognito:groups": "[agent approver admin auditor]"}
    body: Any = BODIES.get(route)
    if route == "POST /v1/cancellations":
        body |= {"quote_id": known["QUOTE"][0]}
    event = http_event(route, body=body, headers={"idempotency-key": "k"}, path=path, jwt=jwt)
    return lambda: HANDLERS[route](event, Context())


class Failing:
    """All ports together: the call with this number fails."""

    def __init__(self, services: HandlerServices) -> None:
        self._ports = {name: getattr(services, name) for name in PORTS}
        self.at, self.made = 0, 0
        for name, port in self._ports.items():
            setattr(services, name, _Counting(port, self))

    def call(self, method: Callable[..., Any], *args: Any, **named: Any) -> Any:
        self.made += 1
        if self.made == self.at:
            error = ERRORS[self.at % len(ERRORS)]()
            raise error
        return method(*args, **named)

    def at_each(self, flow: Callable[[], Any]) -> Iterator[Any]:
        """What comes of the flow unharmed, and with each of its calls failing, from one state."""
        store = self._ports["store"]
        before = dict(store.table)
        for self.at in count():
            store.table, self.made = dict(before), 0
            yield flow()
            if self.at and self.made < self.at:
                break
        self.at = 0


class _Counting:
    def __init__(self, port: Any, failing: Failing) -> None:
        self._port, self._failing = port, failing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        return lambda *args, **named: self._failing.call(found, *args, **named)


@pytest.mark.clause("privacy.security")
@pytest.mark.parametrize("route", CALLED)
def test_no_route_tells_at_whatever_call_it_breaks_off(
    outputs: Outputs, world: HandlerServices, route: str
):
    flow = request_of(world, route)
    statuses = []
    for answer in Failing(world).at_each(flow):
        statuses.append(answer["statusCode"])
        # What worked gives the caller back what is theirs; a refusal gives nothing.
        assert_clean(outputs, answer if answer["statusCode"] >= 400 else "")
    assert any(status >= 500 for status in statuses) or len(statuses) < 3


FUNCTIONS = {
    Lane.MONEY: "perform_money_effect",
    Lane.CANCELLATION: "perform_cancellation_effect",
    Lane.NOTIFICATION: "perform_notification",
    Lane.PRIVACY: "perform_privacy_effect",
    Lane.EVIDENCE: "perform_evidence_effect",
}


def in_any_case(flow: Callable[[], Any]) -> str:
    """What a handler answers, or what Lambda would log of its failure."""
    try:
        return json.dumps(flow(), default=str)
    except Exception as raised:  # noqa: BLE001 - whatever leaves the handler
        return repr(raised)


def handler_of(function: str) -> Callable[..., Any]:
    handler: Callable[..., Any] = import_module(f"functions.{function}.handler").lambda_handler
    return handler


@pytest.mark.clause("privacy.security")
def test_no_effect_tells_at_whatever_call_it_breaks_off(outputs: Outputs, world: HandlerServices):
    failing, kinds = Failing(world), set()
    for _ in range(3):  # the last time with the erasure, whose cooling-off is over then
        while world.waker.woken:
            customer, name, _delay = world.waker.woken.pop(0)
            stored = world.store.get(Effect, customer, name)
            if stored is None:  # from a flow that broke off before it was committed for good
                continue
            event = sqs_event({"customer": customer, "effect": name})
            handle = partial(handler_of(FUNCTIONS[stored.record.lane]), event, Context())
            for said in failing.at_each(partial(in_any_case, handle)):
                assert_clean(outputs, said)
            kinds.add(stored.record.kind)
        world.clock.advance(days=8)
        world.run_due_work()
    assert kinds >= {
        EffectKind.SEND_MAIL,
        EffectKind.ALERT,
        EffectKind.PUBLISH_EVENT,
        EffectKind.CORRECT_PERSON,
        EffectKind.EXPORT_DATA,
        EffectKind.TELL_OF_TERMS,
        EffectKind.PREPARE_EVIDENCE,
    }


REQUEST = f"""From: {NAME} <{MAIL}>
To: refunds@vendor.example
Subject: Refund Request: A-0001 {TEXT}
Content-Type: text/plain

{TEXT}
"""
RECEIPT = {
    f"{name}Verdict": {"status": "PASS"} for name in ["spf", "dkim", "dmarc", "spam", "virus"]
}
CAME_IN: dict[str, Any] = {
    "receive_mail": {
        "Records": [{"ses": {"mail": {"messageId": "m-1", "source": MAIL}, "receipt": RECEIPT}}]
    },
    "report_incidents": {"source": "monitoring", "detail": INCIDENT},
    "do_due_work": {},
    "purge_records": {},
    "reconcile_with_stripe": {},
}


@pytest.mark.clause("privacy.security")
@pytest.mark.parametrize("function", CAME_IN)
def test_nothing_that_comes_by_itself_tells_at_whatever_call_it_breaks_off(
    outputs: Outputs, world: HandlerServices, function: str
):
    world.clock.advance(days=40)
    handle = partial(handler_of(function), CAME_IN[function], Context())

    def flow() -> str:
        world.mailbox.messages["m-1"] = REQUEST.encode()
        return in_any_case(handle)

    said = list(Failing(world).at_each(flow))
    assert len(said) > 2
    assert_clean(outputs, said)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("function", CAME_IN)
def test_what_is_not_in_the_form_is_not_repeated(outputs: Outputs, function: str):
    odd = {"Records": [{"ses": {MAIL: TEXT}}], "detail": {"reference": TEXT, NAME: MAIL}}
    assert_clean(outputs, in_any_case(partial(handler_of(function), odd, Context())))
