"""What a chargeback does to the books and the balance, step by step.

Opened: withdrawn by the bank, in dispute. Won: back, and a fee that the bank keeps is the
company's. Lost: owed, as far as the policy says so. Each step is exact to the minor unit in the
settlement currency and reverses what the step before it has booked.
"""

from dataclasses import replace

from shared.application.change import Change
from shared.domain.dispute import Dispute, DisputeFacts
from shared.domain.ledger import Book
from shared.domain.policy import DisputeConsequences


def book_funds(change: Change, record: Dispute, seen: DisputeFacts) -> Dispute:
    """What has left the company's balance since it was last booked is argued over too."""
    currency = seen.settlement_currency or record.currency
    books, evidence = (Book.BANK, Book.IN_DISPUTE), (record.id, record.charge)
    withdrawn, fee = seen.withdrawn - record.booked_amount, seen.fee - record.booked_fee
    for what, amount in (("chargeback_withdrawn", withdrawn), ("chargeback_fee", fee)):
        change.post(what, books, amount, currency, cause=record.id, evidence=evidence)
    change.account = change.account.with_balance(currency, in_dispute=withdrawn + fee)
    return replace(
        record, booked_amount=seen.withdrawn, booked_fee=seen.fee, booked_currency=currency
    )


def book_lost(change: Change, record: Dispute, consequences: DisputeConsequences) -> Dispute:
    """What was argued over is owed, or borne by the company where the policy does not claim it."""
    argued = record.booked_amount + record.booked_fee
    amount = record.booked_amount if consequences.amount_becomes_owed_when_lost else 0
    fee = record.booked_fee if consequences.fees_become_owed_when_lost else 0
    currency = record.booked_currency
    for what, target, moved in (
        ("chargeback_lost", Book.OWED, amount),
        ("chargeback_fee_owed", Book.OWED, fee),
        ("chargeback_absorbed", Book.ABSORBED, argued - amount - fee),
    ):
        change.post(what, (Book.IN_DISPUTE, target), moved, currency, cause=record.id)
    change.account = change.account.with_balance(currency, owed=amount + fee, in_dispute=-argued)
    return replace(record, booked_owed=amount + fee)


def book_won(change: Change, record: Dispute, *, was_lost: bool) -> Dispute:
    """The amount is back; the fee of receiving a dispute stays with the bank."""
    currency = record.booked_currency
    argued = record.booked_amount + record.booked_fee
    source = Book.IN_DISPUTE
    if was_lost:
        # What the loss has booked goes back to "in dispute" first, so that one rule settles it.
        change.post(
            "chargeback_loss_reversed",
            (Book.OWED, Book.IN_DISPUTE),
            record.booked_owed,
            currency,
            cause=record.id,
        )
        change.post(
            "chargeback_absorbed_reversed",
            (Book.ABSORBED, Book.IN_DISPUTE),
            argued - record.booked_owed,
            currency,
            cause=record.id,
        )
        change.account = change.account.with_balance(
            currency, owed=-record.booked_owed, in_dispute=argued
        )
    for what, target, moved in (
        ("chargeback_won", Book.BANK, record.booked_amount),
        ("chargeback_fee_absorbed", Book.ABSORBED, record.booked_fee),
    ):
        change.post(what, (source, target), moved, currency, cause=record.id)
    change.account = change.account.with_balance(currency, in_dispute=-argued)
    return replace(record, booked_amount=0, booked_fee=0, booked_owed=0)
