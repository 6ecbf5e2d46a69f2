"""Cancellations out: each message names one stored effect, and one safe attempt is made at it.

Trigger: the queue of effects that change what is billed, with partial batch responses; woken by
commits and by the sweeper.
Idempotency: the effect's key is stored before the call; a repeated message finds the effect ended
or makes the attempt that is safe.
Pace: a worker's changes are so far apart that all workers together stay below Stripe's rate.
Outcomes: counted in `Effects`.
"""

from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.runtime.bootstrap import services_for
from shared.runtime.settings import Effects, Pace, Stripe, Table, Vault
from shared.runtime.sqs import Message, consumer


def perform(message: Message) -> str:
    """One effect."""
    services = services_for(Table, Effects, Stripe, Vault, Pace)
    return perform_effect(services, customer=message["customer"], effect_id=message["effect"])


def note_failure(message: Message) -> None:
    """An attempt that broke off is counted, so that the sweep comes back ever later."""
    services = services_for(Table, Effects, Stripe, Vault, Pace)
    count_failed_attempt(services, customer=message["customer"], effect_id=message["effect"])


lambda_handler = consumer("Effects", perform, note_failure)
