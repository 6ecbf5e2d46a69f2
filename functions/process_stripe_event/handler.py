"""Stripe's events, one by one: fetch the object that each is about and act on what it is now.

Trigger: the Stripe events queue, with partial batch responses.
Idempotency: projections are fetched and set under a version; an event that leads to a decision
leaves its id in that decision's transaction.
Outcomes: counted in `StripeEvents`; a failed message returns to the queue, then to its dead-letter
queue.
"""

from shared.application.process_stripe_event import process_stripe_event
from shared.runtime.bootstrap import services_for
from shared.runtime.settings import Effects, Stripe, Table
from shared.runtime.sqs import Message, consumer


def process(message: Message) -> str:
    """One envelope."""
    return process_stripe_event(services_for(Table, Effects, Stripe), message)


lambda_handler = consumer("StripeEvents", process)
