"""Mails that did not arrive, or that somebody did not want: known by mail, never by address."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A mailbox that was gone may be back; if it is not, the next mail says so again.
BOUNCED_FOR = timedelta(days=30)
# Mails without a decision, a promise or a deadline; nobody is called when one of them is lost.
CASUAL = frozenset(
    {
        "account_activated",
        "account_reinstated",
        "mail_channel_not_taken",
        "mail_not_matched",
        "mail_too_large",
        "mail_unproven",
        "mail_without_number",
        "refund_pending",
        "refund_reference",
    }
)


class Trouble(StrEnum):
    """What came back of a mail.

    `bounced` is for good: the address takes no mail. `undelivered` was given up after hours of
    tries, as at a full mailbox. `complained` is marked as spam by whoever got it.
    """

    BOUNCED = "bounced"
    UNDELIVERED = "undelivered"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class MailTrouble:
    """What came back of the mail with this id, which is its effect's.

    `address` is a digest of the address that it went to (`address_digest`), empty once it is
    erased; `detail` is SES's word for the kind of bounce or complaint.
    """

    id: str
    customer: str
    trouble: Trouble
    template: str
    at: datetime
    detail: str
    address: str

    def stops(self, address: str, now: datetime) -> bool:
        """Whether it forbids mails to the address with this digest at `now`."""
        if not self.address or self.address != address:
            return False
        match self.trouble:
            case Trouble.COMPLAINED:
                return True
            case Trouble.BOUNCED:
                return now < self.at + BOUNCED_FOR
            case Trouble.UNDELIVERED:
                return False


def address_digest(customer: str, address: str) -> str:
    """What an address of a customer is known by; another customer's has another."""
    known = f"{customer}:{address.strip().lower()}"
    return hashlib.sha256(known.encode()).hexdigest()[:32]
