"""The endpoints of invoices and of their payments."""

from typing import Any

from infrastructure.local.stripe import billing, invoice_items
from infrastructure.local.stripe.catalogue import tax_rates
from infrastructure.local.stripe.errors import Refusal, invalid
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import includable, paged, within

URL = billing.URL
PAYMENTS = "/v1/invoice_payments"
PAYMENT_REQUIRED = 402


@endpoint(
    "POST",
    URL,
    "customer subscription auto_advance collection_method currency days_until_due due_date"
    " default_payment_method default_tax_rates description metadata pending_invoice_items_behavior",
)
def create_invoice(store: Store, params: Json) -> Json:
    """A draft by hand; with `subscription` it takes that subscription's pending items (SDK).

    `pending_invoice_items_behavior` is `exclude` unless given (SDK docstring).
    """
    _check_due_date(params)
    subscription = None
    if "subscription" in params:
        subscription = store.get("subscription", params["subscription"], "subscription")
    owner = subscription["customer"] if subscription else params.get("customer", "")
    customer = store.get("customer", owner, "customer")
    currency = subscription["currency"] if subscription else params.get("currency")
    currency = (currency or customer["currency"] or "usd").lower()
    items = invoice_items.pending(store, customer["id"], currency)
    if subscription:
        items = [i for i in items if invoice_items.subscription_id(i) == subscription["id"]]
        if not items:  # text as reported by users
            message = "Nothing to invoice for subscription"
            raise invalid(message, code="invoice_no_subscription_line_items")
    elif params.get("pending_invoice_items_behavior", "exclude") == "exclude":
        items = []
    invoice = billing.draft(store, customer, currency, "manual", subscription)
    for name in ("collection_method", "default_payment_method", "description", "due_date"):
        if name in params:
            invoice[name] = params[name]
    if "days_until_due" in params:
        invoice["due_date"] = store.now() + params["days_until_due"] * billing.DAY
    if "default_tax_rates" in params:
        invoice["default_tax_rates"] = tax_rates(store, params["default_tax_rates"])
    invoice["metadata"] = merge_metadata({}, params.get("metadata"))
    invoice["auto_advance"] = params.get("auto_advance", False)
    invoice_items.put_on(store, invoice, items)
    billing.opened(store, invoice)
    return invoice


def _check_due_date(params: Json) -> None:
    """A due date belongs to invoices that are sent, and to those only (probe)."""
    dated = "due_date" in params or "days_until_due" in params
    sent = params.get("collection_method") == "send_invoice"
    if sent and not dated:
        message = (
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or"
            " 'days_until_due'."
        )
        raise invalid(message)
    if dated and not sent:
        message = (
            "You can only specify 'due_date' or 'days_until_due' if invoice collection method is"
            " 'send_invoice'."
        )
        raise invalid(message)


@endpoint("GET", URL, "customer subscription status collection_method created due_date")
def list_invoices(store: Store, params: Json) -> Json:
    """By customer, subscription, status and collection method, the newest first."""
    wanted = params.get("subscription")
    rows = [
        invoice
        for invoice in store.rows("invoice")
        if all(
            params.get(name) in (None, invoice[name])
            for name in ("customer", "status", "collection_method")
        )
        and (wanted is None or (billing.subscription_of(store, invoice) or {}).get("id") == wanted)
        and within(invoice["created"], params.get("created"))
        and within(invoice["due_date"], params.get("due_date"))
    ]
    return paged(rows, params, URL)


@endpoint("GET", URL + "/{id}")
def retrieve_invoice(store: Store, _params: Json, identifier: str) -> Json:
    """One invoice; this endpoint and DELETE name `invoice` in a 404, the others `id` (probe)."""
    return store.get("invoice", identifier, "invoice")


@endpoint("GET", URL + "/{id}/lines")
def list_lines(store: Store, params: Json, identifier: str) -> Json:
    """All lines in their order."""
    invoice = store.get("invoice", identifier)
    return paged(invoice["lines"]["data"], params, f"{URL}/{identifier}/lines")


@endpoint("POST", URL + "/{id}", "auto_advance description metadata due_date days_until_due")
def update_invoice(store: Store, params: Json, identifier: str) -> Json:
    """`auto_advance` stops and resumes collection; once finalized little else changes (SDK)."""
    invoice = store.get("invoice", identifier)
    if "description" in params and invoice["status"] != "draft":  # probe
        message = "Finalized invoices can't be updated in this way"
        raise invalid(message, param="description")
    changes: dict[str, Any] = {k: v for k, v in params.items() if k != "days_until_due"}
    if "metadata" in params:
        changes["metadata"] = merge_metadata(invoice["metadata"], params["metadata"])
    if "days_until_due" in params:
        changes["due_date"] = store.now() + params["days_until_due"] * billing.DAY
    match params.get("auto_advance"):
        case False:
            changes |= {"automatically_finalizes_at": None, "next_payment_attempt": None}
        case True if not invoice["auto_advance"]:
            if invoice["status"] == "draft":
                changes |= billing.draft_window(store, invoice)
            elif invoice["status"] == "open":  # within about an hour (documentation)
                changes["next_payment_attempt"] = store.now() + billing.DRAFT_SECONDS
                store.schedule(changes["next_payment_attempt"], "collect", identifier)
    return store.change(invoice, "invoice.updated", **changes)


@endpoint("DELETE", URL + "/{id}")
def delete_invoice(store: Store, _params: Json, identifier: str) -> Json:
    """Only a one-off draft: a subscription's must be finalized and voided (SDK docstring).

    Its items go down with it: they are not pending again (probe).
    """
    invoice = store.get("invoice", identifier, "invoice")
    if invoice["status"] != "draft":  # recorded
        message = "You can only delete draft invoices."
        raise invalid(message, code="invoice_not_editable")
    if invoice["parent"] is not None:  # text as reported by users
        message = "You can't delete invoices created by subscriptions."
        raise invalid(message)
    store.emit("invoice.deleted", invoice)
    return store.drop(invoice)


@endpoint("POST", URL + "/{id}/finalize", "auto_advance")
def finalize_invoice(store: Store, params: Json, identifier: str) -> Json:
    """Draft → open now, instead of in an hour."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] != "draft":  # recorded
        message = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        raise invalid(message, code="invoice_not_editable")
    if "auto_advance" in params:
        invoice["auto_advance"] = params["auto_advance"]
    billing.finalize(store, invoice)
    if invoice["status"] == "open" and invoice["auto_advance"]:
        billing.plan_attempt(store, invoice, store.now() + billing.DRAFT_SECONDS)
    return invoice


@endpoint("POST", URL + "/{id}/pay", "payment_method")
def pay_invoice(store: Store, params: Json, identifier: str) -> Json:
    """Collects now; a decline is a 402 card error (recorded)."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] == "paid":  # recorded
        message = "Invoice is already paid"
        raise invalid(message)
    if invoice["status"] == "draft":
        billing.finalize(store, invoice)
    if invoice["status"] != "open":  # text unverified
        message = f"This invoice can't be paid: it is {invoice['status']}."
        raise invalid(message)
    method = billing.method_for(store, invoice)
    if "payment_method" in params:
        method = store.get("payment_method", params["payment_method"], "payment_method")
    if not billing.collect(store, invoice, method):
        raise Refusal(
            PAYMENT_REQUIRED,
            "Your card was declined.",
            kind="card_error",
            code="card_declined",
            decline_code="generic_decline",
        )
    return invoice


def _must_be_open(invoice: Json) -> None:
    if invoice["status"] != "open":  # probe
        message = "You can only pass in open invoices. This invoice isn't open."
        raise invalid(message)


@endpoint("POST", URL + "/{id}/void")
def void_invoice(store: Store, _params: Json, identifier: str) -> Json:
    """Open → void, for good; a draft must be finalized first (probe)."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] == "paid":  # probe
        message = "Invoices with `paid` payments cannot be voided."
        raise invalid(message)
    _must_be_open(invoice)
    billing.void(store, invoice)
    return invoice


@endpoint("POST", URL + "/{id}/mark_uncollectible")
def mark_uncollectible(store: Store, _params: Json, identifier: str) -> Json:
    """Open → uncollectible (probe)."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] == "uncollectible":  # probe
        message = "This invoice has already been marked uncollectible."
        raise invalid(message)
    _must_be_open(invoice)
    billing.write_off(store, invoice)
    return invoice


@endpoint("GET", PAYMENTS, "invoice payment status created")
def list_invoice_payments(store: Store, params: Json) -> Json:
    """By invoice, or from a payment intent back to its invoice (SDK)."""
    given = params.get("payment", {})
    if given.get("type", "payment_intent") != "payment_intent":
        return paged([], params, PAYMENTS)
    rows = [
        row
        for row in store.rows("invoice_payment")
        if params.get("invoice") in (None, row["invoice"])
        and params.get("status") in (None, row["status"])
        and given.get("payment_intent") in (None, row["payment"]["payment_intent"])
        and within(row["created"], params.get("created"))
    ]
    return paged(rows, params, PAYMENTS)


@endpoint("GET", PAYMENTS + "/{id}")
def retrieve_invoice_payment(store: Store, _params: Json, identifier: str) -> Json:
    """One invoice payment."""
    return store.get("invoice_payment", identifier)


def _payments(store: Store, invoice: Json) -> Json:
    return paged(billing.payments_of(store, invoice), {}, f"{URL}/{invoice['id']}/payments")


includable["invoice", "payments"] = _payments
