"""Credit notes: what they take back from an invoice, and where it goes.

The part taken from what an open invoice still asks for lowers it; the rest must be spoken for by
linked refunds, a new refund, account credit or money outside Stripe (SDK docstrings).
"""

from dataclasses import dataclass

from infrastructure.local.stripe import billing, credit_links, refunds
from infrastructure.local.stripe.catalogue import total_taxes, updated
from infrastructure.local.stripe.credit_lines import credit_lines
from infrastructure.local.stripe.customers import adjust_balance
from infrastructure.local.stripe.errors import invalid, money
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import listing, page, paged

URL = "/v1/credit_notes"
TAKES = (
    "invoice amount lines credit_amount refund_amount out_of_band_amount refunds reason memo"
    " metadata email_type effective_at"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A credit note that has been checked and not yet issued; `values` are the object's fields."""

    invoice: Json
    values: Json
    lines: list[Json]
    refund_amount: int
    credit_amount: int


@endpoint("POST", URL, TAKES)
def create_credit_note(store: Store, params: Json) -> Json:
    """Issues a credit note and moves the money that it says.

    `email_type` defaults to `credit_note`, which mails the customer (SDK); no mail is sent here,
    and the choice is kept apart for whoever asks.
    """
    note = _draft(store, params)
    links = list(note.values["refunds"])
    if note.refund_amount:
        refund = refunds.issue(
            store, credit_links.charge_of(store, note.invoice), note.refund_amount
        )
        links.append(credit_links.link_to(refund["id"], note.refund_amount))
    number = 1 + sum(cn["invoice"] == note.invoice["id"] for cn in store.rows("credit_note"))
    thing = store.add(
        "credit_note",
        "cn",
        {**note.values, "refunds": links, "number": f"{note.invoice['number']}-CN-{number:02}"},
    )
    thing["pdf"] = f"https://pay.stripe.com/credit_notes/local/{thing['id']}/pdf"
    for line in note.lines:
        line["id"] = store.identifier("cnli")
    thing["lines"] = page(note.lines, f"{URL}/{thing['id']}/lines")
    store.private[thing["id"]] = params.get("email_type", "credit_note")
    if note.credit_amount:
        customer = store.get("customer", note.invoice["customer"])
        thing["customer_balance_transaction"] = adjust_balance(
            store,
            customer,
            -note.credit_amount,
            note.invoice["currency"],
            "credit_note",
            credit_note=thing["id"],
        )["id"]
    store.emit("credit_note.created", thing)
    _lower_invoice(store, note.invoice, thing)
    return thing


def _lower_invoice(store: Store, invoice: Json, note: Json) -> None:
    for part in ("pre_payment", "post_payment"):
        name = f"{part}_credit_notes_amount"
        amount = invoice[name] + note[f"{part}_amount"]
        store.change(invoice, "invoice.updated", **{name: amount})
    if note["pre_payment_amount"]:
        billing.credit_open(store, invoice, note["pre_payment_amount"])


def _draft(store: Store, params: Json) -> Draft:
    """Checks everything before anything changes."""
    invoice = store.get("invoice", params["invoice"], "invoice")
    if invoice["status"] not in ("open", "paid"):  # text unverified
        message = f"You cannot create a credit note for an invoice that is {invoice['status']}."
        raise invalid(message, param="invoice")
    lines = credit_lines(store, invoice, params)
    taxes = total_taxes(lines)
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    included = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal + added
    before = min(total, invoice["amount_remaining"]) if invoice["status"] == "open" else 0
    links = credit_links.links(store, invoice, params)
    spoken_for = {
        name: params.get(name, 0)
        for name in ("refund_amount", "credit_amount", "out_of_band_amount")
    }
    _check_sums(store, invoice, total, total - before, links, spoken_for)
    kinds = {(True, False): "pre_payment", (False, True): "post_payment"}
    values = {
        "amount": total,
        "amount_shipping": 0,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": params.get("effective_at", store.now()),
        "invoice": invoice["id"],
        "memo": params.get("memo"),
        "metadata": merge_metadata({}, params.get("metadata")),
        "out_of_band_amount": params.get("out_of_band_amount"),
        "post_payment_amount": total - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [],
        "reason": params.get("reason"),
        "refunds": links,
        "status": "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - included,
        "total": total,
        "total_excluding_tax": subtotal - included,
        "total_taxes": taxes,
        "type": kinds.get((before > 0, total > before), "mixed"),
    }
    refund, credit = spoken_for["refund_amount"], spoken_for["credit_amount"]
    return Draft(invoice, values, lines, refund, credit)


def _check_sums(
    store: Store,
    invoice: Json,
    total: int,
    after_payment: int,
    links: list[Json],
    spoken_for: dict[str, int],
) -> None:
    """What was paid is given back once at most, and every cent of it has a destination."""
    currency = invoice["currency"]
    if total <= 0:  # text unverified
        message = "The credit note amount must be positive."
        raise invalid(message, param="amount")
    # "Refunds made through the Refund API are subtracted from the maximum" (SDK docstring).
    left = invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"]
    left -= sum(
        credit_links.unlinked(store, refund) for refund in credit_links.refunds_of(store, invoice)
    )
    left += sum(link["amount_refunded"] for link in links)
    if after_payment > left:  # text unverified
        raise invalid(
            f"The credit note amount ({money(after_payment, currency)}) is greater than the amount"
            f" that can be credited on the invoice ({money(max(0, left), currency)}).",
            param="amount",
        )
    given = sum(spoken_for.values()) + sum(link["amount_refunded"] for link in links)
    if given != after_payment:  # text reported by users for an invoice that was paid
        raise invalid(
            "The sum of credit amount, refund amount and out of band amount"
            f" ({money(given, currency)}) must equal the credit note amount"
            f" ({money(after_payment, currency)})."
        )


@endpoint("GET", URL, "customer invoice created")
def list_credit_notes(store: Store, params: Json) -> Json:
    """Of an invoice, of a customer, or all, the newest first."""
    filters = {name: params.get(name) for name in ("customer", "invoice")}
    return listing(store, "credit_note", params, URL, **filters)


@endpoint("GET", URL + "/{id}")
def retrieve_credit_note(store: Store, _params: Json, identifier: str) -> Json:
    """One credit note."""
    return store.get("credit_note", identifier)


@endpoint("POST", URL + "/{id}", "memo metadata")
def update_credit_note(store: Store, params: Json, identifier: str) -> Json:
    """Only memo and metadata can change (SDK)."""
    return updated(store, store.get("credit_note", identifier), "credit_note.updated", params)


@endpoint("GET", URL + "/{id}/lines")
def list_credit_note_lines(store: Store, params: Json, identifier: str) -> Json:
    """All lines in their order."""
    note = store.get("credit_note", identifier)
    return paged(note["lines"]["data"], params, f"{URL}/{identifier}/lines")
