"""Decision tables: what a pack makes of everyday situations, for its author to read.

The situations are the same for every pack: a plan of 1,200.00 for the year 2026, paid in full, and
one thing after the other changed about it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.case import parse_case
from shared.domain.facts import Ground
from shared.domain.policy import Policy
from shared.domain.refund import decide_refund, quote_document

START, DAY_7, DAY_15, DAY_16, DAY_68 = (
    f"2026-{day}T12:00:00Z" for day in ("01-01", "01-08", "01-16", "01-17", "03-10")
)
YEAR = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
LINE: Mapping[str, Any] = {"id": "plan", "kind": "subscription", "amount": 120000, "period": YEAR}
OUTAGE = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-03T00:00:00Z", "reported_at": START}
CONSUMER = {"country": "DE", "consumer": True, "purchased_at": START}
WITHDRAWN = {"informed": True, "started_on_request": True, "loss_waiver": False}


def _request(**changes: Any) -> dict[str, Any]:
    return {"request": changes}


def _outage(attribution: str, *, beyond_sla: bool) -> dict[str, Any]:
    return {"incidents": [OUTAGE | {"attribution": attribution, "beyond_sla": beyond_sla}]}


def _line(**changes: Any) -> dict[str, Any]:
    return {"line": changes}


EVERYWHERE: dict[str, dict[str, Any]] = {
    "on day 7": {},
    "on day 15": {"now": DAY_15},
    "on day 16": {"now": DAY_16},
    "on day 68": {"now": DAY_68},
    "no evidence": _request(evidence=[]),
    "verified": _request(verified=True),
    "refuted": _request(verified=False),
    "breach of terms": _request(findings=["terms_breach"]),
    "user error": _request(verified=True, findings=["user_error"]),
    "suspended": {"customer": {"standing": "suspended", "purchased_at": START}},
    "an open invoice": {"customer": {"open_invoices": ["A-0007"], "purchased_at": START}},
    "set-up only": _line(kind="setup"),
    "one-time support only": _line(kind="one_time"),
    "rendered": _request(verified=True) | _line(kind="service", rendered_at=START),
}
SITUATIONS: Mapping[Ground, dict[str, dict[str, Any]]] = {
    Ground.BILLING_ERROR: {
        "verified, 200.00 too much": _request(verified=True) | _line(expected_amount=100000)
    },
    Ground.SERVICE_DISRUPTION: {
        "the vendor's, beyond the SLA": _outage("vendor", beyond_sla=True),
        "the vendor's, inside the SLA": _outage("vendor", beyond_sla=False),
        "shared": _outage("shared", beyond_sla=True),
        "a third party's": _outage("third_party", beyond_sla=True),
    },
    Ground.DISSATISFACTION: {"two issues resolved": {"resolved_issues": [DAY_7, DAY_7]}},
    Ground.WITHDRAWAL: {
        "a German consumer": {"customer": CONSUMER, "withdrawal": WITHDRAWN},
        "an American consumer": {"customer": CONSUMER | {"country": "US"}},
    },
}


def decision_table(policy: Policy) -> str:
    """The table in Markdown: a line for all situations that come to the same."""
    rows = [
        f"# {policy.title} ({policy.id} {policy.version})",
        "",
        "| ground | situations | outcome | amount | why |",
        "|---|---|---|---|---|",
    ]
    for ground in Ground:
        alike: dict[tuple[str, ...], list[str]] = {}
        for situation, changes in (EVERYWHERE | SITUATIONS.get(ground, {})).items():
            alike.setdefault(tuple(_decided(policy, ground, changes)), []).append(situation)
        rows += [
            f"| {ground} | {'; '.join(situations)} | {' | '.join(cells)} |"
            for cells, situations in alike.items()
        ]
    return "\n".join([*rows, ""])


def _decided(policy: Policy, ground: Ground, changes: dict[str, Any]) -> Iterator[str]:
    rest = {key: value for key, value in changes.items() if key not in ("line", "request")}
    now = changes.get("now", DAY_7)
    invoice = {
        "currency": "usd",
        "issued_at": START,
        "lines": [LINE | changes.get("line", {})],
        "payments": [{"id": "payment", "amount": 120000}],
    }
    request = {"ground": ground.value, "evidence": ["log"], "service_date": START}
    document = {
        "policy": policy.id,
        "now": now,
        "customer": {"country": "IN", "consumer": False, "purchased_at": START},
        "invoices": [invoice],
        "request": request | changes.get("request", {}),
    }
    out = quote_document(decide_refund(policy, parse_case(document | rest)))
    yield out["outcome"]
    yield f"{out['total'] // 100}.{out['total'] % 100:02}"
    yield ", ".join(f"{reason['clause']}: {reason['code']}" for reason in out["reasons"])
