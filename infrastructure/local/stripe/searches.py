"""Search: Stripe's query language over the fields that its documentation lists for each object.

`field:"value"`, `field~"part"`, `field>1`, `-field:"value"`, joined by AND or by OR, never both.
Stripe finds what is new only after up to a minute (documentation); the setting `search_lag_seconds`
hides what is younger than that.
"""

import re
from collections.abc import Callable
from typing import Any

from infrastructure.local.stripe.errors import invalid, unmodelled
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

FIELDS = {
    "charges": "amount created currency customer disputed metadata refunded status",
    "customers": "created email metadata name phone",
    "invoices": "created currency customer metadata number status subscription total",
    "payment_intents": "amount created currency customer metadata status",
    "subscriptions": "created metadata status canceled_at",
}
CLAUSE = re.compile(
    r"""(?P<no>-?)(?P<field>\w+)(?:\[["'](?P<key>[^"']+)["']\])?"""
    r"""(?P<sign>:|~|>=|<=|>|<)(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|\w+)"""
)
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda found, wanted: found > wanted,
    ">=": lambda found, wanted: found >= wanted,
    "<": lambda found, wanted: found < wanted,
    "<=": lambda found, wanted: found <= wanted,
}


def _fits(row: Json, clause: re.Match[str]) -> bool:
    wanted: Any = clause["value"].strip("\"'")
    found = row.get(clause["field"])
    if clause["field"] == "subscription":
        found = ((row["parent"] or {}).get("subscription_details") or {}).get("subscription")
    if clause["key"]:
        found = (found or {}).get(clause["key"])
    if wanted == "null":
        fits = found is None
    elif clause["sign"] == "~":
        fits = str(wanted).lower() in str(found or "").lower()
    elif clause["sign"] == ":":  # strings without regard to case (documentation)
        fits = str(found).lower() == str(wanted).lower()
    else:
        fits = found is not None and COMPARED[clause["sign"]](found, int(wanted))
    return fits != bool(clause["no"])


def _parsed(query: str, fields: str) -> tuple[list[re.Match[str]], bool]:
    """The clauses, and whether all of them must hold; texts of the refusals unverified."""
    parts = re.split(r"\s+(AND|OR)\s+", query.strip(), flags=re.IGNORECASE)
    joints = {part.upper() for part in parts[1::2]}
    if len(joints) > 1:
        raise invalid("You can't combine AND and OR in a search query.", param="query")
    clauses = []
    for part in parts[::2]:
        clause = CLAUSE.fullmatch(part)
        if clause is None:
            raise invalid(f"We were unable to parse your search query: {part}", param="query")
        if clause["field"] not in fields.split():
            raise invalid(
                f"Field `{clause['field']}` is an unsupported search field.", param="query"
            )
        clauses.append(clause)
    return clauses, joints != {"OR"}


def _register(name: str, kind: str, fields: str) -> None:
    url = f"/v1/{name}/search"

    @endpoint("GET", url, "query limit")
    def search(store: Store, params: Json) -> Json:
        clauses, every = _parsed(params["query"], fields)
        until = store.now() - store.settings["search_lag_seconds"]
        rows = [
            row
            for row in store.rows(kind)
            if row["created"] <= until
            and (all if every else any)(_fits(row, clause) for clause in clauses)
        ]
        limit = params.get("limit", 10)
        if len(rows) > limit:
            raise unmodelled("a further page of a search")
        return {
            "object": "search_result",
            "data": rows,
            "has_more": False,
            "next_page": None,
            "url": url,
        }


for _name, _fields in FIELDS.items():
    _register(_name, _name.removesuffix("s"), _fields)
