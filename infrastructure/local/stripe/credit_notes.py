"""Credit notes: what they take back from an invoice, and where it goes.

The part taken from what an open invoice still asks for lowers it; the rest must be spoken for by
linked refunds, a new refund, account credit or money outside Stripe (SDK docstrings).
"""

from dataclasses import dataclass

from infrastructure.local.stripe import billing, credit_links, invoice_payments, refunds
from infrastructure.local.stripe.catalogue import total_taxes
from infrastructure.local.stripe.credit_lines import credit_lines
from infrastructure.local.stripe.customers import adjust_balance
from infrastructure.local.stripe.discounts import net, totals
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.money import money
from infrastructure.local.stripe.resources import LIST_PARAMS
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store
from infrastructure.local.stripe.views import page, paged

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
    charge: Json | None  # of which `refund_amount` is to be refunded
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
    if note.charge is not None:
        refund = refunds.issue(store, note.charge, note.refund_amount)
        links.append(credit_links.link_to(refund["id"], note.refund_amount))
    thing = _written(store, note)
    thing["refunds"] = links
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


def _written(store: Store, note: Draft) -> Json:
    number = 1 + sum(cn["invoice"] == note.invoice["id"] for cn in store.rows("credit_note"))
    values = {**note.values, "number": f"{note.invoice['number']}-CN-{number:02}"}
    thing = store.add("credit_note", **values)
    thing["pdf"] = f"https://pay.stripe.com/credit_notes/local/{thing['id']}/pdf"
    for line in note.lines:
        line["id"] = store.identifier("cnli")
    thing["lines"] = page(note.lines, f"{URL}/{thing['id']}/lines")
    return thing


@endpoint("GET", URL + "/preview", TAKES)
def preview_credit_note(store: Store, params: Json) -> Json:
    """What creating it would make, by the same checks and sums; nothing happens (SDK docstring).

    A refund that it would make has no entry in `refunds` yet.
    """
    thing = _written(store, _draft(store, params))
    store.drop(thing)
    return thing


@endpoint("GET", URL + "/preview/lines", TAKES)
def preview_lines(store: Store, params: Json) -> Json:
    """The lines of a preview."""
    asked = {name: value for name, value in params.items() if name not in LIST_PARAMS}
    lines = preview_credit_note(store, asked)["lines"]["data"]
    return paged(lines, params, f"{URL}/preview/lines")


@endpoint("POST", URL + "/{id}/void")
def void_credit_note(store: Store, _params: Json, identifier: str) -> Json:
    """The invoice asks for the amount again; only while it is open (documentation)."""
    note = store.get("credit_note", identifier)
    invoice = store.get("invoice", note["invoice"])
    if note["status"] == "void" or invoice["status"] != "open":  # text unverified
        raise invalid("You can only void a credit note that is issued on an open invoice.")
    note |= {"status": "void", "voided_at": store.now()}
    amount = note["pre_payment_amount"]
    store.emit("credit_note.voided", note)
    store.change(
        invoice,
        "invoice.updated",
        pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] - amount,
        amount_remaining=invoice["amount_remaining"] + amount,
    )
    invoice_payments.ask_for_rest(store, invoice)
    return note


def _lower_invoice(store: Store, invoice: Json, note: Json) -> None:
    changes = {
        f"{part}_credit_notes_amount": invoice[f"{part}_credit_notes_amount"]
        + note[f"{part}_amount"]
        for part in ("pre_payment", "post_payment")
    }
    changes["amount_remaining"] = invoice["amount_remaining"] - note["pre_payment_amount"]
    store.change(invoice, "invoice.updated", **changes)
    if note["pre_payment_amount"]:
        invoice_payments.ask_for_rest(store, invoice)
        if not invoice["amount_remaining"]:
            billing.paid(store, invoice)


def _draft(store: Store, params: Json) -> Draft:
    """Checks everything before anything changes."""
    invoice = store.get("invoice", params["invoice"], "invoice")
    if invoice["status"] not in ("open", "paid"):  # text unverified
        raise invalid(
            f"You cannot create a credit note for an invoice that is {invoice['status']}.",
            param="invoice",
        )
    lines = credit_lines(store, invoice, params)
    taxes = total_taxes(lines)
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    included = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    subtotal = sum(line["amount"] for line in lines)
    discounted = sum(net(line) for line in lines)
    total = discounted + added
    before = min(total, invoice["amount_remaining"]) if invoice["status"] == "open" else 0
    links = credit_links.links(store, invoice, params)
    spoken_for = {
        name: params.get(name, 0)
        for name in ("refund_amount", "credit_amount", "out_of_band_amount")
    }
    _check_sums(store, invoice, total, total - before, links, spoken_for)
    refund, credit = spoken_for["refund_amount"], spoken_for["credit_amount"]
    if credit:  # to a customer that is still there
        store.get("customer", invoice["customer"])
    charge = credit_links.charge_of(store, invoice, refund) if refund else None
    kinds = {(True, False): "pre_payment", (False, True): "post_payment"}
    taken = totals(lines)
    values = {
        "amount": total,
        "amount_shipping": 0,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "discount_amount": subtotal - discounted,
        "discount_amounts": taken,
        "effective_at": params.get("effective_at", store.now()),
        "invoice": invoice["id"],
        "memo": params.get("memo"),
        "metadata": params.get("metadata"),
        "out_of_band_amount": params.get("out_of_band_amount"),
        "post_payment_amount": total - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [{**one, "type": "discount"} for one in taken],
        "reason": params.get("reason"),
        "refunds": links,
        "status": "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - included,
        "total": total,
        "total_excluding_tax": discounted - included,
        "total_taxes": taxes,
        "type": kinds.get((before > 0, total > before), "mixed"),
    }
    return Draft(invoice, values, lines, charge, refund, credit)


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
        raise invalid("The credit note amount must be positive.", param="amount")
    # All notes together stay within the invoice's total (documentation), of which the customer's
    # balance may have paid a part. "Refunds made through the Refund API are subtracted from the
    # maximum" (SDK docstring).
    asked = invoice["total"] - invoice["pre_payment_credit_notes_amount"]
    settled = max(invoice["amount_paid"], asked - invoice["amount_remaining"])
    left = settled - invoice["post_payment_credit_notes_amount"]
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


@endpoint("GET", URL + "/{id}/lines")
def list_credit_note_lines(store: Store, params: Json, identifier: str) -> Json:
    """All lines in their order."""
    note = store.get("credit_note", identifier)
    return paged(note["lines"]["data"], params, f"{URL}/{identifier}/lines")
