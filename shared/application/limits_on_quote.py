"""What stands between a quote and its money: consent, the switch, caps that are used up."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.application.case_document import instant
from shared.application.money_gate import Windows
from shared.application.plan_refunds import is_statutory
from shared.domain.approval_limits import DEFAULT_LIMITS, Grant, Grants, Need, needed
from shared.domain.controls import OPERATIONS, Controls, RefundCap, window_of
from shared.ports import Services

NONE = {"approval": Need.NOBODY.name.lower(), "delays": []}


def limits_on(
    services: Services, customer: str, document: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """`{approval, delays}`: whose consent the quoted money needs, and what holds it back now.

    Read without a lock: caps fill and empty until the money leaves, so this informs and binds not.
    """
    if document["outcome"] not in ("granted", "needs_approval") or not document["total"]:
        return NONE
    stored = services.store.get(Controls, OPERATIONS)
    controls = stored.record if stored else None
    return {
        "approval": _approval(services, customer, document, controls, now).name.lower(),
        "delays": _delays(services, customer, document, controls, now),
    }


def _approval(
    services: Services,
    customer: str,
    document: Mapping[str, Any],
    controls: Controls | None,
    now: datetime,
) -> Need:
    """The more of what the policy and the limits ask for."""
    if document["outcome"] == "granted":
        return Need.NOBODY
    alone = min((saw["agent_limit"] for saw in _seen(document) if "agent_limit" in saw), default=0)
    by_policy = Need.ONE_PERSON if document["total"] <= alone else Need.TWO_PEOPLE
    limits = controls.limits if controls else DEFAULT_LIMITS
    grants = services.store.get(Grants, customer)
    asked = Grant(now, document["total"], document["currency"])
    need = needed(limits, asked, grants.record if grants else Grants(customer))
    return max(need, by_policy)


def _seen(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [entry["saw"] for entry in document["trace"]]


def _delays(
    services: Services,
    customer: str,
    document: Mapping[str, Any],
    controls: Controls | None,
    now: datetime,
) -> list[dict[str, Any]]:
    if controls is None or not controls.money_moves:
        return [{"lever": "switch", "scope": None, "window": None, "until": None}]
    if is_statutory(document):
        return []
    windows, currency = Windows(services, customer, None, now), document["currency"]
    reached: dict[RefundCap, bool] = {}
    for part in document["allocation"]:
        for cap in windows.take(part["amount"], currency, controls.caps):
            fits = cap.ever_lets(part["amount"], currency)
            reached[cap] = fits and reached.get(cap, True)
    return [
        {
            "lever": "cap",
            "scope": cap.scope.value,
            "window": cap.window.value,
            "until": instant(window_of(cap, now)[1]) if fits else None,
        }
        for cap, fits in reached.items()
    ]
