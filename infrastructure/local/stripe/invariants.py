"""What must hold after every request and every tick, of all that these have touched.

A broken one is a defect of this server, told like an answer that breaks its schema.
"""

import json
from collections.abc import Iterator

from infrastructure.local.stripe.state import Json, Store, picture

# Kinds whose changes have events, and the fields that move without one.
SILENT_FIELDS: dict[str, set[str]] = {
    # `disputed` (recorded); what a failed refund gives back is told of the refund (samples).
    "charge": {"disputed", "amount_refunded", "refunded"},
    "coupon": set(),
    "credit_note": set(),
    "customer": {"next_invoice_sequence"},
    "dispute": set(),
    "invoice": set(),
    "payment_link": set(),
    # Their updates have none (SDK).
    "payment_intent": {"description", "metadata", "amount", "receipt_email"},
    "price": set(),
    "product": set(),
    "refund": set(),
    "subscription": {"latest_invoice"},
    "tax_rate": set(),
}
GIVEN_BACK = ("failed", "canceled")


def broken(store: Store) -> list[str]:
    """One sentence for each invariant that does not hold; forgets what was touched."""
    touched = list(store.touched.values())
    store.touched.clear()
    found: list[str] = []
    for thing in touched:
        check = CHECKS.get(thing["object"])
        if thing["object"] in SILENT_FIELDS:
            found += [f"{thing['id']}: {fault}" for fault in _untold(store, thing)]
        if check is not None:
            found += [f"{thing['id']}: {fault}" for fault in check(store, thing)]
    return found


def _untold(store: Store, thing: Json) -> Iterator[str]:
    """Each object is as its latest event showed it."""
    if thing["id"] not in store.tables.get(thing["object"], {}):
        return
    told = json.loads(store.told.get(thing["id"], "null"))
    if told is None:
        yield "it exists, and no event said so"
        return
    shown = picture(thing)
    for name in shown.keys() | told.keys():
        differs = shown.get(name) != told.get(name)
        if differs and name not in SILENT_FIELDS[thing["object"]]:
            yield f"{name} changed without an event: {told.get(name)!r} to {shown.get(name)!r}"


def _moved(store: Store, thing: Json) -> int:
    """What the balance transactions of an object add up to, fees apart."""
    rows = store.rows("balance_transaction")
    return sum(row["amount"] for row in rows if row["source"] == thing["id"])


def _balance(store: Store, _transaction: Json) -> Iterator[str]:
    """The balance is what its transactions add up to."""
    sums: dict[str, int] = {}
    for row in store.rows("balance_transaction"):
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["net"]
        if row["net"] != row["amount"] - sum(part["amount"] for part in row["fee_details"]):
            yield f"net {row['net']} is not the amount less its fees"
    if sums != store.private["balance"]:
        yield f"the balance is {store.private['balance']}, its transactions are {sums}"


def _charge(store: Store, charge: Json) -> Iterator[str]:
    refunds = [row for row in store.rows("refund") if row["charge"] == charge["id"]]
    given = sum(row["amount"] for row in refunds if row["status"] not in GIVEN_BACK)
    if given != charge["amount_refunded"]:
        yield f"amount_refunded is {charge['amount_refunded']}, its refunds are {given}"
    if not 0 <= given <= charge["amount_captured"]:
        yield f"refunds of {given} exceed {charge['amount_captured']}"
    if charge["refunded"] != (0 < charge["amount_captured"] == given):
        yield f"refunded is {charge['refunded']} with {given} of {charge['amount_captured']}"
    if _moved(store, charge) != charge["amount_captured"]:
        yield f"the balance moved by {_moved(store, charge)}"


def _refund(store: Store, refund: Json) -> Iterator[str]:
    expected = 0 if refund["status"] in GIVEN_BACK else -refund["amount"]
    if _moved(store, refund) != expected:
        yield f"the balance moved by {_moved(store, refund)}, not {expected}"
    if (refund.get("failure_balance_transaction") is None) == (refund["status"] in GIVEN_BACK):
        yield f"{refund['status']} with failure transaction"
    yield from _charge(store, store.get("charge", refund["charge"]))


def _dispute(_store: Store, dispute: Json) -> Iterator[str]:
    moved = [row["amount"] for row in dispute["balance_transactions"]]
    taken = len(moved) % 2 == 1
    if sum(moved) != (moved[0] if taken else 0):
        yield f"its balance transactions are {moved}"
    standing = dispute["status"] in ("needs_response", "under_review", "lost")
    if standing and not taken:
        yield f"{dispute['status']}, and the money is here"
    if dispute["status"] in ("won", "prevented", "warning_closed") and taken:
        yield f"{dispute['status']}, and the money is gone"


def _invoice(store: Store, invoice: Json) -> Iterator[str]:
    lines = invoice["lines"]["data"]
    subtotal = sum(line["amount"] for line in lines)
    off = sum(one["amount"] for one in invoice["total_discount_amounts"] or [])
    added = sum(
        tax["amount"] for tax in invoice["total_taxes"] or [] if tax["tax_behavior"] == "exclusive"
    )
    if (invoice["subtotal"], invoice["total"]) != (subtotal, subtotal - off + added):
        yield f"total {invoice['total']} is not {subtotal} - {off} + {added}"
    if invoice["status"] == "draft":
        return
    rows = [row for row in store.rows("invoice_payment") if row["invoice"] == invoice["id"]]
    paid = sum(row["amount_paid"] or 0 for row in rows)
    outside = (invoice.get("amount_paid_off_stripe") or 0) - sum(
        row["amount_paid"] or 0 for row in rows if row["payment"]["type"] == "payment_record"
    )
    if invoice["amount_paid"] != paid + outside:
        yield f"amount_paid {invoice['amount_paid']} is not {paid} + {outside}"
    left = invoice["amount_due"] - invoice["amount_paid"] + invoice["amount_overpaid"]
    left -= invoice["pre_payment_credit_notes_amount"]
    if invoice["amount_remaining"] != left:
        yield f"amount_remaining {invoice['amount_remaining']} is not {left}"
    if invoice["status"] == "paid" and left:
        yield f"paid, with {left} remaining"


def _credit_note(store: Store, note: Json) -> Iterator[str]:
    if note["pre_payment_amount"] + note["post_payment_amount"] != note["total"]:
        yield "its parts are not its total"
    credit = note["customer_balance_transaction"]
    given = sum(link["amount_refunded"] for link in note["refunds"])
    given += note["out_of_band_amount"] or 0
    given -= store.get("customer_balance_transaction", credit)["amount"] if credit else 0
    if given != note["post_payment_amount"]:
        yield f"{given} is given back, not {note['post_payment_amount']}"


def _customer(store: Store, customer: Json) -> Iterator[str]:
    rows = store.rows("customer_balance_transaction")
    latest = next((row for row in rows if row["customer"] == customer["id"]), None)
    if latest is not None and latest["ending_balance"] != customer["balance"]:
        yield f"balance {customer['balance']} is not {latest['ending_balance']}"


CHECKS = {
    "balance_transaction": _balance,
    "charge": _charge,
    "refund": _refund,
    "dispute": _dispute,
    "invoice": _invoice,
    "credit_note": _credit_note,
    "customer": _customer,
}
