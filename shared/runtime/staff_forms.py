"""What staff's requests carry: ids, codes and amounts. Free text is no part of them."""

from typing import Annotated, TypeVar

import msgspec

from shared.application.client_keys import ClientCall
from shared.application.early_warnings import WarningWord
from shared.application.judge_dispute import Judgement
from shared.application.manage_account import CostEntry, End, Found
from shared.domain.facts import Finding
from shared.domain.staff import StaffMember
from shared.runtime.bootstrap import AwsServices
from shared.runtime.http import Request

B = TypeVar("B")

# A ticket, a file, a number: words that name nobody and say nothing.
Reference = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._/#-]{0,99}$")]
Currency = Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]
StripeId = Annotated[str, msgspec.Meta(pattern="^[a-z]{2,5}_[A-Za-z0-9_]{1,250}$")]
Amount = Annotated[int, msgspec.Meta(gt=0, le=99_999_999)]


class Violation(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What was found, and where it is written down."""

    finding: Finding
    reference: Reference

    def found(self) -> Found:
        """What it says."""
        return Found(self.finding, self.reference)


class EndForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which subscription ends, and for what."""

    subscription: StripeId
    finding: Finding
    reference: Reference

    def end(self) -> End:
        """What it says."""
        return End(self.subscription, Found(self.finding, self.reference))


class CostForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What was paid to others for contesting a dispute (minor units), with its receipt."""

    dispute: StripeId
    amount: Amount
    currency: Currency
    what: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{2,39}$")]
    receipt: Reference

    def entry(self) -> CostEntry:
        """What it says."""
        return CostEntry(self.dispute, self.amount, self.currency, self.what, self.receipt)


class JudgementForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is done with a dispute."""

    decision: Judgement


class WarningForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What becomes of a payment that was warned of."""

    decision: WarningWord


class CollectForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """In which currency what is owed is asked for."""

    currency: Currency


def read(
    request: Request, services: AwsServices, shape: type[B]
) -> tuple[StaffMember, ClientCall, B]:
    """Who calls, the key of the call, and its body."""
    by = request.staff(services)
    # A key belongs to whoever chose it, on the route that they called.
    call = request.client_call(f"{request.route} {by.actor}")
    return by, call, request.json(shape)
