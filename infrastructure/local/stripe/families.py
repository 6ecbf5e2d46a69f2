"""The object families that this server has: importing them registers their endpoints."""

from infrastructure.local.stripe import (  # noqa: F401 -- imported for their registrations
    balance,
    catalogue,
    credit_notes,
    customers,
    disputes,
    events,
    invoice_items,
    invoices,
    payments,
    refunds,
    subscriptions,
    webhooks,
)

# The modules of the stripe package that declare these families' endpoints.
SERVICES = tuple(
    f"_{name}_service"
    for name in (
        "balance_transaction",
        "charge",
        "credit_note",
        "credit_note_line_item",
        "customer",
        "customer_balance_transaction",
        "dispute",
        "event",
        "invoice",
        "invoice_item",
        "invoice_line_item",
        "invoice_payment",
        "payment_intent",
        "payment_method",
        "price",
        "product",
        "refund",
        "subscription",
        "subscription_item",
        "tax_rate",
        "webhook_endpoint",
    )
)
