"""Evidence out: prepared, staged, submitted; or a dispute given up. One safe attempt a message.

Trigger: the queue of evidence, with partial batch responses; woken by commits and by the sweeper.
Beside the layer it has what writes documents, so that no other function carries it.
Idempotency: the effect's key is stored before the call; what was submitted is looked up first.
Outcomes: counted in `Effects`.
"""

from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.runtime.bootstrap import services_for
from shared.runtime.settings import Effects, Stripe, Table, Vault
from shared.runtime.sqs import Message, consumer


def perform(message: Message) -> str:
    """One effect."""
    services = services_for(Table, Effects, Stripe, Vault)
    return perform_effect(services, customer=message["customer"], effect_id=message["effect"])


def note_failure(message: Message) -> None:
    """An attempt that broke off is counted, so that the sweep comes back ever later."""
    services = services_for(Table, Effects, Stripe, Vault)
    count_failed_attempt(services, customer=message["customer"], effect_id=message["effect"])


lambda_handler = consumer("Effects", perform, note_failure)
