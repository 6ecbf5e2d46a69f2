"""Handlers under test get fakes of every port in place of the composition root."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from shared.runtime import settings as parts
from tests.application.builders import services_with_annual_plan
from tests.fakes.services import FakeServices
from tests.infrastructure.cloudformation import ROOT

WEBHOOK_SECRET = "whsec_test"


class HandlerServices(FakeServices):
    """Fakes with what only the edge asks for: settings, the inbox, the webhook's secrets."""

    def __init__(self) -> None:
        super().__init__()
        self.inbox: list[dict[str, Any]] = []
        self.parked: list[tuple[dict[str, Any], str]] = []
        self.events = SimpleNamespace(
            put=self.inbox.append, park=lambda envelope, why: self.parked.append((envelope, why))
        )
        self.brought_back: list[tuple[str, int]] = []
        self.settings = parts.Settings(
            {
                parts.CustomerApi: parts.CustomerApi("customer"),
                parts.ServiceApi: parts.ServiceApi("service"),
                parts.Pace: parts.Pace(20, 10),
                parts.StaffApi: parts.StaffApi("cognito:groups"),
                parts.Inbox: parts.Inbox("inbound", "refunds@vendor.example"),
            }
        )

    def bring_back(self, record: Mapping[str, Any], seconds: int) -> None:
        self.brought_back.append((record["messageId"], seconds))

    def webhook_secrets(self) -> list[str]:
        return [WEBHOOK_SECRET]


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> HandlerServices:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "fairexit")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Fairexit")
    made = HandlerServices()
    ready = services_with_annual_plan()
    made.store, made.billing, made.clock = ready.store, ready.billing, ready.clock
    for handler in ROOT.glob("functions/*/handler.py"):
        if "services_for" in handler.read_text():
            place = f"functions.{handler.parent.name}.handler.services_for"
            monkeypatch.setattr(place, lambda *_wanted: made, raising=True)
    monkeypatch.setattr("shared.runtime.bootstrap.received_messages", lambda: made)
    return made
