"""Keep who of the staff has looked at whom; exports and erasures say why."""

from collections.abc import Iterable
from typing import Any

from shared.application.case_document import instant
from shared.application.change import present
from shared.domain.account import Account
from shared.domain.errors import InvalidRequestError
from shared.domain.privacy_records import AccessEntry
from shared.ports import Put, Services

_NEEDS_REASON = ("asked_",)


def log_access(
    services: Services, customer: str, *, actor: str, what: str, reason: str = ""
) -> None:
    """Note that `actor` has looked at `customer`, before anything is shown.

    Kept twice, with the customer and with the person, so that both questions are one query; a look
    at nobody with the person alone, so that no id that somebody tries makes a customer. Append only
    and resting on nothing, so it needs no turn of the account's version.

    Args:
        services: the ports.
        customer: at whom.
        actor: `StaffMember.actor`.
        what: what was looked at, as a word.
        reason: why.

    Raises:
        InvalidRequestError: an export or an erasure without a reason.
    """
    if what.startswith(_NEEDS_REASON) and not reason.strip():
        fault = {"path": "$.reason", "message": "a request on behalf of a person needs a reason"}
        raise InvalidRequestError("invalid-request", "A reason is missing.", {"errors": [fault]})
    entry_id, now = services.ids.new(), present(services)
    found = services.store.get(Account, customer) is not None
    services.store.commit(
        [
            Put(AccessEntry(owner, entry_id, now, actor, customer, what, reason, found), 0)
            for owner in ((customer, actor) if found else (actor,))
        ]
    )


def log_list(services: Services, customers: Iterable[str], *, actor: str, what: str) -> None:
    """Note that `actor` was shown a list on which these customers stand, each of them once."""
    for customer in sorted(set(customers)):
        log_access(services, customer, actor=actor, what=what)


def access_log(services: Services, *, of: str) -> dict[str, Any]:
    """Who has looked at a customer, or at whom a member of staff (by actor name) has looked."""
    found = services.store.all_of(AccessEntry, of)
    return {
        "entries": [
            {
                "at": instant(one.record.at),
                "actor": one.record.actor,
                "customer": one.record.looked_at,
                "what": one.record.what,
                "reason": one.record.reason,
            }
            for one in found
        ]
    }
