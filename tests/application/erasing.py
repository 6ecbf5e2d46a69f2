"""Ann and her erasure, for the tests of it."""

from typing import Any

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.identify_customer import link_identity
from shared.application.privacy.open_request import Ask, open_request
from shared.application.privacy.report_breach import report_breach
from shared.application.privacy.show_request import show_request
from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Timing
from shared.domain.privacy import Ground, RequestKind
from tests.application.builders import CUSTOMER, SUBSCRIPTION, services_with_annual_plan
from tests.fakes.people import OWN_ISSUER
from tests.fakes.services import FakeServices

STAFF = "staff:https://issuer.example#staff-1"
CANARY = "canary-7f3a-Ann-Example"


def ann() -> FakeServices:
    """Ann, whose plan has run out, with something of hers in every place."""
    made = services_with_annual_plan()
    link_identity(made, issuer=OWN_ISSUER, subject="user-1", customer=CUSTOMER, by="service:s")
    link_identity(made, issuer="https://else.example", subject="u2", customer=CUSTOMER, by="s")
    _cancelled(made)
    call = ClientCall("POST /v1/breach-reports", "breach-1", "d")
    report_breach(made, customer=CUSTOMER, text=CANARY, call=call)
    made.files.put("photo.jpg", CANARY.encode(), customer=CUSTOMER, media_type="image/jpeg")
    made.run_effects()
    return made


def _cancelled(services: FakeServices) -> None:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    confirmed = ConfirmQuote(str(quote["id"]), CANARY, CANARY)
    call = ClientCall("POST /v1/cancellations", "cancel-1", "d")
    cancel_subscription(services, customer=CUSTOMER, request=confirmed, call=call)
    services.run_effects()


def erase(services: FakeServices, ground: Ground = Ground.REQUEST) -> str:
    ask, key = Ask(RequestKind.ERASURE, ground=ground), services.ids.new()
    call = ClientCall("POST /v1/privacy-requests", key, "d")
    answer = open_request(services, customer=CUSTOMER, ask=ask, call=call, is_fresh=True)
    return str(answer.body["id"])


def pass_days(services: FakeServices, days: int) -> None:
    """Let days go by with their due work and what it causes."""
    for _ in range(days):
        services.clock.advance(days=1)
        services.run_due_work()
        services.run_effects()


def shown(services: FakeServices, request: str) -> dict[str, Any]:
    return show_request(services, CUSTOMER, request)


def canaries(services: FakeServices) -> list[str]:
    """Where anything of Ann's can still be read: in the table, the files, the mails' values."""
    places = {
        "table": repr(services.store.table),
        "files": repr(services.files.kept),
        "mails": repr([mail["values"] for mail in services.mailer.sent]),
        "events": repr(services.bus.published),
    }
    return [place for place, text in places.items() if CANARY in text]
