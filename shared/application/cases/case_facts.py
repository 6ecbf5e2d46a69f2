"""The facts of a refund case, fetched now: Stripe's, our own, and what staff have found out."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.application.case_document import instant, invoice_document
from shared.application.held import known_payments
from shared.application.incidents.recorded import incident_members
from shared.application.returned import effective_ground, note_returns
from shared.domain.account import Account
from shared.domain.case import parse_case
from shared.domain.errors import NotFoundError
from shared.domain.facts import Case, Ground
from shared.domain.invoice import InvoiceFacts
from shared.domain.policy import Policy
from shared.domain.refund_case import CaseApproval, RefundCase
from shared.ports import Services

# What staff find out about a line, and about the case as a whole: members of the case document.
LINE_FINDINGS = (
    *("kind", "expected_amount", "expected_tax", "differences"),
    *("rendered_at", "used_amount", "services"),
)
CASE_FINDINGS = ("incidents", "resolved_issues", "per_issue_charge", "deductions", "withdrawal")
# In the case document these move with the instant of asking, so nobody can have agreed to them.
_MOVING = ("now", "approvals")


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Everything that a decision on a case rests on."""

    invoices: tuple[InvoiceFacts, ...]
    document: dict[str, Any]
    case: Case
    policy: Policy
    digest: str


def gather(
    services: Services,
    case: RefundCase,
    now: datetime,
    approvals: Iterable[CaseApproval] = (),
) -> CaseFacts:
    """The facts of a case at `now`.

    Args:
        services: the ports.
        case: the case, with what staff have found out.
        now: the instant of the decision.
        approvals: the consents that are to count.

    Raises:
        NotFoundError: one of its invoices is gone.
    """
    invoices = [_invoice(services, case.customer, name) for name in case.invoices]
    documents = [_with_findings(services, case, invoice) for invoice in invoices]
    ground = effective_ground(case)
    note_returns(services, case.customer, ground, invoices, documents, besides=case.id)
    document = {
        "policy": services.policy,
        "now": instant(now),
        "customer": _customer(services, case, invoices),
        "invoices": documents,
        "request": _request(case, now),
        "approvals": [_approval(approval) for approval in approvals],
    } | {name: case.findings[name] for name in CASE_FINDINGS if name in case.findings}
    if case.ground is Ground.SERVICE_DISRUPTION and "incidents" not in case.findings:
        document["incidents"] = incident_members(services, invoices)
        _name_services(document, invoices)
    parsed = parse_case(document)
    policy = services.policies.load_policy_for(parsed)
    document["policy"] = f"{policy.id}@{policy.version}"
    return CaseFacts(tuple(invoices), document, parsed, policy, _digest(case, document, policy))


def _name_services(document: Mapping[str, Any], invoices: Sequence[InvoiceFacts]) -> None:
    """What each line sells, so that an incident counts for the lines that it hit and no others."""
    products = {line.id: line.product for invoice in invoices for line in invoice.lines}
    for invoice in document["invoices"]:
        for line in invoice["lines"]:
            product = products.get(line["id"])
            if product is not None and not line.get("services"):
                line["services"] = [{"name": product}]


def _invoice(services: Services, customer: str, reference: str) -> InvoiceFacts:
    found = services.billing.invoice_of(customer, reference)
    if found is None:
        raise NotFoundError("invoice")
    return found


def _customer(
    services: Services, case: RefundCase, invoices: Sequence[InvoiceFacts]
) -> dict[str, Any]:
    stored = services.store.get(Account, case.customer)
    account = stored.record if stored else Account(case.customer)
    first = min(invoice.created_at for invoice in invoices)
    bought = [services.billing.subscription(name) for i in invoices if (name := i.subscription)]
    contact = services.billing.contact(case.customer)
    opened = [
        other.number or other.id
        for other in services.billing.open_invoices(case.customer)
        if other.status == "open" and other.created_at < first and other.id not in case.invoices
    ]
    found = case.findings.get("customer", {})
    return {
        "standing": account.standing.value,
        "country": contact.country if contact else None,
        "consumer": None,
        "open_invoices": sorted(opened),
        "purchased_at": instant(min([s.created_at for s in bought if s], default=first)),
    } | {name: value for name, value in found.items() if value is not None}


def _with_findings(services: Services, case: RefundCase, invoice: InvoiceFacts) -> dict[str, Any]:
    """The invoice with what staff know of its lines."""
    document = invoice_document(invoice, known_payments(services, case.customer, [invoice]))
    found = case.findings.get("lines", {})
    for line in document["lines"]:
        known = found.get(line["id"], {})
        line |= {name: known[name] for name in LINE_FINDINGS if known.get(name) is not None}
    return document


def _request(case: RefundCase, now: datetime) -> dict[str, Any]:
    found = case.findings
    # A withdrawal counts from its declaration on, whenever it is decided.
    effective_at = case.opened_at if case.ground is Ground.WITHDRAWAL else now
    service_date = found.get("service_date")
    if service_date is None and case.service_date is not None:
        service_date = instant(case.service_date)
    return {
        "ground": effective_ground(case).value,
        "received_at": instant(case.opened_at),
        "effective_at": instant(effective_at),
        "channel": case.channel,
        "evidence": sorted({*case.evidence, *found.get("evidence", ())}),
        "verified": found.get("verified"),
        "findings": found.get("findings", []),
        "service_date": service_date,
        "amount_asked": case.amount_asked,
        "settle_as": found.get("settle_as") or (case.settle_as and case.settle_as.value),
    }


def _approval(approval: CaseApproval) -> dict[str, Any]:
    """A consent as the engine takes it; the reason itself is sealed, its note stands for it."""
    return {
        "by": approval.by,
        "role": "agent" if approval.role == "agent" else "approver",
        "at": instant(approval.at),
        "amount": approval.amount,
        "reason": approval.note,
        "evidence_reviewed": list(approval.evidence_reviewed),
    }


def _digest(case: RefundCase, document: Mapping[str, Any], policy: Policy) -> str:
    """A digest of exactly this request: another fact, finding or text of the policy is another."""
    fixed = {name: value for name, value in document.items() if name not in _MOVING}
    request = dict(document["request"])
    if case.ground is not Ground.WITHDRAWAL:
        del request["effective_at"]
    facts = fixed | {"case": case.id, "request": request, "digest": policy.digest}
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
