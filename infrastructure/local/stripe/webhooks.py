"""Webhook endpoints, and which events go to which address in which form."""

import hashlib
import hmac
import json
from fnmatch import fnmatchcase

from infrastructure.local.stripe import event_forms
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.resources import updated
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Delivery, Json, Store

URL = "/v1/webhook_endpoints"
DESTINATION = "v2.core.event_destination"


@endpoint("POST", URL, "url enabled_events api_version description metadata")
def create_webhook_endpoint(store: Store, params: Json) -> Json:
    """The secret is in this answer only (SDK docstring of `secret`)."""
    version = params.get("api_version", store.sdk.api_version)
    if version != store.sdk.api_version:  # text unverified
        raise invalid(f"Invalid Stripe API version: {version}", param="api_version")
    thing = store.add(
        "webhook_endpoint",
        api_version=params.get("api_version"),
        description=params.get("description"),
        enabled_events=params["enabled_events"],
        metadata=params.get("metadata"),
        status="enabled",
        url=params["url"],
    )
    secret = store.identifier("whsec")
    store.private[thing["id"]] = [(secret, None)]
    return {**thing, "secret": secret}


@endpoint("POST", URL + "/{id}", "url enabled_events description metadata disabled")
def update_webhook_endpoint(store: Store, params: Json, identifier: str) -> Json:
    """A disabled one gets nothing (SDK docstring)."""
    thing = store.get("webhook_endpoint", identifier)
    changes = {name: value for name, value in params.items() if name != "disabled"}
    if "disabled" in params:
        changes["status"] = "disabled" if params["disabled"] else "enabled"
    return updated(store, thing, "", changes)


@endpoint("DELETE", URL + "/{id}")
def delete_webhook_endpoint(store: Store, _params: Json, identifier: str) -> Json:
    """Ends its deliveries; what is under way is still tried."""
    return store.drop(store.get("webhook_endpoint", identifier))


def roll_secret(store: Store, identifier: str, *, expires_after_seconds: int = 0) -> str:
    """A new secret; the old one signs along until it expires (documentation; in the dashboard)."""
    new = store.identifier("whsec")
    until = store.now() + expires_after_seconds
    held = [(secret, until) for secret in secrets_of(store, identifier)]
    store.private[identifier] = [(new, None), *held]
    return new


def secrets_of(store: Store, identifier: str) -> tuple[str, ...]:
    """The secrets that hold now, the newest first."""
    held = store.private[identifier]
    return tuple(secret for secret, until in held if until is None or until > store.now())


def enqueue(store: Store, event: Json) -> None:
    """Addresses a new event to everything that wants it; called for each event."""
    wanting = [
        (thing, event)
        for thing in store.rows("webhook_endpoint")
        if thing["status"] == "enabled" and _wants(thing, event["type"])
    ]
    for thing in store.rows(DESTINATION):
        is_thin = thing["event_payload"] == "thin"
        kind = event_forms.thin_type(event["type"]) if is_thin else event["type"]
        if thing["status"] == "enabled" and _wants(thing, kind):
            wanting.append((thing, event_forms.thin(event) if is_thin else event))
    event["pending_webhooks"] = len(wanting)
    for thing, form in wanting:
        _address(store, thing, event["id"], form)


def _wants(thing: Json, kind: str) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in thing["enabled_events"])


def _address(store: Store, thing: Json, event: str, form: Json) -> None:
    if thing.get("type") == "amazon_eventbridge":
        url = store.settings["eventbridge_url"]
        secrets: tuple[str, ...] = ()
        form = event_forms.eventbridge(form, thing["id"], store.private[thing["id"]])
        if url is None:  # there is no bus to put it on
            return
    else:
        secrets = secrets_of(store, thing["id"])
        url = thing.get("url") or store.private[thing["id"], "url"]
    # Stripe indents webhook bodies by two (recorded).
    body = json.dumps(form, indent=2).encode()
    store.outbox.append(Delivery(thing["id"], url, secrets, event, body))


def signature(secrets: tuple[str, ...], body: bytes, instant: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `t.body`, one by each secret (documented)."""
    message = f"{instant}.".encode() + body
    digests = [hmac.new(one.encode(), message, hashlib.sha256).hexdigest() for one in secrets]
    return ",".join([f"t={instant}", *(f"v1={digest}" for digest in digests)])
