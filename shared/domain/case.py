"""Reading a case: the In document of a quote becomes facts, or all of its faults at once."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.domain import facts
from shared.domain.case_form import MEMBERS, Values
from shared.domain.facts import Case, LineKind
from shared.domain.periods import Period
from shared.domain.shapes import FAULTY, Fault, FaultsError, Record, peek, read_document


class CaseFaultsError(FaultsError):
    """A case that cannot be decided; ``faults`` names every fault with its JSON path."""


def parse_case(document: Mapping[str, object]) -> Case:
    """The facts of an In document.

    Raises:
        CaseFaultsError: with every fault of the document.
    """
    try:
        case: Case = read_document(CASE, document)
    except FaultsError as error:
        raise CaseFaultsError(error.faults) from None
    return case


def _lines(invoices: Any) -> Iterator[tuple[str, Any]]:
    """Each line that could at least be recognised, with its path."""
    for i, invoice in enumerate(invoices if isinstance(invoices, tuple) else ()):
        lines = peek(invoice, "lines")
        for j, line in enumerate(lines if isinstance(lines, tuple) else ()):
            if line is not FAULTY:
                yield f"$.invoices[{i}].lines[{j}]", line


def _check(values: Values, _path: str, faults: list[Fault]) -> None:
    """What contradicts between the parts of a case."""
    invoices = values["invoices"]
    lines = list(_lines(invoices))
    _check_currencies(invoices, faults)
    _check_payments(invoices, faults)
    _check_ids_and_credits(lines, faults)
    _check_usage(lines, _received_at(values), faults)


def _check_currencies(invoices: Any, faults: list[Fault]) -> None:
    first = FAULTY
    for i, invoice in enumerate(invoices if isinstance(invoices, tuple) else ()):
        currency = peek(invoice, "currency")
        if first is FAULTY:
            first = currency
        elif currency not in (FAULTY, first):
            faults.append(
                Fault(f"$.invoices[{i}].currency", str(currency), f"the first invoice's, {first}")
            )


def _check_payments(invoices: Any, faults: list[Fault]) -> None:
    for i, invoice in enumerate(invoices if isinstance(invoices, tuple) else ()):
        payments = peek(invoice, "payments")
        seen: set[Any] = set()
        for j, payment in enumerate(payments if isinstance(payments, tuple) else ()):
            name = peek(payment, "id")
            if name is not FAULTY and name in seen:
                path = f"$.invoices[{i}].payments[{j}].id"
                faults.append(Fault(path, str(name), "each payment once an invoice"))
            seen.add(name)


def _check_ids_and_credits(lines: list[tuple[str, Any]], faults: list[Fault]) -> None:
    by_id: dict[Any, Any] = {}
    for path, line in lines:
        name = peek(line, "id")
        if name is not FAULTY and name in by_id:
            faults.append(Fault(f"{path}.id", str(name), "an id that no other line has"))
        by_id[name] = line
    for path, line in lines:
        credited = peek(line, "credits")
        for k, name in enumerate(credited if isinstance(credited, tuple) else ()):
            if name is not FAULTY and not _can_be_credited(by_id.get(name)):
                allowed = "the id of a positive line with a period in this case"
                faults.append(Fault(f"{path}.credits[{k}]", str(name), allowed))


def _can_be_credited(line: Any) -> bool:
    if line is None:
        return False
    amount, period = peek(line, "amount"), peek(line, "period")
    return (amount is FAULTY or amount >= 0) and period is not None


def _received_at(values: Values) -> datetime | None:
    """When the request came, if the document lets us know."""
    received = peek(values["request"], "received_at")
    at = values["now"] if received is None else received
    return at if isinstance(at, datetime) else None


def _check_usage(lines: list[tuple[str, Any]], at: datetime | None, faults: list[Fault]) -> None:
    for path, line in lines:
        period = peek(line, "period")
        if (
            at
            and peek(line, "kind") is LineKind.USAGE
            and peek(line, "used_amount") is None
            and isinstance(period, Period)
            and period.start < at < period.end
        ):
            allowed = "the amount used, since the request falls into the line's period"
            faults.append(Fault(f"{path}.used_amount", "null", allowed))


def _earliest(invoices: Iterable[Values], now: datetime) -> datetime:
    """The earliest start of a period, else now."""
    starts = [line.period.start for i in invoices for line in i["lines"] if line.period]
    return min(starts, default=now)


def _build(**values: Any) -> Case:
    """The case, with the defaults that depend on other members."""
    now, request = values["now"], values["request"]
    received_at = request["received_at"] or now
    purchased_at = values["customer"]["purchased_at"] or _earliest(values["invoices"], now)
    customer = values["customer"] | {"purchased_at": purchased_at}
    request = request | {
        "received_at": received_at,
        "effective_at": request["effective_at"] or now,
        "evidence": frozenset(request["evidence"]),
        "findings": frozenset(request["findings"]),
    }
    return Case(
        **values
        | {
            "customer": facts.Customer(**customer),
            "request": facts.Request(**request),
            "invoices": tuple(_invoice(i, now) for i in values["invoices"]),
            "incidents": tuple(_incident(i, now) for i in values["incidents"]),
            "approvals": tuple(_approval(a, now) for a in values["approvals"]),
        }
    )


def _invoice(values: Values, now: datetime) -> facts.Invoice:
    issued_at = values["issued_at"] or _earliest([values], now)
    return facts.Invoice(**{**values, "issued_at": issued_at})


def _incident(values: Values, now: datetime) -> facts.Incident:
    start = values["from_"]
    rest = {k: v for k, v in values.items() if k not in ("from_", "to")}
    period = Period(start, values["to"] or max(start, now))
    return facts.Incident(**rest | {"period": period, "services": frozenset(values["services"])})


def _approval(values: Values, now: datetime) -> facts.Approval:
    reviewed = frozenset(values["evidence_reviewed"])
    return facts.Approval(**{**values, "at": values["at"] or now, "evidence_reviewed": reviewed})


CASE = Record(_build, MEMBERS, _check, "One case to decide.")
