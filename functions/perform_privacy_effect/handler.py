"""Exports, corrections, erasures and notices of terms: each message names one step of them.

Trigger: the queue of privacy effects, with partial batch responses; woken by commits and by the
sweeper.
Idempotency: a correction carries its persisted key; every other step may be repeated.
Outcomes: counted in `Effects`.
"""

from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.runtime.bootstrap import AwsServices, services_for
from shared.runtime.settings import Effects, Files, SignIns, Stripe, Table, Vault
from shared.runtime.sqs import Message, consumer


def _services() -> AwsServices:
    return services_for(Table, Effects, Vault, Stripe, Files, SignIns)


def perform(message: Message) -> str:
    """One effect."""
    return perform_effect(_services(), customer=message["customer"], effect_id=message["effect"])


def note_failure(message: Message) -> None:
    """An attempt that broke off is counted, so that the sweep comes back ever later."""
    customer, effect = message["customer"], message["effect"]
    count_failed_attempt(_services(), customer=customer, effect_id=effect)


lambda_handler = consumer("Effects", perform, note_failure)
