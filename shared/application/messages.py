"""The mails that customers get. Plain text; figures are passed in already written out."""

from collections.abc import Mapping
from string import Template

from shared.domain.errors import BrokenInvariantError

_MAILS: dict[str, tuple[str, str]] = {
    "cancellation_scheduled": (
        "Your subscription will end on $effective_at",
        "Your cancellation is in. Service goes on until $effective_at and nothing is charged for "
        "the time after it.\nUntil then you can take the cancellation back.\n\n"
        "Subscription: $subscription\nReference: $cancellation\n",
    ),
    "cancellation_withdrawn": (
        "Your subscription goes on",
        "You have taken your cancellation back. Your subscription renews as before.\n\n"
        "Subscription: $subscription\nReference: $cancellation\n",
    ),
    "subscription_ended": (
        "Your subscription has ended",
        "Your subscription ended at $ended_at. Nothing is charged for the time after it.\n\n"
        "Subscription: $subscription\n",
    ),
    "refund_issued": (
        "Your refund of $amount is on its way",
        "We have sent $amount back to the payment method that you paid with. Banks take some "
        "days to show it.\n\nRefund: $stripe_refund\nReference: $refund\n",
    ),
    "account_suspended": (
        "Your account is suspended",
        "Your bank has taken back the payment $charge ($amount), so your account is suspended "
        "and nothing more is charged.\nIf this was a mistake, ask your bank to withdraw the "
        "dispute $dispute; service comes back as soon as it is settled in our favour.\n",
    ),
    "account_reinstated": (
        "Your account is active again",
        "The dispute $dispute is settled and your account has full service again.\n",
    ),
    "chargeback_lost": (
        "An amount is outstanding on your account",
        "Your bank has decided the dispute $dispute in your favour. $owed is now outstanding on "
        "your account. We will not charge it on our own; reply to this mail to settle it.\n",
    ),
}


def write_mail(template: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text of a mail.

    Raises:
        BrokenInvariantError: there is no such template, or a value is missing.
    """
    try:
        subject, text = _MAILS[template]
        return Template(subject).substitute(values), Template(text).substitute(values)
    except KeyError as missing:
        raise BrokenInvariantError(f"mail {template}: no {missing}") from missing
