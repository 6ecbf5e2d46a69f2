"""The world around the local Stripe: its control plane, and the banks behind it."""

from typing import Any

import requests

from infrastructure.local.errors import LaunchError
from infrastructure.local.stack import Stack


def control(stack: Stack, method: str, name: str, body: object = None) -> Any:
    """Call the local Stripe's control plane."""
    answer = requests.request(method, f"{stack.stripe_url}/_local/{name}", json=body, timeout=60)
    if not answer.ok:
        raise LaunchError(f"The local Stripe refused {name}: {answer.text}")
    return answer.json()


def paying_charge(stack: Stack, subscription: str) -> str:
    """Return the charge that paid the latest paid invoice of a subscription."""
    api = stack.stripe.v1
    invoices = api.invoices.list({"subscription": subscription, "status": "paid"})
    payments = api.invoice_payments.list({"invoice": invoices.data[0].id, "status": "paid"})
    intent = api.payment_intents.retrieve(str(payments.data[0].payment.payment_intent))
    return str(intent.latest_charge)


def open_dispute(stack: Stack, charge: str, kind: str) -> str:
    """Let a bank open a dispute (`inquiry` or `chargeback`) about a charge; return its id."""
    dispute = control(stack, "POST", "disputes", {"charge": charge, "kind": kind})
    return str(dispute["id"])


def settle_dispute(stack: Stack, dispute: str, outcome: str) -> None:
    """Let the bank decide: won, lost, escalated or closed."""
    control(stack, "POST", f"disputes/{dispute}", {"outcome": outcome})
