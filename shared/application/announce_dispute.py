"""What the customer, the company's systems and its staff hear of a dispute."""

from shared.application.case_document import instant
from shared.application.change import Change
from shared.domain.account import CauseKind
from shared.domain.dispute import Dispute
from shared.domain.money_text import money_text


def suspended(change: Change, record: Dispute) -> None:
    """Which payment it is about, and what to do."""
    amount = money_text(record.amount, record.currency)
    values = {"charge": record.charge, "dispute": record.id, "amount": amount}
    change.mail("account_suspended", values)
    cause = {"kind": CauseKind.DISPUTE.value, "id": record.id}
    change.publish("AccountSuspended", {"cause": cause, "charge": record.charge})


def lost(change: Change, record: Dispute) -> None:
    """What is outstanding from now on; nothing when the company bears it all."""
    for currency, owed in owed_by_currency(record).items():
        change.mail("chargeback_lost", {"dispute": record.id, "owed": money_text(owed, currency)})
        detail = {"dispute": record.id, "amount": owed, "currency": currency}
        change.publish("ChargebackLost", detail)


def won(change: Change, record: Dispute) -> None:
    """For the company; the customer hears that the account is back, if it is."""
    detail = {"dispute": record.id, "amount": record.amount, "currency": record.currency}
    change.publish("ChargebackWon", detail)


def inquiry(change: Change, record: Dispute) -> None:
    """For staff: an answer in time may keep it from becoming a chargeback."""
    respond_by = record.respond_by and instant(record.respond_by)
    detail = {
        "dispute": record.id,
        "charge": record.charge,
        "amount": record.amount,
        "currency": record.currency,
        "reason": record.reason,
        "respond_by": respond_by,
    }
    change.publish("InquiryReceived", detail)


def owed_by_currency(record: Dispute) -> dict[str, int]:
    """What the customer owes for it, where there is anything."""
    owed: dict[str, int] = {}
    for part in record.booked:
        owed[part.currency] = owed.get(part.currency, 0) + part.owed
    return {currency: amount for currency, amount in owed.items() if amount}
