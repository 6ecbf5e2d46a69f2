"""One event of Stripe's: it says which object to look at, and the object says the rest."""

from collections.abc import Mapping
from typing import Any

from shared.application.activate_account import activate_account
from shared.application.adopt_refund import refresh_refund
from shared.application.dun import refresh_invoice
from shared.application.handle_dispute import handle_dispute
from shared.application.judge_fraud_warning import judge_fraud_warning
from shared.application.refresh_subscription import refresh_subscription
from shared.domain.errors import BrokenInvariantError
from shared.ports import Services


def process_stripe_event(services: Services, envelope: Mapping[str, Any]) -> str:
    """What came of it, as a word for the metrics.

    Raises:
        NotReadyError: Stripe does not show the object yet.
        BrokenInvariantError: an envelope of a kind that should have been parked.
    """
    match envelope["object_kind"]:
        case "subscription":
            moved = refresh_subscription(
                services, customer=envelope["customer"], subscription=envelope["object"]
            )
            return "subscription_refreshed" if moved else "nothing_new"
        case "dispute":
            effects = handle_dispute(
                services,
                dispute=envelope["object"],
                event=envelope["event"],
                event_type=envelope["type"],
            )
            return "dispute_" + "_".join(effects)
        case "invoice":
            followed = refresh_invoice(
                services, customer=envelope["customer"], invoice=envelope["object"]
            )
            if envelope["type"] != "invoice.paid":
                return "invoice_" + followed
            activated = activate_account(services, customer=envelope["customer"])
            return f"invoice_{followed}_{activated}"
        case "radar.early_fraud_warning":
            return "fraud_warning_" + judge_fraud_warning(services, warning=envelope["object"])
        case "refund":
            return "refund_" + refresh_refund(services, refund=envelope["object"])
        case kind:
            raise BrokenInvariantError(f"an event about a {kind}")
