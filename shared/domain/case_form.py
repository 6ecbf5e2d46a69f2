"""The form of a case document: its members, their defaults, and what contradicts in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain import facts
from shared.domain.periods import Period
from shared.domain.scalars import (
    COUNT,
    COUNTRY_CODE,
    CURRENCY,
    FLAG,
    MOMENT,
    POSITIVE,
    STRING,
    TEXT,
    WHOLE,
    choice,
)
from shared.domain.settings import NO_OVERRIDES, OVERRIDES
from shared.domain.shapes import FAULTY, Fault, ListOf, Member, Nullable, Record, shown

Values = Mapping[str, Any]


def _optional(shape: Any, note: str = "") -> Member:
    return Member(Nullable(shape), None, note)


def _many(shape: Any, note: str = "") -> Member:
    return Member(ListOf(shape), (), note)


def _exceeds(values: Values, part: str, whole: str, path: str, faults: list[Fault]) -> None:
    """Notes a part that is larger than its whole."""
    amount, limit = values[part], values[whole]
    if type(amount) is int and type(limit) is int and amount > max(0, limit):
        faults.append(Fault(f"{path}.{part}", str(amount), f"at most the {whole}, {limit}"))


def _check_period(values: Values, path: str, faults: list[Fault]) -> None:
    start, end = values["start"], values["end"]
    if isinstance(start, datetime) and isinstance(end, datetime) and end < start:
        faults.append(Fault(path, "a period that ends before it starts", "end at or after start"))


def _check_line(values: Values, path: str, faults: list[Fault]) -> None:
    amount, tax, credited = values["amount"], values["tax"], values["credits"]
    _exceeds(values, "used_amount", "amount", path, faults)
    if isinstance(values["returned"], facts.Returned):
        given = {"amount": amount, "tax": tax} | {
            "returned.amount": values["returned"].amount,
            "returned.tax": values["returned"].tax,
        }
        _exceeds(given, "returned.amount", "amount", path, faults)
        _exceeds(given, "returned.tax", "tax", path, faults)
    if amount is FAULTY:
        return
    if amount >= 0 and credited:
        faults.append(
            Fault(f"{path}.credits", shown(list(credited)), "an empty list on a positive line")
        )
    if amount < 0 and credited == ():
        faults.append(
            Fault(f"{path}.credits", "a negative line that credits nothing", "ids of lines")
        )
    if amount < 0 and values["period"] is None:
        faults.append(Fault(f"{path}.period", "null", "the span that a negative line credits"))
    if tax is not FAULTY and (tax > 0 > amount or tax < 0 <= amount):
        faults.append(Fault(f"{path}.tax", str(tax), "the sign of the amount"))


def _check_payment(values: Values, path: str, faults: list[Fault]) -> None:
    _exceeds(values, "refunded", "amount", path, faults)


def _check_incident(values: Values, path: str, faults: list[Fault]) -> None:
    _check_period({"start": values["from_"], "end": values["to"]}, path, faults)


PERIOD = Record(
    Period, {"start": Member(MOMENT), "end": Member(MOMENT)}, _check_period, "Half-open."
)
SERVICE = Record(facts.Service, {"name": Member(TEXT), "weight": Member(POSITIVE, 1)})
DIFFERENCE = Record(
    facts.Difference,
    {
        "kind": Member(TEXT),
        "arithmetic": Member(TEXT),
        "amount": Member(WHOLE, 0, "Charged too much by it; negative: too little."),
        "tax": Member(WHOLE, 0),
    },
)
NOTHING_RETURNED = facts.Returned(0, 0)
RETURNED = Record(facts.Returned, {"amount": Member(COUNT, 0), "tax": Member(COUNT, 0)})
LINE = Record(
    facts.Line,
    {
        "id": Member(TEXT),
        "kind": Member(choice(facts.LineKind)),
        "amount": Member(WHOLE, note="Net after discounts; negative for a mid-cycle credit."),
        "tax": Member(WHOLE, 0),
        "period": _optional(PERIOD),
        "credits": _many(TEXT, "The lines that a negative line takes back from its start on."),
        "used_amount": _optional(COUNT, "Of prepaid usage: what was used before the request."),
        "rendered_at": _optional(MOMENT, "Service rendered, or digital product initiated."),
        "expected_amount": _optional(COUNT, "What it should have cost."),
        "expected_tax": _optional(COUNT, "Likewise. Default: the tax follows the amount."),
        "differences": _many(DIFFERENCE, "Why it should have cost something else."),
        "services": _many(SERVICE),
        "returned": Member(RETURNED, NOTHING_RETURNED, "Given back for the same ground."),
    },
    _check_line,
)
PAYMENT = Record(
    facts.Payment,
    {
        "id": Member(TEXT),
        "amount": Member(COUNT, note="This invoice's share."),
        "fee": Member(COUNT, 0),
        "refunded": Member(COUNT, 0),
        "disputed": Member(COUNT, 0),
        "refundable": Member(FLAG, default=True),
        "method": Member(choice(facts.Method), facts.Method.CARD),
    },
    _check_payment,
)
# Records built as dict have defaults that only the whole document can tell.
INVOICE = Record(
    dict,
    {
        "number": _optional(TEXT),
        "issued_at": _optional(MOMENT, "Default: the earliest period start, else now."),
        "currency": Member(CURRENCY),
        "lines": _many(LINE),
        "payments": _many(PAYMENT, "None: the invoice is unpaid."),
        "credited": Member(COUNT, 0, "Account credit given against it by credit notes."),
    },
)
CUSTOMER = Record(
    dict,
    {
        "standing": Member(choice(facts.Standing), facts.Standing.GOOD),
        "country": _optional(COUNTRY_CODE, "Default: unknown."),
        "consumer": _optional(FLAG, "Default: unknown."),
        "open_invoices": _many(TEXT, "Numbers of earlier invoices that are not fully paid."),
        "purchased_at": _optional(MOMENT, "Default: the earliest period start, else now."),
    },
)
NO_CUSTOMER: Values = {
    "standing": facts.Standing.GOOD,
    "country": None,
    "consumer": None,
    "open_invoices": (),
    "purchased_at": None,
}
REQUEST = Record(
    dict,
    {
        "ground": Member(choice(facts.Ground)),
        "received_at": _optional(MOMENT, "Default: now."),
        "effective_at": _optional(MOMENT, "When the service is to end. Default: now."),
        "channel": Member(TEXT, "portal"),
        "evidence": _many(TEXT, "The kinds of evidence that are present."),
        "verified": _optional(FLAG, "Staff's finding on the ground; null: not yet."),
        "findings": _many(choice(facts.Finding)),
        "service_date": _optional(MOMENT),
        "amount_asked": _optional(COUNT, "An upper bound."),
        "settle_as": _optional(choice(facts.SettleAs), "Default: refund."),
    },
)
NO_WITHDRAWAL = facts.Withdrawal(informed=None, started_on_request=None, loss_waiver=None)
WITHDRAWAL = Record(
    facts.Withdrawal,
    {
        "informed": _optional(FLAG, "Told of the right. Default: unknown."),
        "started_on_request": _optional(FLAG, "Asked to start at once. Default: unknown."),
        "loss_waiver": _optional(FLAG, "Gave up the right, and lost it. Default: unknown."),
    },
)
INCIDENT = Record(
    dict,
    {
        "from": Member(MOMENT, attribute="from_"),
        "to": _optional(MOMENT, "Default: now; it goes on."),
        "reported_at": _optional(MOMENT, "Default: when the request was received."),
        "resolved_at": _optional(MOMENT),
        "attribution": _optional(choice(facts.Attribution), "Default: unknown."),
        "beyond_sla": _optional(FLAG, "Default: unknown."),
        "services": _many(TEXT, "Those hit; none: all."),
    },
    _check_incident,
)
DEDUCTION = Record(facts.NamedDeduction, {"what": Member(TEXT), "amount": Member(COUNT)})
APPROVAL = Record(
    dict,
    {
        "by": Member(TEXT),
        "role": Member(choice(facts.Role), facts.Role.AGENT),
        "at": _optional(MOMENT, "Default: now."),
        "amount": _optional(COUNT, "Default: the whole bound."),
        "reason": _optional(STRING, "An approval without one does not count."),
        "evidence_reviewed": _many(TEXT),
    },
)
MEMBERS = {
    "policy": Member(TEXT, note="A pack's id, id@version, or a path to a TOML file."),
    "overrides": Member(OVERRIDES, NO_OVERRIDES),
    "now": Member(MOMENT, note="The instant of the decision."),
    "customer": Member(CUSTOMER, NO_CUSTOMER),
    "invoices": _many(INVOICE),
    "request": Member(REQUEST),
    "withdrawal": Member(WITHDRAWAL, NO_WITHDRAWAL),
    "incidents": _many(INCIDENT),
    "resolved_issues": _many(MOMENT, "When each issue was resolved."),
    "per_issue_charge": _optional(COUNT, "Default: the pack's."),
    "deductions": _many(DEDUCTION),
    "approvals": _many(APPROVAL),
}
