"""Events: what has happened, each with a snapshot of its object at that time."""

from fnmatch import fnmatchcase

from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store
from infrastructure.local.stripe.views import paged, within

URL = "/v1/events"


@endpoint("GET", URL, "type types created delivery_success")
def list_events(store: Store, params: Json) -> Json:
    """By type, where `*` is a wildcard, and by whether all webhooks are delivered (SDK)."""
    patterns = params.get("types") or [params.get("type", "*")]
    success = params.get("delivery_success")
    rows = [
        event
        for event in store.rows("event")
        if any(fnmatchcase(event["type"], pattern) for pattern in patterns)
        and within(event["created"], params.get("created"))
        and (success is None or (event["pending_webhooks"] == 0) == success)
    ]
    return paged(rows, params, URL)


@endpoint("GET", URL + "/{id}")
def retrieve_event(store: Store, _params: Json, identifier: str) -> Json:
    """As it was sent, with the current number of pending webhooks."""
    return store.get("event", identifier)
