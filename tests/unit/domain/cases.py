"""Builders of In documents: Ann's annual plan, and whatever a test changes about it."""

import io
import json
from contextlib import redirect_stdout
from typing import Any
from unittest.mock import patch

from infrastructure.cli.__main__ import main

NOW = "2026-03-10T12:00:00Z"
YEAR = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}


def line(name: str = "il_1", amount: int = 120000, **changes: Any) -> dict[str, Any]:
    return {"id": name, "kind": "subscription", "amount": amount, "period": YEAR} | changes


def payment(name: str = "pi_1", amount: int = 120000, **changes: Any) -> dict[str, Any]:
    return {"id": name, "amount": amount} | changes


def invoice(
    lines: list[dict[str, Any]] | None = None,
    payments: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    return {
        "currency": "usd",
        "lines": [line()] if lines is None else lines,
        "payments": [payment()] if payments is None else payments,
    } | changes


def case(
    policy: str = "voip", *, request: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    return {
        "policy": policy,
        "now": NOW,
        "invoices": [invoice()],
        "request": {"ground": "unused_period"} | (request or {}),
    } | changes


def quote(document: dict[str, Any]) -> dict[str, Any]:
    """What ``fairexit quote -`` prints."""
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(document).encode()))
    printed = io.StringIO()
    with patch("sys.stdin", stdin), redirect_stdout(printed):
        assert main(["quote", "-"]) == 0
    out: dict[str, Any] = json.loads(printed.getvalue())
    return out


def trace_of(out: dict[str, Any], clause: str, kind: str) -> list[dict[str, Any]]:
    return [e for e in out["trace"] if (e["clause"], e["kind"]) == (clause, kind)]
