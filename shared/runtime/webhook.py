"""What a delivery of Stripe's must show before anything is believed, and what is kept of it."""

from typing import Any

from shared.adapters.stripe_events import MAX_BODY_BYTES, envelope, parse_event, unusable
from shared.adapters.stripe_signature import verify_signature
from shared.domain.errors import UntrustedError
from shared.runtime.bootstrap import AwsServices
from shared.runtime.http import Request


def trusted_envelope(request: Request, services: AwsServices) -> tuple[dict[str, Any], str | None]:
    """The envelope of a verified event, and why it cannot be used, if so.

    Raises:
        UntrustedError: too large, unsigned, forged, stale, from the future, or not an event.
    """
    body = request.body()
    if len(body) > MAX_BODY_BYTES:
        raise UntrustedError("the body is larger than any event")
    signature = request.headers.get("stripe-signature", "")
    now_seconds = int(services.clock.now().timestamp())
    verify_signature(body, signature, services.webhook_secrets(), now_seconds)
    event = parse_event(body)
    taken = envelope(event)
    return taken, unusable(event, taken, livemode=services.livemode)
