"""What a dispute does to the books and the balance: every part of it where its state says.

Exact to the minor unit in the settlement currency. The parts are what the bank took, the fee of
receiving the dispute, what countering it cost, and costs that staff have entered.
"""

from dataclasses import replace

from shared.application.change import Change
from shared.domain.dispute import Dispute, DisputeFacts, Stance
from shared.domain.dispute_books import Booked, Part, movements, place
from shared.domain.ledger import Book
from shared.domain.policy import DisputeConsequences


def parts_of(seen: DisputeFacts, consequences: DisputeConsequences) -> list[Part]:
    """What Stripe shows of a dispute's money."""
    currency = seen.settlement_currency
    amount_claimed = consequences.amount_becomes_owed_when_lost
    fees_claimed = consequences.fees_become_owed_when_lost
    evidence = (seen.id, seen.charge, *seen.movements)
    return [
        Part(
            "amount",
            Book.BANK,
            currency,
            seen.withdrawn,
            seen.returned,
            amount_claimed,
            settles=True,
            rate=seen.rate,
            evidence=evidence,
        ),
        Part("fee", Book.BANK, currency, seen.fee, 0, fees_claimed, evidence=evidence),
        Part(
            "countering",
            Book.PROVIDER,
            currency,
            seen.countering,
            seen.countering_returned,
            fees_claimed,
            evidence=evidence,
        ),
    ]


def costs_of(known: Dispute | None, *, claimed: bool) -> list[Part]:
    """What staff have entered as paid to others; `claimed` when the customer owes it once lost."""
    return [
        Part(
            f"cost:{cost.id}",
            Book.OUTLAY,
            cost.currency,
            cost.amount,
            0,
            claimed,
            evidence=(cost.receipt,),
        )
        for cost in (known.costs if known else ())
    ]


def where_parts_stand(parts: list[Part], stance: Stance) -> list[Booked]:
    """Each part as it must be booked; parts without money are left out."""
    lost, argued = stance is Stance.LOST, stance is Stance.ARGUED
    return [place(part, lost=lost, argued=argued) for part in parts if part.taken]


def books_differ(known: Dispute | None, parts: list[Part], stance: Stance) -> bool:
    """Whether anything has to be booked."""
    return tuple(where_parts_stand(parts, stance)) != (known.booked if known else ())


def book(change: Change, record: Dispute, parts: list[Part]) -> Dispute:
    """Post the way from what is booked to where `record` stands now; the record, booked."""
    by_name = {part.what: part for part in parts}
    after = where_parts_stand(parts, record.stance)
    for now in after:
        part, before = by_name[now.what], record.booked_as(now.what)
        for moved in movements(before, now):
            change.post(
                moved.what,
                moved.books,
                moved.amount,
                now.currency,
                cause=record.id,
                evidence=part.evidence,
                rate=part.rate,
            )
        change.account = change.account.with_balance(
            now.currency,
            owed=now.owed - (before.owed if before else 0),
            in_dispute=now.in_dispute - (before.in_dispute if before else 0),
        )
        if change.account.balance(now.currency).owed < 0:
            # It was paid after it was lost, and the bank has decided again: it goes back.
            detail = f"{change.account.balance(now.currency).owed} {now.currency} on the balance"
            change.alert("customer_is_owed", record.id, detail)
    return replace(record, booked=tuple(after))
