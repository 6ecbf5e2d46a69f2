"""The edge of the nightly reconciliation."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from functions.reconcile_with_stripe import handler
from shared.application.reconcile import reconcile
from shared.application.reconcile_lists import Scope
from tests.application.builders import chargeback, subscription_facts
from tests.handlers.conftest import HandlerServices


def test_divergences_are_counted_by_outcome_and_told_without_payloads(
    services: HandlerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    log = SimpleNamespace(
        **dict.fromkeys(("info", "warning", "error"), lambda _message, **said: told.append(said))
    )
    monkeypatch.setattr(handler, "logger", lambda: log)
    everyone = Scope(everyone=True)
    monkeypatch.setattr(
        handler, "reconcile", lambda ports, **how: reconcile(ports, everyone, **how)
    )
    services.billing.disputes["du_1"] = chargeback()
    broken = ("CUST#cus_broken", "PAYMENT#pi_9")
    services.store.table[broken] = {"pk": broken[0], "sk": broken[1], "version": 1}
    other = replace(subscription_facts(), id="sub_9", customer="cus_broken")
    services.billing.known_subscriptions["sub_9"] = other
    services.clock.advance(hours=2)
    assert handler.lambda_handler({"work": "reconcile"}, None) == {"repaired": 1, "failed": 1}
    (found,) = [said for said in told if said.get("kind") == "dispute_unknown_here"]
    assert (found["subject"], found["outcome"]) == ("du_1", "repaired")
    assert [said["step"] for said in told if "step" in said][:2] == ["0 refunds", "1 disputes"]


def test_nothing_that_differs_is_nothing_counted(services: HandlerServices) -> None:
    services.clock.advance(hours=2)
    assert handler.lambda_handler({"work": "reconcile"}, None) == {}
