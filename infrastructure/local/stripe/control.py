"""The control plane under `/_local/`: the clock, disputes, faults, settings, and what has happened.

It is this server's own and has no counterpart at Stripe.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from infrastructure.local.stripe import (
    disputes,
    event_forms,
    fraud_warnings,
    payment_links,
    refunds,
    webhooks,
)
from infrastructure.local.stripe.clock import format_instant, parse_instant
from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.service import LocalStripe
from infrastructure.local.stripe.state import SETTINGS, Json, snapshot


def answer(service: LocalStripe, method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Serves one control request: status and document; a bad one gets 400 and a sentence."""
    with service.lock:
        try:
            document = json.loads(body) if body else {}
            if not isinstance(document, dict):
                return HTTPStatus.BAD_REQUEST, {"error": "the body must be a JSON object"}
            return HTTPStatus.OK, _route(service, method, path.removeprefix("/_local/"), document)
        except Refusal as refusal:
            return refusal.status, refusal.body("req_control")
        except LookupError as error:
            return HTTPStatus.NOT_FOUND, {"error": str(error)}
        except (ValueError, TypeError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        finally:
            service.flush()


def _route(service: LocalStripe, method: str, name: str, document: Json) -> Any:
    match method, name.split("/"):
        case "POST", [part] if part in ACTIONS:
            return snapshot(ACTIONS[part](service, document))
        case "POST", [part, identifier] if part in CHANGES:
            return snapshot(CHANGES[part](service.store, identifier, **document))
        case "DELETE", ["faults"]:
            service.faults.clear()
            return []
        case "GET", ["events", form]:
            return event_forms.rendered(service.store, form)
        case "GET", [part] if part in READINGS:
            return READINGS[part](service)
    raise LookupError(f"there is no {method} /_local/{name}")


def _set(service: LocalStripe, document: Json) -> Json:
    """What a person would set in the dashboard."""
    unknown = document.keys() - SETTINGS.keys()
    if unknown:
        raise ValueError(
            f"the settings are {', '.join(SETTINGS)}, not {', '.join(sorted(unknown))}"
        )
    service.store.settings |= document
    return service.store.settings


def _health(service: LocalStripe) -> Json:
    return {
        "status": "defective" if service.store.violations else "ok",
        "stripe": service.sdk.version,
        "api_version": service.sdk.api_version,
        "violations": service.store.violations,
        "objects": {kind: len(table) for kind, table in service.store.tables.items()},
    }


def _clock(service: LocalStripe) -> Json:
    return {
        "now": format_instant(service.clock.now()),
        "offset_seconds": service.clock.offset,
    }


def _move_clock(service: LocalStripe, document: Json) -> Json:
    """Everything due on the way happens before the clock shows the new instant."""
    match document:
        case {"now": str(text), **rest} if not rest:
            instant = parse_instant(text)
        case {"advance_seconds": int() | float() as seconds, **rest} if not rest:
            instant = service.clock.now() + seconds
        case _:
            raise ValueError('the clock takes {"now": RFC 3339} or {"advance_seconds": n}')
    service.clock.must_be_ahead(instant)
    service.run_due(instant)
    service.clock.move_to(instant)
    return _clock(service)


def _reset(service: LocalStripe, _document: Json) -> Json:
    service.reset()
    service.clock.restart()
    return _health(service)


ACTIONS: dict[str, Callable[[LocalStripe, Json], Any]] = {
    "clock": _move_clock,
    "disputes": lambda service, given: disputes.open_dispute(service.store, **given),
    "early_fraud_warnings": lambda service, given: fraud_warnings.warn(service.store, **given),
    "faults": lambda service, given: service.faults.add(given).describe(),
    "reset": _reset,
    "settings": _set,
}
CHANGES: dict[str, Callable[..., Any]] = {
    "disputes": disputes.settle,
    "payment_links": payment_links.pay_link,
    "refunds": refunds.become,
    "webhook_endpoints": webhooks.roll_secret,  # the new secret
}
READINGS: dict[str, Callable[[LocalStripe], Any]] = {
    "health": _health,
    "clock": _clock,
    "faults": lambda service: [fault.describe() for fault in service.faults.active],
    "audit": lambda service: service.faults.audit,
    "settings": lambda service: service.store.settings,
    "deliveries": lambda service: asdict(service.dispatcher.counts),
    "requests": lambda service: snapshot(service.log),
}
