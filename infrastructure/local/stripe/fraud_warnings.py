"""Early fraud warnings: the issuer suspects fraud, and no dispute has come yet."""

from infrastructure.local.stripe.state import Json, Store

KIND = "radar.early_fraud_warning"


def warn(store: Store, *, charge: str, fraud_type: str = "unauthorized_use_of_card") -> Json:
    """A warning about a charge, actionable while it is neither disputed nor refunded (SDK)."""
    suspected = store.get("charge", charge)
    warning = store.add(
        KIND,
        actionable=not (suspected["disputed"] or suspected["refunded"]),
        charge=charge,
        fraud_type=fraud_type,
        payment_intent=suspected["payment_intent"],
    )
    store.emit(f"{KIND}.created", warning)
    return warning


def answered(store: Store, charge: Json) -> None:
    """A dispute or a full refund leaves nothing to do about a warning (SDK docstring)."""
    for warning in store.rows(KIND):
        if warning["charge"] == charge["id"]:
            store.change(warning, f"{KIND}.updated", actionable=False)
