"""Take the person out of a customer's records, and the links from sign-ins to them."""

from typing import Any

from shared.application.change import Change, transact
from shared.domain.data_map import RecordMap, without_person
from shared.domain.data_map_records import RECORDS
from shared.domain.privacy_records import Login
from shared.domain.records import Identity
from shared.ports import Delete, Services

# A transaction holds a hundred items; the account and the audit line go along.
_PER_COMMIT = 80


def forget_records(services: Services, customer: str) -> int:
    """Empty every field that erasure takes; how many records were changed.

    What is done already is skipped, so that it may be repeated, and whoever writes meanwhile wins
    and is looked at again.
    """
    emptied = 0
    for kind, entry in RECORDS.items():
        if entry.erased() and kind not in (Identity, Login):
            while part := _still_personal(services, customer, kind, entry):
                emptied += _empty(services, customer, part, entry)
    return emptied


def unlink_sign_ins(change: Change) -> int:
    """Delete the links between sign-ins and the change's customer; how many there were."""
    logins = change.services.store.all_of(Login, change.customer)
    for stored in logins:
        login = change.load(Login, stored.record.issuer, stored.record.subject)
        if login is None:
            continue
        change.delete(login, login.issuer, login.subject)
        identity = change.services.store.get(Identity, login.issuer, login.subject)
        if identity is not None and identity.record.customer == change.customer:
            change.beside(Delete(identity.record, identity.version))
    return len(logins)


def _still_personal(
    services: Services, customer: str, kind: type[Any], entry: RecordMap
) -> list[Any]:
    records = [stored.record for stored in services.store.all_of(kind, customer)]
    left = [record for record in records if without_person(record, entry) != record]
    return left[:_PER_COMMIT]


def _empty(services: Services, customer: str, part: list[Any], entry: RecordMap) -> int:
    def decide(change: Change) -> int:
        for known in part:
            record = change.load(type(known), known.id)
            if record is not None:
                change.put(without_person(record, entry))
        change.audit("records_emptied", "erasure", records=len(part))
        return len(part)

    return transact(services, customer, "erasure", decide)
