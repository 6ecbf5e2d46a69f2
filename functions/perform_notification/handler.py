"""Mails and domain events out: each message names one, and one safe attempt is made at it.

Trigger: the queue of notifications, with partial batch responses; woken by commits and by the
sweeper.
Idempotency: none but a stable id; an effect that has ended is not sent again.
Outcomes: counted in `Effects`.
"""

from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.runtime.bootstrap import services_for
from shared.runtime.settings import Effects, Messages, Stripe, Table, Vault
from shared.runtime.sqs import Message, consumer


def perform(message: Message) -> str:
    """One effect."""
    services = services_for(Table, Effects, Stripe, Vault, Messages)
    return perform_effect(services, customer=message["customer"], effect_id=message["effect"])


def note_failure(message: Message) -> None:
    """An attempt that broke off is counted, so that the sweep comes back ever later."""
    services = services_for(Table, Effects, Stripe, Vault, Messages)
    count_failed_attempt(services, customer=message["customer"], effect_id=message["effect"])


lambda_handler = consumer("Effects", perform, note_failure)
