"""The endpoints of invoices and of their payments."""

from typing import Any

from infrastructure.local.stripe import billing, discounts, invoice_items, invoice_payments
from infrastructure.local.stripe.catalogue import tax_rates
from infrastructure.local.stripe.customers import method_of
from infrastructure.local.stripe.errors import invalid, missing
from infrastructure.local.stripe.intents import declined
from infrastructure.local.stripe.invoice_lines import compute_totals
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import includable, paged

URL = billing.URL


@endpoint(
    "POST",
    URL,
    "customer subscription auto_advance collection_method currency days_until_due due_date"
    " default_payment_method default_tax_rates description metadata pending_invoice_items_behavior"
    " discounts",
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
            raise invalid(
                "Nothing to invoice for subscription", code="invoice_no_subscription_line_items"
            )
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
    if "discounts" in params:
        given = params["discounts"]
        invoice["discounts"] = discounts.redeem(store, given, currency, invoice=invoice["id"])
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
        raise invalid(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or"
            " 'days_until_due'."
        )
    if dated and not sent:
        raise invalid(
            "You can only specify 'due_date' or 'days_until_due' if invoice collection method is"
            " 'send_invoice'."
        )


@endpoint("GET", URL + "/{id}/lines")
def list_lines(store: Store, params: Json, identifier: str) -> Json:
    """All lines in their order."""
    invoice = store.get("invoice", identifier)
    return paged(invoice["lines"]["data"], params, f"{URL}/{identifier}/lines")


@endpoint(
    "POST",
    URL + "/{id}/lines/{line}",
    "amount quantity description discounts tax_rates period",
)
def update_line(store: Store, params: Json, identifier: str, name: str) -> Json:
    """A line of a draft, edited by hand: a subscription's item stays as it is (SDK docstring).

    A `quantity` alone charges so many at the line's price (unverified).
    """
    invoice = store.get("invoice", identifier)
    if invoice["status"] != "draft":
        raise invalid(
            "Finalized invoices can't be updated in this way", code="invoice_not_editable"
        )
    line = next((one for one in invoice["lines"]["data"] if one["id"] == name), None)
    if line is None:
        raise missing("line item", name, "line_item_id")
    if "quantity" in params and "amount" not in params:
        params["amount"] = line["amount"] * params["quantity"] // line["quantity"]
    for member in ("amount", "quantity", "description", "period"):
        if member in params:
            line[member] = params[member]
    line |= {"subtotal": line["amount"], "quantity_decimal": str(line["quantity"])}
    if "discounts" in params:
        given, currency = params["discounts"], invoice["currency"]
        line["discounts"] = discounts.redeem(store, given, currency, invoice=identifier)
    if "tax_rates" in params:
        store.private[name] = tax_rates(store, params["tax_rates"] or [])
    compute_totals(store, invoice)
    store.emit("invoice.updated", invoice, {})
    edited: Json = line
    return edited


@endpoint(
    "POST", URL + "/{id}", "auto_advance description metadata due_date days_until_due discounts"
)
def update_invoice(store: Store, params: Json, identifier: str) -> Json:
    """`auto_advance` stops and resumes collection; once finalized little else changes (SDK)."""
    invoice = store.get("invoice", identifier)
    for name in ("description", "discounts"):
        if name in params and invoice["status"] != "draft":  # probe
            raise invalid("Finalized invoices can't be updated in this way", param=name)
    if "discounts" in params:
        given, currency = params["discounts"], invoice["currency"]
        invoice["discounts"] = discounts.redeem(store, given, currency, invoice=identifier)
        compute_totals(store, invoice)
        store.emit("invoice.updated", invoice, {})
    skipped = ("days_until_due", "discounts")
    changes: dict[str, Any] = {k: v for k, v in params.items() if k not in skipped}
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
        raise invalid("You can only delete draft invoices.", code="invoice_not_editable")
    if invoice["parent"] is not None:  # text as reported by users
        raise invalid("You can't delete invoices created by subscriptions.")
    store.emit("invoice.deleted", invoice)
    return store.drop(invoice)


@endpoint("POST", URL + "/{id}/finalize", "auto_advance")
def finalize_invoice(store: Store, params: Json, identifier: str) -> Json:
    """Draft → open now, instead of in an hour."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] != "draft":  # recorded
        raise invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            code="invoice_not_editable",
        )
    if "auto_advance" in params:
        invoice["auto_advance"] = params["auto_advance"]
    billing.finalize(store, invoice, later=invoice["auto_advance"])
    return invoice


@endpoint("POST", URL + "/{id}/send")
def send_invoice(store: Store, _params: Json, identifier: str) -> Json:
    """Mails the hosted page of an invoice that is paid by hand (SDK); no mail leaves from here."""
    invoice = store.get("invoice", identifier)
    if invoice["collection_method"] != "send_invoice":  # text unverified
        raise invalid("You can only manually send an invoice if it is set to be sent.")
    if invoice["status"] == "draft":
        billing.finalize(store, invoice)
    store.emit("invoice.sent", invoice)
    return invoice


@endpoint("POST", URL + "/{id}/pay", "payment_method paid_out_of_band off_session")
def pay_invoice(store: Store, params: Json, identifier: str) -> Json:
    """Collects now, or notes that it was paid elsewhere; a decline is a 402 (recorded)."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] == "paid":  # recorded
        raise invalid("Invoice is already paid")
    if invoice["status"] == "draft":
        billing.finalize(store, invoice)
    if invoice["status"] == "paid":  # nothing was due once it was finalized
        return invoice
    if invoice["status"] not in ("open", "uncollectible"):  # text unverified
        raise invalid(f"This invoice can't be paid: it is {invoice['status']}.")
    if params.get("paid_out_of_band"):
        billing.pay_outside(store, invoice)
        return invoice
    method = billing.method_for(store, invoice)
    if "payment_method" in params:
        method = method_of(store, params["payment_method"])
    if not billing.collect(store, invoice, method):
        _, intent = invoice_payments.own_payment(store, invoice)
        charge = intent["latest_charge"]
        raise declined(store, store.get("charge", charge) if charge else None)
    return invoice


@endpoint("POST", URL + "/{id}/attach_payment", "payment_intent payment_record")
def attach_payment(store: Store, params: Json, identifier: str) -> Json:
    """Adds a payment to an open invoice; one that has succeeded pays at once (SDK docstring)."""
    invoice = store.get("invoice", identifier)
    _must_be_open(invoice)
    kinds = [kind for kind in ("payment_intent", "payment_record") if kind in params]
    if len(kinds) != 1:  # text unverified
        raise invalid("You must pass either payment_intent or payment_record.")
    kind = kinds[0]
    source = store.get(kind, params[kind], kind)
    currency = source["currency"] if kind == "payment_intent" else source["amount"]["currency"]
    if currency != invoice["currency"]:  # text unverified
        raise invalid(
            f"The payment is in {currency}, the invoice in {invoice['currency']}.", param=kind
        )
    row = invoice_payments.attach(store, invoice, kind, source)
    if kind == "payment_record" or source["status"] == "succeeded":
        billing.receive(store, invoice, row)
    return invoice


def _must_be_open(invoice: Json) -> None:
    if invoice["status"] != "open":  # probe
        raise invalid("You can only pass in open invoices. This invoice isn't open.")


@endpoint("POST", URL + "/{id}/void")
def void_invoice(store: Store, _params: Json, identifier: str) -> Json:
    """Open → void, for good; a draft must be finalized first (probe)."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] == "paid" or invoice["amount_paid"]:  # probe
        raise invalid("Invoices with `paid` payments cannot be voided.")
    if invoice["status"] != "uncollectible":
        _must_be_open(invoice)
    billing.void(store, invoice)
    return invoice


@endpoint("POST", URL + "/{id}/mark_uncollectible")
def mark_uncollectible(store: Store, _params: Json, identifier: str) -> Json:
    """Open → uncollectible (probe)."""
    invoice = store.get("invoice", identifier)
    if invoice["status"] == "uncollectible":  # probe
        raise invalid("This invoice has already been marked uncollectible.")
    _must_be_open(invoice)
    billing.write_off(store, invoice)
    return invoice


def _payments(store: Store, invoice: Json) -> Json:
    rows = invoice_payments.payments_of(store, invoice)
    return paged(rows, {}, f"{URL}/{invoice['id']}/payments")


includable["invoice", "payments"] = _payments
