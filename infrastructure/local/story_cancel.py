"""The story's cancellations: now with a refund; at the end of the cycle, with second thoughts."""

from datetime import UTC, datetime, timedelta
from random import Random

from infrastructure.local.story_tools import (
    Json,
    Scene,
    Visitor,
    deliver,
    held_back,
    sales_of,
)
from infrastructure.local.world import Person
from tests.verifier.arithmetic import Charge, Sale, stamp, written
from tests.verifier.cancel_now import CancelledNow, verify_cancelled_now
from tests.verifier.end_of_cycle import (
    Ending,
    verify_access,
    verify_ended,
    verify_scheduled,
    verify_taken_back,
    verify_unmoved,
)

JUST_BEFORE = timedelta(minutes=2)
BILLED_BY_THEN = timedelta(hours=2)  # a draft waits for about an hour
AMOUNTS = (500, 700, 999)  # of the charges that wait; odd, so that the split one needs rounding


def cancel_now(scene: Scene, person: Person) -> None:
    """A prepaid year is cancelled, and its unused part goes back."""
    stack, voice = scene.stack, scene.voice
    [sale] = sales_of(person)
    voice.heading(f"{sale.name} cancels now, with a refund")
    visitor = Visitor(stack, person.email)
    tell_subscriptions(scene, visitor)
    before = stack.now().replace(microsecond=0)
    quote = visitor.quote(sale.subscription, "immediately")
    tell_quote(scene, quote["quote"])
    asked = (before, stack.now())
    cancellation = visitor.confirm(quote)
    voice.step("confirms that quote")
    tell_cancellation(scene, cancellation)
    path = f"/v1/cancellations/{cancellation['id']}"
    scene.until("the refund", lambda: bool(visitor.get(path)["state"] == "executed"))
    scene.settle()
    voice.step("Stripe has cancelled, refunded and credited")
    tell_cancellation(scene, visitor.get(path))
    tell_access(scene, sale)
    mails = scene.mails_to(person.email)
    tell_mails(scene, mails)
    with scene.table.reading(sale.name):
        done = CancelledNow(sale, visitor.token, asked, quote["quote"], cancellation["id"], mails)
        verify_cancelled_now(scene.table, scene.reader, done)


def cancel_at_the_end(scene: Scene, person: Person, chance: Random | None) -> Ending:
    """A monthly subscription is set to end, taken back, and set to end again."""
    voice = scene.voice
    [sale] = sales_of(person)
    voice.heading(f"{sale.name} cancels at the end of the cycle")
    visitor = Visitor(scene.stack, person.email)
    tell_subscriptions(scene, visitor)
    ending = let_charges_wait(scene, sale, visitor, chance)
    cancellation = schedule(scene, ending, visitor)
    with scene.table.reading(sale.name):
        verify_scheduled(scene.table, scene.reader, ending)
    visitor.withdraw(cancellation["id"])
    voice.step("takes it back")
    scene.settle()
    tell_at_stripe(scene, sale)
    with scene.table.reading(sale.name):
        verify_taken_back(scene.table, scene.reader, ending)
    schedule(scene, ending, visitor)
    with scene.table.reading(sale.name):
        verify_scheduled(scene.table, scene.reader, ending)
    return ending


def let_charges_wait(scene: Scene, sale: Sale, visitor: Visitor, chance: Random | None) -> Ending:
    """Charges wait for the next invoice: for later time, for time before the end, and across it."""
    now = scene.stack.now().replace(microsecond=0)
    begun, end = sale.period(now)
    later, earned, across = (chance.randint(101, 2_999) for _ in AMOUNTS) if chance else AMOUNTS
    days = timedelta(days=chance.randint(1, 9) if chance else 5)
    charges = (
        Charge("numbers in advance", later, end, end + days),
        Charge("calls", earned, begun, now),
        Charge("support", across, end - days, end + timedelta(days=10)),
    )
    scene.voice.step("has charges that wait for the next invoice")
    for charge in charges:
        amount = written(charge.amount, sale.currency)
        scene.voice.figure(f"{amount} {charge.what}, {charge.start:%m/%d}-{charge.end:%m/%d}")
        scene.stack.stripe.v1.invoice_items.create(
            {
                "customer": sale.customer,
                "subscription": sale.subscription,
                "amount": charge.amount,
                "currency": sale.currency,
                "description": charge.what,
                "period": {
                    "start": int(charge.start.timestamp()),
                    "end": int(charge.end.timestamp()),
                },
            }
        )
    return Ending(sale, visitor.token, charges, end)


def schedule(scene: Scene, ending: Ending, visitor: Visitor) -> Json:
    """Quote and confirm the end of the cycle; return the cancellation."""
    quote = visitor.quote(ending.sale.subscription, "at_period_end")
    tell_quote(scene, quote["quote"])
    cancellation = visitor.confirm(quote)
    scene.voice.step(f"confirms; may take it back until {cancellation['can_withdraw_until']}")
    scene.settle()
    tell_at_stripe(scene, ending.sale)
    return cancellation


def pass_the_end(scene: Scene, ending: Ending) -> None:
    """The clock passes the end while Stripe's news of it are held up; then they come, twice."""
    stack, voice, sale = scene.stack, scene.voice, ending.sale
    voice.heading(f"The clock passes the end of {sale.name}'s cycle")
    stack.set_clock(ending.end - JUST_BEFORE)
    scene.settle()
    voice.step("two minutes before the end")
    tell_access(scene, sale)
    with scene.table.reading(sale.name):
        verify_access(scene.table, scene.reader, ending, when="two minutes before", on=True)
    with held_back(stack, "StripeEventsQueue"):
        stack.set_clock(ending.end)
        voice.step("the end; Stripe's webhook for it has not come")
        tell_access(scene, sale)
        with scene.table.reading(sale.name):
            verify_access(scene.table, scene.reader, ending, when="from the end on", on=False)
        stack.fire_schedule()
        voice.step("the schedule fires and finds what is due")
        scene.until("the end", lambda: _ended(scene, ending))
        scene.until("the end's effects", lambda: "EffectsQueue" not in " ".join(stack.waiting()))
        before = _seen(scene, ending)
    come_late_and_twice(scene, ending, before)
    stack.advance(BILLED_BY_THEN)
    scene.settle()
    stack.fire_schedule()
    scene.settle()
    voice.step("the last invoice is paid")
    tell_invoices(scene, sale)
    with scene.table.reading(sale.name):
        verify_ended(scene.table, scene.reader, ending)


def come_late_and_twice(scene: Scene, ending: Ending, before: Json) -> None:
    """Stripe's webhook comes late; then the same event twice more."""
    scene.settle()
    sale, who = ending.sale, f"{ending.sale.name}: the end"
    events = scene.reader.stripe_list("events", type="customer.subscription.deleted")
    mine = [e for e in events if e["data"]["object"]["id"] == sale.subscription]
    scene.table.expect(who, "customer.subscription.deleted", 1, len(mine))
    with scene.table.reading(sale.name):
        verify_unmoved(scene.table, who, "coming late", before, _seen(scene, ending))
    for event in mine * 2:
        deliver(scene.stack, event)
    scene.settle()
    scene.voice.step("customer.subscription.deleted comes late, and twice more: nothing changes")
    with scene.table.reading(sale.name):
        verify_unmoved(scene.table, who, "coming twice more", before, _seen(scene, ending))


def _ended(scene: Scene, ending: Ending) -> bool:
    [shown] = scene.reader.api("/v1/subscriptions", ending.token)["data"]
    return bool(shown["status"] == "ended")


def _seen(scene: Scene, ending: Ending) -> Json:
    """Everything that a webhook could have moved."""
    customer = ending.sale.customer
    return {
        "subscriptions": scene.reader.api("/v1/subscriptions", ending.token),
        "account": scene.reader.api("/v1/account", ending.token),
        "access": scene.reader.access(customer),
        "Stripe": scene.reader.stripe(f"subscriptions/{ending.sale.subscription}"),
        "pending items": scene.reader.stripe_list("invoiceitems", customer=customer),
        "mails": len(scene.stack.mails()),
    }


# ------------------------------------------------------------------ telling


def tell_subscriptions(scene: Scene, visitor: Visitor) -> None:
    """What the customer sees first."""
    scene.voice.step("lists the subscriptions")
    for subscription in visitor.get("/v1/subscriptions")["data"]:
        for item in subscription["items"]:
            price = written(item["unit_amount"] * item["quantity"], item["currency"])
            until = item["period"]["end"]
            scene.voice.figure(
                f"{price} a {item['interval']}, {subscription['status']}, period until {until}"
            )


def tell_quote(scene: Scene, quote: Json) -> None:
    """Lines, the exact fraction, tax, total, and which access remains."""
    currency = quote["currency"]
    scene.voice.step(f"asks what cancelling brings: {quote['outcome']}")
    for line in quote["lines"]:
        base, net, tax = (written(line[key], currency) for key in ("base", "amount", "tax"))
        scene.voice.figure(f"line {base} x {line['fraction']} unused = {net}, tax {tax}")
    scene.voice.figure(f"total {written(quote['total'], currency)} comes back")
    clauses = ", ".join(reason["clause"] for reason in quote["reasons"])
    pack = quote["policy"]
    scene.voice.figure(f"because of {clauses}, policy {pack['id']} of {pack['version']}")
    if quote["cancellation"]:
        scene.voice.figure(f"access until {quote['cancellation']['access_until']}, no renewal")


def tell_cancellation(scene: Scene, cancellation: Json) -> None:
    """State, refunds, credit notes."""
    scene.voice.figure(f"cancellation {cancellation['state']}")
    for refund in cancellation["refunds"]:
        amount = written(refund["amount"], refund["currency"])
        where = f"{refund['stripe_refund'] or 'no refund yet'}"
        note = refund["credit_note"] or "no credit note yet"
        scene.voice.figure(f"{amount} {refund['status']} on {refund['payment']}: {where}, {note}")


def tell_access(scene: Scene, sale: Sale) -> None:
    """What the company's service is told."""
    for item in scene.reader.access(sale.customer)["items"]:
        word = "on" if item["entitled"] else "off"
        scene.voice.figure(f"access {word}, until {item['access_until'] or 'further notice'}")


def tell_mails(scene: Scene, mails: tuple[str, ...]) -> None:
    """The subjects of the mails."""
    for mail in mails:
        scene.voice.figure(f"mail: {mail.splitlines()[0]}")


def tell_at_stripe(scene: Scene, sale: Sale) -> None:
    """What Stripe will do, and what waits there to be billed."""
    ends = scene.reader.stripe(f"subscriptions/{sale.subscription}")["cancel_at"]
    pending = scene.reader.stripe_list("invoiceitems", customer=sale.customer, pending="true")
    amounts = " + ".join(written(item["amount"], item["currency"]) for item in pending)
    end = f"ends at {stamp(datetime.fromtimestamp(ends, UTC))}" if ends else "renews"
    scene.voice.figure(f"at Stripe it {end}; to be billed with the next invoice: {amounts or 0}")


def tell_invoices(scene: Scene, sale: Sale) -> None:
    """Each invoice of a customer, oldest first."""
    for invoice in reversed(scene.reader.stripe_list("invoices", customer=sale.customer)):
        lines = ", ".join(line["description"] for line in invoice["lines"]["data"])
        paid = written(invoice["amount_paid"], invoice["currency"])
        scene.voice.figure(f"{invoice['number']} {invoice['status']}, {paid} paid: {lines}")
