"""The story's disputes: a chargeback that is lost, and an inquiry that becomes one and is won."""

from dataclasses import dataclass
from datetime import datetime

from infrastructure.local.at_stripe import open_dispute, paying_charge, settle_dispute
from infrastructure.local.story_tools import Scene, Visitor, leave_unpaid, sales_of
from infrastructure.local.world import Person
from tests.verifier.arithmetic import written
from tests.verifier.chargeback import (
    Argued,
    Standing,
    taken,
    verify_collected,
    verify_no_refund,
    verify_standing,
)

UNPAID = 800  # an invoice that is open when the dispute comes


@dataclass(frozen=True, slots=True)
class Case:
    """A dispute that is under way, since when, and the customer's sign-in."""

    argued: Argued
    visitor: Visitor
    name: str
    since: datetime


def open_case(scene: Scene, person: Person, kind: str) -> Case:
    """An invoice is open, and a bank disputes a payment for the first subscription."""
    stack, voice, sales = scene.stack, scene.voice, sales_of(person)
    name, currency = sales[0].name, sales[0].currency
    voice.heading(f"{name}'s bank opens {'an inquiry' if kind == 'inquiry' else 'a chargeback'}")
    visitor = Visitor(stack, person.email)
    leave_unpaid(stack, person.customer, currency, UNPAID)
    bought = "a subscription" if len(sales) == 1 else f"{len(sales)} subscriptions"
    voice.step(f"has {bought} and an open invoice of {written(UNPAID, currency)}")
    charge = paying_charge(stack, sales[0].subscription)
    since = stack.now()
    dispute = open_dispute(stack, charge, kind)
    voice.step(f"{dispute} is opened about {charge}")
    return Case(Argued(sales, visitor.token, dispute), visitor, name, since)


def open_chargeback(scene: Scene, person: Person) -> Case:
    """Suspended at once; then nothing is collected and nothing goes back on that charge."""
    case = open_case(scene, person, "chargeback")
    await_standing(scene, case, "suspended")
    quote = case.visitor.quote(case.argued.sales[0].subscription, "immediately")["quote"]
    total = written(quote["total"], case.argued.currency)
    scene.voice.step(f"asks what cancelling would bring: {quote['outcome']}, {total}")
    who = f"{case.name}: chargeback opened"
    with scene.table.reading(case.name):
        amount = taken(scene.reader, case.argued)
        expected = Standing(good=False, in_dispute=amount)
        verify_standing(scene.table, scene.reader, who, case.argued, expected)
        verify_no_refund(scene.table, scene.reader, who, case.argued, quote)
    return case


def open_inquiry(scene: Scene, person: Person) -> Case:
    """A bank only asks: nothing stops."""
    case = open_case(scene, person, "inquiry")
    scene.settle()
    tell_account(scene, case)
    with scene.table.reading(case.name):
        who = f"{case.name}: inquiry"
        verify_standing(scene.table, scene.reader, who, case.argued, Standing(good=True))
    return case


def lose(scene: Scene, case: Case) -> None:
    """Nothing was collected meanwhile; what the bank took is owed now."""
    scene.voice.heading(f"{case.name}'s chargeback is lost")
    with scene.table.reading(case.name):
        who = f"{case.name}: since the chargeback"
        verify_collected(scene.table, scene.reader, who, case.argued, since=case.since, expected=0)
    settle_dispute(scene.stack, case.argued.dispute, "lost")
    scene.voice.step("the bank decides against the company")
    scene.until("the owed balance", lambda: bool(_balance(case, "owed")))
    scene.settle()
    tell_account(scene, case)
    with scene.table.reading(case.name):
        expected = Standing(good=False, owed=taken(scene.reader, case.argued))
        who = f"{case.name}: chargeback lost"
        verify_standing(scene.table, scene.reader, who, case.argued, expected)


def escalate_and_win(scene: Scene, case: Case) -> None:
    """Collection went on during the inquiry; it escalates, and is won."""
    name, argued = case.name, case.argued
    scene.voice.heading(f"{name}'s inquiry becomes a chargeback, and is won")
    with scene.table.reading(name):
        renewals = argued.sales[0].renewals(case.since, scene.stack.now())
        expected = UNPAID + renewals * argued.sales[0].invoiced().total
        who = f"{name}: since the inquiry"
        verify_collected(
            scene.table, scene.reader, who, argued, since=case.since, expected=expected
        )
    leave_unpaid(scene.stack, argued.customer, argued.currency, UNPAID)
    settle_dispute(scene.stack, argued.dispute, "escalated")
    scene.voice.step("the bank takes the money back")
    await_standing(scene, case, "suspended")
    with scene.table.reading(name):
        opened = Standing(good=False, in_dispute=taken(scene.reader, argued))
        verify_standing(scene.table, scene.reader, f"{name}: escalated", argued, opened)
    settle_dispute(scene.stack, argued.dispute, "won")
    scene.voice.step("the bank decides for the company")
    await_standing(scene, case, "good")
    with scene.table.reading(name):
        won = Standing(good=True)
        verify_standing(scene.table, scene.reader, f"{name}: won", argued, won)


def await_standing(scene: Scene, case: Case, standing: str) -> None:
    """Wait until the account is `standing` and all that follows has been done."""
    scene.until(
        f"standing {standing}",
        lambda: bool(case.visitor.get("/v1/account")["standing"] == standing),
    )
    scene.settle()
    tell_account(scene, case)


def tell_account(scene: Scene, case: Case) -> None:
    """Standing, balance, access and collection."""
    account, voice = case.visitor.get("/v1/account"), scene.voice
    voice.step(f"account {account['standing']}")
    for balance in account["balances"]:
        in_dispute, owed = (
            written(balance[k], balance["currency"]) for k in ("in_dispute", "owed")
        )
        voice.figure(f"{in_dispute} in dispute (fee included), {owed} owed")
    items = scene.reader.access(case.argued.customer)["items"]
    voice.figure("access " + ", ".join("on" if item["entitled"] else "off" for item in items))
    for sale in case.argued.sales:
        pause = scene.reader.stripe(f"subscriptions/{sale.subscription}")["pause_collection"]
        word = f"paused ({pause['behavior']})" if pause else "going on"
        voice.figure(f"collection on {sale.subscription} {word}")


def _balance(case: Case, what: str) -> int:
    balances = case.visitor.get("/v1/account")["balances"]
    return sum(balance[what] for balance in balances)
