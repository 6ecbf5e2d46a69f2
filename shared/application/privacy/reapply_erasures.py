"""Erase again in a table from a backup whoever was erased since: before it opens."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.application.change import Change, transact
from shared.application.privacy.begin_request import choose
from shared.application.privacy.forget_records import forget_records, unlink_sign_ins
from shared.domain.account import Account
from shared.domain.privacy import PrivacyChoices
from shared.ports import Services


@dataclass(frozen=True, slots=True)
class Reapplied:
    """How many were erased before, and of them in the restored table as persons still."""

    erased: int
    found_again: int


def reapply_erasures(services: Services, progress: Callable[[str], None]) -> Reapplied:
    """Go through the ledger of erasures, which no restore touches; may be repeated.

    The ledger is what is left of destroyed data keys. Files and sign-ins are in no backup.
    """
    erased = found = 0
    for line in services.vault.destroyed():
        erased += 1
        if services.store.get(Account, line.customer) is None:
            continue
        emptied = forget_records(services, line.customer)

        def decide(change: Change) -> int:
            known = change.load(PrivacyChoices)
            links = unlink_sign_ins(change)
            if known is None or known.erased_at is None:
                choose(change, erased_at=line.at)  # noqa: B023 - run before the loop goes on
                change.audit("erased_again", "restored from a backup", links=links)
            return links

        if emptied + transact(services, line.customer, "restore", decide):
            found += 1
            progress(line.customer)
    return Reapplied(erased, found)
