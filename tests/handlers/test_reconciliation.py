"""The edge of the nightly reconciliation."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.reconcile_with_stripe import handler
from shared.application.handle_dispute import handle_dispute
from shared.application.reconcile import reconcile
from shared.application.reconcile_lists import Scope
from shared.domain.dispute import DisputeOutcome
from shared.domain.network_month import ChargeFacts
from tests.application.builders import chargeback, subscription_facts
from tests.fakes.services import START
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


def test_the_months_disputes_are_measured_with_what_each_network_leaves(
    services: HandlerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[tuple[str, ...], float] = {}

    def note(name: str, value: float, **dimensions: str) -> None:
        seen[name, *dimensions.values()] = value

    monkeypatch.setattr(handler, "measure", note)
    paid = ChargeFacts("ch_1", "visa", paid=True, created_at=START - timedelta(hours=3))
    services.billing.paid_charges.append(paid)
    lost = chargeback(outcome=DisputeOutcome.LOST)
    services.billing.disputes["du_1"] = replace(lost, network="visa", opened_at=START)
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    services.run_effects(rounds=200)
    handler.lambda_handler({"work": "reconcile"}, None)
    assert seen == {
        ("NetworkDisputes", "visa"): 1,
        ("NetworkPayments", "visa"): 1,
        ("NetworkDisputesLeft", "visa"): 1_499,
        ("NetworkDisputes", "mastercard"): 0,
        ("NetworkPayments", "mastercard"): 0,
        ("NetworkDisputesLeft", "mastercard"): 100,
        ("Disputes",): 1,
        ("DisputesWon",): 0,
        ("DisputesLost",): 1,
        ("DisputedAmount", "usd"): 120_000,
    }
