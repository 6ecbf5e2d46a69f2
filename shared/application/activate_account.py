"""The first payment for a subscription activates the account, once.

The set-up mail comes with it where a clause of the policy promises it by e-mail.

Which payment was the first is asked of Stripe, not of the order in which events come in: whichever
event arrives first activates, and every other one finds it done.
"""

from dataclasses import replace
from datetime import timedelta

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.domain.clauses import Event
from shared.domain.errors import NotReadyError
from shared.domain.invoice import InvoiceFacts
from shared.ports import Services

# Three days of Stripe's retries and fourteen of a dead letter that is put back: what was paid
# before that was paid before this product was here, and its customer needs no set-up mail.
_NEWS = timedelta(days=17)


def activate_account(services: Services, *, customer: str | None) -> str:
    """What came of it, as a word for the metrics.

    Raises:
        NotReadyError: Stripe's list does not show the payment yet.
    """
    if customer is None:
        return "invoice_of_nobody"

    def decide(change: Change) -> str:
        if change.account.activated_at is not None:
            return "nothing_new"
        paid = services.billing.paid_invoices(customer)
        if not paid:
            raise NotReadyError(f"no paid invoice of {customer} is listed")
        first = next((invoice for invoice in paid if _counts(invoice)), None)
        if first is None:
            return "not_activating"
        return _activate(change, first)

    return transact(services, customer, "stripe", decide)


def _counts(invoice: InvoiceFacts) -> bool:
    """Whether something was paid for a subscription: a free trial's invoice is no payment."""
    return invoice.subscription is not None and any(
        line.amount + line.tax > 0 for line in invoice.lines
    )


def _activate(change: Change, first: InvoiceFacts) -> str:
    at = first.paid_at or first.created_at
    change.account = replace(change.account, activated_at=at)
    reference = {"subscription": first.subscription, "invoice": first.id}
    if change.now - at > _NEWS:
        change.audit("account_was_active", "its first payment is old", **reference)
        return "was_active"
    services = change.services
    promised = services.policies.load_policy(services.policy, change.now).duty(Event.ACTIVATION)
    why = promised.id if promised else "the first payment for a subscription"
    change.audit("account_activated", why, **reference)
    if promised is not None and "email" in promised.channels:
        change.mail("account_activated", {"invoice": first.number or first.id})
    change.publish("AccountActivated", reference | {"activated_at": instant(at)})
    return "activated"
