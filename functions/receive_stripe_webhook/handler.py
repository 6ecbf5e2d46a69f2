"""Stripe's webhooks in: verify, take the envelope, answer once the queue has it.

Trigger: POST /webhooks/stripe, trusted by signature alone.
Answers: 200 when the event is in a queue (the inbox, or parked with the reason), 400 for whatever
is not trusted, 503 when the queue did not take it, so that Stripe delivers again.
Idempotency: none here; an event delivered twice is two messages, and its consumer knows.
"""

from aws_lambda_powertools.metrics import MetricUnit

from shared.adapters.stripe_events import MAX_BODY_BYTES, envelope, parse_event, unusable
from shared.adapters.stripe_signature import verify_signature
from shared.domain.errors import UntrustedError
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.observability import metrics
from shared.runtime.settings import Webhook


def receive(request: Request) -> Response:
    """One delivery."""
    services = services_for(Webhook)
    body = request.body()
    if len(body) > MAX_BODY_BYTES:
        raise UntrustedError("the body is larger than any event")
    signature = request.headers.get("stripe-signature", "")
    now_seconds = int(services.clock.now().timestamp())
    verify_signature(body, signature, services.webhook_secrets(), now_seconds)
    event = parse_event(body)
    taken = envelope(event)
    reason = unusable(event, taken, livemode=services.livemode)
    if reason is None:
        services.events.put(taken)
    else:
        services.events.park(taken, reason)
        metrics.add_metric(name="ParkedEvents", unit=MetricUnit.Count, value=1)
    return Response(200, {"received": True})


lambda_handler = api({"POST /webhooks/stripe": receive})
