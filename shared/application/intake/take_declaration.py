"""Take a declaration of somebody who is not signed in: a receipt at once, and no money before."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, present, transact
from shared.application.intake.answer import answer
from shared.application.intake.limit_rate import take
from shared.domain.declaration import (
    Declaration,
    DeclarationKind,
    DeclarationState,
    MatchedDeclaration,
    digest_of_code,
    partition_of,
)
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError, ErasedError, NotFoundError, TooManyRequestsError
from shared.domain.mail_verdict import same_address, sender_key
from shared.domain.tally import day_of
from shared.ports import Put, Services

_KIND = "declaration"
# One person cancels a contract or two on a day; a receipt each is no nuisance to whoever is named.
_PER_DAY = 5
# How many words of what was named as the contract are looked up.
_WORDS = 5


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody declares; `contract` names an invoice or a subscription, in any words."""

    kind: DeclarationKind
    name: str
    contract: str
    email: str
    text: str = ""


def take_declaration(services: Services, declared: Declared) -> dict[str, Any]:
    """The receipt: which declaration, and when it came in.

    Raises:
        TooManyRequestsError: there were as many for this address today as there may be.
    """
    name = services.ids.new()
    since = day_of(present(services))
    owner = sender_key(declared.email)
    if not take(services, owner=owner, name=_KIND, since=since, thing=name, limit=_PER_DAY):
        raise TooManyRequestsError(
            "too-many-requests", "There were several declarations for this address today."
        )
    code = services.ids.new()

    def decide(change: Change) -> Declaration:
        content = json.dumps(asdict(declared)).encode()
        sealed = services.vault.seal(content, customer=change.customer, kind=_KIND, record=name)
        made = Declaration(
            id=name,
            customer=change.customer,
            kind=declared.kind,
            state=DeclarationState.RECEIVED,
            received_at=change.now,
            sealed=sealed,
            code_digest=digest_of_code(code),
        )
        change.put(made)
        shown = change.now.strftime("%Y-%m-%d %H:%M:%S UTC")
        values = {
            "declaration": name,
            "received_at": shown,
            "contract": declared.contract,
            "name": declared.name,
            "code": code,
        }
        answer(change, declared.email, f"{declared.kind.value}_declared", values)
        change.audit("declaration_received", declared.kind.value, declaration=name)
        return made

    return declaration_document(transact(services, partition_of(name), "guest", decide))


def confirm_declaration(services: Services, declaration: str, code: str) -> dict[str, Any]:
    """The declaration with its mail address confirmed, and matched where that says whose it is.

    Raises:
        NotFoundError: no such declaration, or not its code (any more).
    """
    known = load_declaration(services, declaration)
    if not known.answers(code, present(services)):
        _count_try(services, declaration)
        raise NotFoundError("declaration with that code")
    found = find_contract(services, declared_in(services, known))

    def decide(change: Change) -> Declaration:
        current = change.load(Declaration, declaration)
        if current is None or not current.answers(code, change.now):
            raise NotFoundError("declaration with that code")
        if current.state is not DeclarationState.RECEIVED:
            return current
        confirmed = replace(current, state=DeclarationState.CONFIRMED)
        change.audit("declaration_confirmed", "by its code", declaration=declaration)
        if found is None:
            change.put(confirmed)
            return confirmed
        return _matched(change, confirmed, *found, by="confirmed address")

    return declaration_document(transact(services, partition_of(declaration), "guest", decide))


def match_declaration(
    services: Services, declaration: str, *, customer: str, subscription: str, by: str
) -> dict[str, Any]:
    """The declaration, matched by staff.

    Raises:
        NotFoundError: no such declaration, or no such subscription of that customer.
        ConflictError: it is matched already.
    """
    seen = services.billing.subscription(subscription)
    if seen is None or seen.customer != customer:
        raise NotFoundError("subscription")

    def decide(change: Change) -> Declaration:
        known = change.load(Declaration, declaration)
        if known is None:
            raise NotFoundError("declaration")
        if known.due_at is None:
            raise ConflictError("already-matched", "This declaration is matched already.")
        return _matched(change, known, customer, subscription, by=by)

    return declaration_document(transact(services, partition_of(declaration), by, decide))


def _matched(
    change: Change, known: Declaration, customer: str, subscription: str, *, by: str
) -> Declaration:
    matched = replace(
        known,
        state=DeclarationState.MATCHED,
        of_customer=customer,
        subscription=subscription,
        matched_by=by,
    )
    change.put(matched)
    change.beside(Put(_kept_with(change.services, matched, customer), 0))
    change.effect(EffectKind.CARRY_OUT_DECLARATION, {"declaration": known.id})
    change.audit("declaration_matched", f"by {by}", declaration=known.id, subscription=subscription)
    return matched


def _kept_with(services: Services, known: Declaration, customer: str) -> MatchedDeclaration:
    """What keeps a declaration with the customer whose it is."""
    try:
        content = json.dumps(asdict(declared_in(services, known))).encode()
        sealed = services.vault.seal(content, customer=customer, kind=_KIND, record=known.id)
    except ErasedError:  # somebody who was erased: nothing of theirs is taken in any more
        sealed = b""
    return MatchedDeclaration(known.id, customer, known.kind, known.received_at, sealed)


def find_contract(services: Services, declared: Declared) -> tuple[str, str] | None:
    """The (customer, subscription) that was named, if the mail address is that customer's."""
    for word in declared.contract.replace(",", " ").split()[:_WORDS]:
        customer, subscription = _named(services, word)
        if customer is None or subscription is None:
            continue
        contact = services.billing.contact(customer)
        if contact and contact.email and same_address(contact.email, declared.email):
            return customer, subscription
    return None


def _named(services: Services, word: str) -> tuple[str | None, str | None]:
    if word.startswith("sub_"):
        seen = services.billing.subscription(word)
        return (seen.customer, seen.id) if seen else (None, None)
    invoice = services.billing.invoice_numbered(word)
    return (invoice.customer, invoice.subscription) if invoice else (None, None)


def _count_try(services: Services, declaration: str) -> None:
    def decide(change: Change) -> None:
        known = change.load(Declaration, declaration)
        if known is not None:
            change.put(known.tried())

    transact(services, partition_of(declaration), "guest", decide)


def load_declaration(services: Services, declaration: str) -> Declaration:
    """A declaration as it is.

    Raises:
        NotFoundError: no such declaration.
    """
    stored = services.store.get(Declaration, partition_of(declaration), declaration)
    if stored is None:
        raise NotFoundError("declaration with that code")
    return stored.record


def declared_in(services: Services, declaration: Declaration) -> Declared:
    """What was declared.

    Raises:
        ErasedError: it was erased.
    """
    opened = services.vault.open(
        declaration.sealed, customer=declaration.customer, kind=_KIND, record=declaration.id
    )
    content = json.loads(opened)
    return Declared(**content | {"kind": DeclarationKind(content["kind"])})


def declaration_document(declaration: Declaration) -> dict[str, Any]:
    """A declaration as its sender sees it: nothing about whom it was matched with."""
    return {
        "id": declaration.id,
        "kind": declaration.kind.value,
        "state": declaration.state.value,
        "received_at": instant(declaration.received_at),
    }


def list_declarations(services: Services, *, after: str | None) -> dict[str, Any]:
    """A page of those that nobody has matched, the oldest first, opened for staff."""
    page = services.store.queued(Declaration.queue, limit=50, after=after)
    rows = []
    for key in page.rows:
        known = load_declaration(services, key.id)
        if known.due_at is not None:
            content = asdict(declared_in(services, known))
            rows.append(declaration_document(known) | {"declared": content})
    return {"data": rows, "next": page.after}
