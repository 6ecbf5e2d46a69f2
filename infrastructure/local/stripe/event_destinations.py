"""Event destinations (v2): webhooks of snapshot or thin events, and Amazon EventBridge."""

from infrastructure.local.stripe.clock import format_instant
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.event_forms import retrieved
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

URL = "/v2/core/event_destinations"
KIND = "v2.core.event_destination"


@endpoint(
    "POST",
    URL,
    "type name event_payload enabled_events description metadata webhook_endpoint"
    " amazon_eventbridge include snapshot_api_version",
)
def create_event_destination(store: Store, params: Json) -> Json:
    """Secret and address of a webhook come back only when `include` asks for them (SDK)."""
    kind = params["type"]
    if kind not in params:  # text unverified
        raise invalid(f"You must pass {kind} for this type.", param=kind)
    now = format_instant(store.now())
    destination = store.add(
        KIND,
        created=now,
        description=params.get("description", ""),
        enabled_events=params["enabled_events"],
        event_payload=params["event_payload"],
        metadata=params.get("metadata"),
        name=params["name"],
        snapshot_api_version=params.get("snapshot_api_version"),
        status="enabled",
        type=kind,
        updated=now,
    )
    source = f"aws.partner/stripe.com/{destination['id']}"
    given = params[kind]
    if kind == "amazon_eventbridge":
        region = given["aws_region"]
        destination[kind] = {
            "aws_account_id": given["aws_account_id"],
            "aws_event_source_arn": f"arn:aws:events:{region}::event-source/{source}",
            "aws_event_source_status": "active",
        }
        store.private[destination["id"]] = region
        return destination
    secret = store.identifier("whsec")
    store.private[destination["id"]] = [(secret, None)]
    store.private[destination["id"], "url"] = given["url"]
    asked = params.get("include", [])
    shown = {"signing_secret": secret, "url": given["url"]}
    named = {name: value for name, value in shown.items() if f"{kind}.{name}" in asked}
    return {**destination, kind: {"signing_secret": None, "url": None, **named}}


@endpoint("GET", URL + "/{id}", "include")
def retrieve_event_destination(store: Store, _params: Json, identifier: str) -> Json:
    """Without its secret."""
    return store.get(KIND, identifier)


@endpoint("POST", URL + "/{id}/disable")
def disable(store: Store, _params: Json, identifier: str) -> Json:
    """Nothing is sent until it is enabled again (SDK docstring)."""
    destination = store.get(KIND, identifier)
    destination |= {"status": "disabled", "status_details": {"disabled": {"reason": "user"}}}
    return destination


@endpoint("POST", URL + "/{id}/enable")
def enable(store: Store, _params: Json, identifier: str) -> Json:
    """Sends again; what happened meanwhile is not made up for."""
    destination = store.get(KIND, identifier)
    destination |= {"status": "enabled", "status_details": None}
    return destination


@endpoint("DELETE", URL + "/{id}")
def delete_event_destination(store: Store, _params: Json, identifier: str) -> Json:
    """Answers with the id (SDK: DeletedObject)."""
    store.drop(store.get(KIND, identifier))
    return {"id": identifier, "object": KIND}


@endpoint("GET", "/v2/core/events/{id}")
def retrieve_thin_event(store: Store, _params: Json, identifier: str) -> Json:
    """A thin event with the name of its snapshot."""
    return retrieved(store.get("event", identifier))
