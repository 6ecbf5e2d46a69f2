"""One decision and its commit, while others commit as well."""

from dataclasses import replace
from functools import partial

from shared.application.change import Change, transact
from shared.domain.account import Account
from shared.domain.records import AuditEntry
from tests.application.builders import CUSTOMER, services_with_annual_plan


def test_what_is_read_again_after_another_commit_does_not_take_that_back() -> None:
    """The second reading brought the other's version, and the first one's record met it."""
    services = services_with_annual_plan()
    tries = 0

    def hold(change: Change, invoice: str) -> None:
        account = change.account
        change.account = replace(account, held_invoices=(*account.held_invoices, invoice))
        change.audit("held", invoice)

    def decide(change: Change) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            for invoice in ("in_1", "in_2"):
                transact(services, CUSTOMER, "other", partial(hold, invoice=invoice))
        change.load(Account)
        hold(change, "in_3")

    transact(services, CUSTOMER, "own", decide)
    stored = services.store.get(Account, CUSTOMER)
    assert tries == 2
    assert stored is not None
    assert stored.record.held_invoices == ("in_1", "in_2", "in_3")
    entries = services.store.all_of(AuditEntry, CUSTOMER)
    assert [entry.record.actor for entry in entries] == ["other", "other", "own"]
