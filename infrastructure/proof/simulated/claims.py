"""Customers who ask for money back, and the staff who look, agree, decline and ask.

Each of them may lose an answer and ask the same again, or act beside another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from infrastructure.proof.simulated.callers import MOST_TRIES, Callers
from infrastructure.proof.simulated.hub import SECOND
from shared.domain.cancellation import Timing

if TYPE_CHECKING:
    from infrastructure.proof.simulated.world import World

STAFF = "/v1/staff/cases"
CASE = f"{STAFF}/{{customer}}/{{id}}"
REQUEST = "/v1/refund-requests/{id}"
OPEN = ("received", "needs_evidence", "under_review")
# What an exception takes under every policy: each member that one of them asks for.
EXCEPTION = {"goodwill": True, "verified": True, "evidence": ["screenshot"]}


class Claims:
    """All requests for money back of a lifetime, and whoever has a say in them."""

    def __init__(self, world: World, callers: Callers) -> None:
        self._world = world
        self._callers = callers
        self._known: dict[str, set[str]] = defaultdict(set)

    # -- customers

    def claim(self, customer: str, ground: str) -> None:
        """Ask for what was paid back; where the answer is lost, once more."""
        body = {"invoice": f"in_{customer}", "ground": ground, "statement": "please"}
        self._open("POST /v1/refund-requests", customer, body)

    def claim_by_quote(self, customer: str, subscription: str) -> None:
        """Ask for the review of a quote that nobody could confirm alone."""
        quote = self._callers.quote(customer, subscription, Timing.IMMEDIATELY)
        if quote is not None:
            self._open("POST /v1/refund-requests", customer, {"quote_id": quote})

    def claim_by_phone(self, customer: str, person: str, ground: str) -> None:
        """Somebody calls, and a member of staff writes it down."""
        asked = {"invoice": f"in_{customer}", "ground": ground, "statement": "they called"}
        self._open(f"POST {STAFF}", person, asked | {"customer": customer, "channel": "phone"})

    def _open(self, route: str, who: str, body: Mapping[str, Any]) -> None:
        told, case = self._insist(route, who, body=body)
        if told == "yes":
            self._known[body.get("customer", who)].add(case["id"])

    def reply(self, customer: str) -> None:
        """Answer what was asked, and take a look at how it stands."""
        told, shown = self._insist("GET /v1/refund-requests", customer)
        for case in shown["data"] if told == "yes" else ():
            path = {"id": case["id"]}
            self._insist(f"GET {REQUEST}", customer, path=path)
            if case["state"] == "needs_evidence":
                self._insist(f"POST {REQUEST}/replies", customer, path=path, body={"message": "so"})

    def take_back(self, customer: str) -> None:
        """Take back whatever is open."""
        told, shown = self._insist("GET /v1/refund-requests", customer)
        for case in shown["data"] if told == "yes" else ():
            if case["state"] in OPEN:
                self._insist(f"DELETE {REQUEST}", customer, path={"id": case["id"]})

    # -- staff

    def find(self, customer: str, person: str, found: str, percent: int) -> None:
        """Record what was found out, in each case of a customer that takes findings still."""
        charged = self._world.stripe.invoices[f"in_{customer}"].facts.lines[0].amount
        expected = charged * (100 - percent) // 100
        overcharge = {"lines": {f"il_{customer}": {"expected_amount": expected}}}
        findings: Mapping[str, Mapping[str, Any]] = {
            "verified": {"verified": True, "evidence": ["screenshot"], **overcharge},
            "unfounded": {"verified": False},
            "misuse": {"findings": ["customer_misuse"]},
            "other_ground": {"ground": "billing_error", "verified": True, **overcharge},
            "goodwill": EXCEPTION,
            "goodwill_credit": EXCEPTION | {"settle_as": "credit"},
        }
        for case, _ in self._shown(customer, person):
            body = {"reason": "looked into it", **findings[found]}
            self._do("findings", customer, case, person, body)

    def ask(self, customer: str, person: str) -> None:
        """Ask the customer for what is missing."""
        for case, shown in self._shown(customer, person):
            if shown["state"] in OPEN:
                body = {"message": "which lines?", "kinds": ["screenshot"]}
                self._do("questions", customer, case, person, body)

    def decide(self, customer: str, person: str, decision: str, percent: int) -> None:
        """Decide on each open case as it is shown; `percent` of the bound where it is agreed to."""
        for case, shown in self._shown(customer, person):
            if shown["state"] in (*OPEN, "referred"):
                body: dict[str, Any] = {"decide": decision, "reason": "it is right"}
                if decision == "approve":
                    body |= self._consent(case, person, shown, percent)
                self._do("decision", customer, case, person, body)

    def _consent(
        self, case: str, person: str, shown: Mapping[str, Any], percent: int
    ) -> dict[str, Any]:
        """An approval of exactly what is shown; the watch hears of it before anybody else."""
        bound = shown["quote"]["total"]
        part = {} if percent in (0, 100) else {"amount": max(1, bound * percent // 100)}
        self._world.watch.consented(case, person, shown["digest"], part.get("amount", bound))
        reviewed = shown["facts"]["request"]["evidence"]
        return {"digest": shown["digest"], "evidence_reviewed": reviewed, **part}

    def _shown(self, customer: str, person: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each case of a customer as staff see it now: those in the queue, and those known."""
        names = set(self._known[customer])
        if not names or self._world.chance(4) == 0:
            told, queue = self._insist(f"GET {STAFF}", person)
            rows = queue["data"] if told == "yes" else ()
            names |= {row["id"] for row in rows if row["customer"] == customer}
        for case in sorted(names):
            told, shown = self._insist(
                f"GET {CASE}", person, path={"customer": customer, "id": case}
            )
            if told == "yes":
                yield case, shown

    def _do(
        self, what: str, customer: str, case: str, person: str, body: Mapping[str, Any]
    ) -> None:
        path = {"customer": customer, "id": case}
        self._insist(f"POST {CASE}/{what}", person, path=path, body=body)

    def _insist(
        self,
        route: str,
        who: str,
        *,
        body: object = None,
        path: Mapping[str, str] | None = None,
    ) -> tuple[str, Any]:
        """The same request until there is an answer, or nobody asks any more."""
        told, answer = "unknown", None
        groups = (role_of(who),) if "/staff/" in route else ()
        for _ in range(MOST_TRIES):
            told, answer = self._callers.call(route, who, body=body, path=path, groups=groups)
            if told != "unknown":
                break
            self._world.hub.wait(SECOND + self._world.chance(30 * SECOND))
        return told, answer


def role_of(person: str) -> str:
    """The role of a member of staff, whose name begins with it."""
    return person.partition("-")[0]
