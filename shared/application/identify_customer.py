"""Whose sign-in is it: links from `(issuer, subject)` to a customer, made on the server's side."""

from shared.application.change import present
from shared.domain.errors import ConflictError, ForbiddenError
from shared.domain.privacy_records import Login
from shared.domain.records import Identity
from shared.ports import Put, Services


def identify_customer(services: Services, *, issuer: str, subject: str) -> str:
    """The customer linked to a sign-in.

    Raises:
        ForbiddenError: nobody has linked it yet; says what to do.
    """
    stored = services.store.get(Identity, issuer, subject)
    if stored is None:
        raise ForbiddenError(
            "not-linked",
            "This sign-in is not linked to a customer. Ask the company's support to link it.",
        )
    return stored.record.customer


def link_identity(services: Services, *, issuer: str, subject: str, customer: str, by: str) -> bool:
    """Link a sign-in to a customer; False when it was linked to that customer before.

    Raises:
        ConflictError: it is linked to another customer.
    """
    stored = services.store.get(Identity, issuer, subject)
    if stored is None:
        now = present(services)
        identity = Identity(issuer, subject, customer, now, by)
        # The customer's own partition names it too, so that an erasure finds it.
        login = Login(customer, issuer, subject, now)
        services.store.commit([Put(identity, 0), Put(login, 0)])
        return True
    if stored.record.customer != customer:
        raise ConflictError("linked-elsewhere", "This sign-in is linked to another customer.")
    return False
