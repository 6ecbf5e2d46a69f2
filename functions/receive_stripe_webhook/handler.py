"""Stripe's webhooks in: verify, take the envelope, answer once the queue has it.

Trigger: POST /webhooks/stripe, trusted by signature alone.
Answers: 200 when the event is in a queue (the inbox, or parked with the reason), 400 for whatever
is not trusted, 503 when the queue did not take it, so that Stripe delivers again.
Idempotency: none here; an event delivered twice is two messages, and its consumer knows.
"""

from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.observability import count
from shared.runtime.settings import Webhook
from shared.runtime.webhook import trusted_envelope


def receive(request: Request) -> Response:
    """One delivery."""
    services = services_for(Webhook)
    envelope, unusable_because = trusted_envelope(request, services)
    if unusable_because is None:
        services.events.put(envelope)
    else:
        services.events.park(envelope, unusable_because)
        count("ParkedEvents", reason=unusable_because)
    return Response(200, {"received": True})


lambda_handler = api({"POST /webhooks/stripe": receive})
