"""The object families that this server has: importing them registers their endpoints."""

from infrastructure.local.stripe import (  # noqa: F401 -- imported for their registrations
    balance,
    catalogue,
    credit_notes,
    customers,
    discounts,
    disputes,
    endings,
    event_destinations,
    intents,
    invoice_items,
    invoices,
    payments,
    refunds,
    resources,
    subscriptions,
    test_clocks,
    webhooks,
)

# The modules of the stripe package that declare these families' endpoints.
SERVICES = (
    "radar/_early_fraud_warning_service",
    "test_helpers/_refund_service",
    "test_helpers/_test_clock_service",
    "v2/core/_event_destination_service",
    "v2/core/_event_service",
    *(
        f"_{name}_service"
        for name in (
            "balance",
            "balance_transaction",
            "charge",
            "coupon",
            "credit_note",
            "credit_note_line_item",
            "credit_note_preview_lines",
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
            "payment_record",
            "price",
            "product",
            "refund",
            "subscription",
            "subscription_item",
            "tax_rate",
            "webhook_endpoint",
        )
    ),
)
