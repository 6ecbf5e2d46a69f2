"""The story's refund case: an overcharge is claimed, verified, agreed to, and paid back."""

from fractions import Fraction
from typing import Any

from infrastructure.local.story_tools import Scene, Visitor, sales_of
from infrastructure.local.world import Person, World
from tests.verifier.arithmetic import half_up, written

PART = 100  # one part of so many was charged too much


def claim_overcharge(scene: Scene, world: World, person: Person) -> None:
    """Ask for a part of the price back; staff verify it and agree."""
    (sale,) = sales_of(person)
    stack, voice = scene.stack, scene.voice
    voice.heading(f"{sale.name} says that the invoice was a part too high")
    customer = Visitor(stack, person.email)
    filters = {"subscription": sale.subscription, "limit": 100}
    invoice = stack.stripe.v1.invoices.list(filters).data[-1]  # type: ignore[arg-type]
    body = {"invoice": invoice.number, "ground": "billing_error", "statement": "a part too much"}
    case = customer.post("/v1/refund-requests", body)
    voice.step(f"case {case['id']} is {case['state']}, to be reviewed by {case['review_by']}")

    place = f"/v1/staff/cases/{person.customer}/{case['id']}"
    bought = sale.invoiced()
    over = bought.net // PART
    line = {"expected_amount": bought.net - over}
    found = {"verified": True, "lines": {invoice.lines.data[0].id: line}, "reason": "compared"}
    missing: str | None = "somebody"
    decided: dict[str, Any] = {}
    for member in world.staff:
        if missing is None or member.role not in ("agent", "admin"):
            continue
        staff = Visitor(stack, member.email)
        if not decided:
            decided = staff.post(f"{place}/findings", found)
        agreed = {"decide": "approve", "reason": "it is right", "digest": decided["digest"]}
        missing = staff.post(f"{place}/decision", agreed)["missing"]
        voice.step(f"{member.role} agrees; {missing or 'nobody'} is still needed")
    scene.settle()

    with scene.table.reading(sale.name):
        who, paid = f"{sale.name}: overcharge", customer.get(f"/v1/refund-requests/{case['id']}")
        total = over + half_up(Fraction(bought.tax * over, bought.net))
        shown = written(total, sale.currency)
        scene.table.expect(who, "state of the case", "paid", paid["state"])
        scene.table.expect(who, "paid back", shown, written(paid["amount"], sale.currency))
        refunds = [stack.stripe.v1.refunds.retrieve(r["stripe_refund"]) for r in paid["refunds"]]
        sent = sum(refund.amount for refund in refunds)
        scene.table.expect(who, "sent by Stripe", shown, written(sent, sale.currency))
        notes = {refund["credit_note"] for refund in paid["refunds"]}
        credited = sum(stack.stripe.v1.credit_notes.retrieve(n).total for n in notes)
        scene.table.expect(who, "on credit notes", shown, written(credited, sale.currency))
