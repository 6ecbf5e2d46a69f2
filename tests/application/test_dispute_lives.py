"""Whole lives of disputes: whatever is delivered when, the end is that of the last state alone."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.application.handle_dispute import handle_dispute
from shared.application.show_account import check_access, show_account
from shared.domain.account import Account
from shared.domain.dispute import Dispute, DisputeFacts, DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.ports import Put
from tests.application.builders import CUSTOMER, chargeback, services_with_annual_plan
from tests.fakes.services import FakeServices

State = dict[str, Any]
OPEN: State = {}
ASKED: State = {"kind": DisputeKind.INQUIRY, "withdrawn": 0, "fee": 0, "refundable": True}
REVIEW: State = {"phase": DisputePhase.UNDER_REVIEW, "submissions": 1, "countering": 1500}
LOST: State = REVIEW | {"phase": DisputePhase.ENDED, "outcome": DisputeOutcome.LOST}
UNANSWERED: State = {"phase": DisputePhase.ENDED, "outcome": DisputeOutcome.LOST}
APPEAL: State = REVIEW | {"phase": DisputePhase.APPEAL}
WON: State = REVIEW | {
    "phase": DisputePhase.ENDED,
    "outcome": DisputeOutcome.WON,
    "returned": 120_000,
    "countering_returned": 1500,
    "refundable": True,
}
CLOSED: State = ASKED | {"phase": DisputePhase.ENDED, "outcome": DisputeOutcome.CLOSED}
PREVENTED: State = {
    "kind": DisputeKind.BLOCK,
    "phase": DisputePhase.ENDED,
    "outcome": DisputeOutcome.PREVENTED,
    "withdrawn": 0,
    "fee": 0,
}
COMPLIANCE: State = {"kind": DisputeKind.COMPLIANCE}
NOT_YET: State = {"withdrawn": 0, "fee": 0}
PARTIAL: State = {
    "amount": 30_000,
    "withdrawn": 41_955,
    "settlement_currency": "cad",
    "rate": "1.4",
}
DEARER: State = WON | {"returned": 119_000}

LIVES: dict[str, tuple[State, ...]] = {
    "won": (OPEN, REVIEW, WON),
    "lost": (OPEN, REVIEW, LOST),
    "lost on arrival": (UNANSWERED,),
    "unanswered": (OPEN, UNANSWERED),
    "lost, late won": (OPEN, REVIEW, LOST, WON),
    "appeal won": (OPEN, REVIEW, LOST, APPEAL, WON),
    "appeal lost": (OPEN, REVIEW, LOST, APPEAL, LOST),
    "asked, closed": (ASKED, CLOSED),
    "asked, escalated, lost": (ASKED, OPEN, LOST),
    "asked, escalated, won": (ASKED, OPEN, REVIEW, WON),
    "prevented": (PREVENTED,),
    "compliance lost": (COMPLIANCE, LOST | COMPLIANCE),
    "funds come later": (NOT_YET, OPEN, LOST),
    "a part, in another currency": (PARTIAL, PARTIAL | LOST),
    "won at another rate": (OPEN, REVIEW, DEARER),
}


def facts(state: State, name: str = "du_1") -> DisputeFacts:
    return replace(chargeback(), **(state | {"id": name}))


def look(services: FakeServices, name: str, number: int) -> None:
    handle_dispute(services, dispute=name, event=f"evt_{name}_{number}", event_type="t")


def end_of(services: FakeServices) -> dict[str, Any]:
    """Everything that a life of disputes leaves behind, what only tells of its course aside."""
    services.run_effects(rounds=500)
    shown = show_account(services, customer=CUSTOMER)
    access = check_access(services, customer=CUSTOMER)
    booked: dict[tuple[Book, str], int] = {}
    for stored in services.store.all_of(LedgerEntry, CUSTOMER):
        entry = stored.record
        for book, amount in ((entry.source, -entry.amount), (entry.target, entry.amount)):
            place = (book, entry.currency)
            booked[place] = booked.get(place, 0) + amount
    payment = services.store.get(Payment, CUSTOMER, "pi_1")
    return {
        "standing": shown["standing"],
        "causes": sorted((cause["kind"], cause["id"]) for cause in shown["causes"]),
        "balances": [b for b in shown["balances"] if b["owed"] or b["in_dispute"]],
        "entitled": access["entitled"],
        "books": {place: amount for place, amount in booked.items() if amount},
        "paused": services.billing.paused,
        "held": services.billing.held,
        "payment": payment and (payment.record.disputes, payment.record.left()),
        "records": [
            (s.record.kind, s.record.phase, s.record.outcome, s.record.booked, s.record.exposure)
            for s in services.store.all_of(Dispute, CUSTOMER)
        ],
    }


def world() -> FakeServices:
    services = services_with_annual_plan()
    invoice = services.billing.invoices["in_1"]
    services.billing.invoices["in_open"] = replace(invoice, id="in_open", status="open")
    services.store.commit([Put(Payment("pi_1", CUSTOMER, "usd", 120_000, refunded=20_000), 0)])
    return services


def lived_at_once(lives: dict[str, tuple[State, ...]]) -> dict[str, Any]:
    """The end as it is when nothing but the last states were ever seen."""
    services = world()
    for name, life in lives.items():
        services.billing.disputes[name] = facts(life[-1], name)
        look(services, name, 0)
    return end_of(services)


@settings(max_examples=150, deadline=None)
@given(
    life=st.sampled_from(sorted(LIVES)),
    looks=st.lists(st.integers(0, 3), min_size=5, max_size=5),
    repeated=st.booleans(),
    carried=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_the_end_depends_on_the_last_state_alone(
    life: str, looks: list[int], repeated: bool, carried: list[bool]
) -> None:
    """Events are lost, late, doubled, out of order; effects run in between or only at the end.

    Each event says only "look", so a delivery is when it looks: any number of times a state.
    """
    services, number = world(), 0
    for state, times, runs in zip(LIVES[life], looks, carried, strict=False):
        services.billing.disputes["du_1"] = facts(state)
        for _ in range(times):
            number += 1
            look(services, "du_1", number)
            if repeated:
                look(services, "du_1", number)
        if runs:
            services.run_effects(rounds=500)
    look(services, "du_1", number + 1)
    assert end_of(services) == lived_at_once({"du_1": LIVES[life]})


@settings(max_examples=60, deadline=None)
@given(
    lives=st.tuples(st.sampled_from(sorted(LIVES)), st.sampled_from(sorted(LIVES))),
    order=st.permutations([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
)
def test_two_disputes_of_one_charge_end_the_same_however_their_lives_mix(
    lives: tuple[str, str], order: list[int]
) -> None:
    services = world()
    names = ("du_1", "du_2")
    half = {"amount": 60_000}
    left = [[half | state for state in LIVES[life]] for life in lives]
    whole = {name: tuple(states) for name, states in zip(names, left, strict=True)}
    for number, which in enumerate(order):
        if left[which]:
            services.billing.disputes[names[which]] = facts(left[which].pop(0), names[which])
        if names[which] in services.billing.disputes:
            look(services, names[which], number)
    assert end_of(services) == lived_at_once(whole)


@given(st.sampled_from(sorted(LIVES)))
def test_the_books_are_even_and_agree_with_the_balance(life: str) -> None:
    """What is in dispute and owed in the ledger is what the account shows, in each currency."""
    services = world()
    for number, state in enumerate(LIVES[life]):
        services.billing.disputes["du_1"] = facts(state)
        look(services, "du_1", number)
        ended = end_of(services)
        stored = services.store.get(Account, CUSTOMER)
        assert stored is not None
        for balance in stored.record.balances:
            booked = ended["books"]
            assert booked.get((Book.OWED, balance.currency), 0) == balance.owed
            assert booked.get((Book.IN_DISPUTE, balance.currency), 0) == balance.in_dispute
        assert sum(ended["books"].values()) == 0
