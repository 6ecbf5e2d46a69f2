"""Callers of the API: they lose answers, grow impatient, and ask again with the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.functions import request
from infrastructure.proof.simulated.hub import SECOND, Killed
from infrastructure.proof.simulated.worker import MOST_SKEW
from shared.domain.cancellation import Cancellation, Timing

if TYPE_CHECKING:
    from infrastructure.proof.simulated.world import World

ONE = "/v1/cancellations/{id}"
API_TIMEOUT = 25 * SECOND
MOST_TRIES = 8
# By which a worker's clock may be behind.
MOST_APART = timedelta(milliseconds=MOST_SKEW)


@dataclass(slots=True)
class Asked:
    """One confirmation under one key: which quote, every answer, when the first and a no came."""

    customer: str
    subscription: str
    quote: str
    yes: list[dict[str, Any]] = field(default_factory=list)
    no: list[tuple[datetime, str]] = field(default_factory=list)
    at: int = 0


class Callers:
    """All callers of a lifetime, with what they were told."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.asked: dict[str, Asked] = {}
        self.withdrawn: set[str] = set()

    def call(
        self,
        route: str,
        customer: str,
        *,
        body: object = None,
        key: str = "",
        path: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
    ) -> tuple[str, Any]:
        """One request: `yes` with the body, `no` with the problem's name, or nothing that tells."""
        world = self._world
        if world.is_paused:
            return "unknown", None
        try:
            status, told = request(
                world.ports(timeout=API_TIMEOUT),
                route,
                subject=customer,
                body=body,
                key=key,
                path=path,
                groups=groups,
            )
        except Killed:
            return "unknown", None
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "unknown", None
        if status >= HTTPStatus.BAD_REQUEST:
            said: tuple[str, Any] = ("no", told["type"].removeprefix("/problems/"))
        else:
            said = ("yes", told)
        if world.oracle.draw("answer") is Fault.ANSWER_LOST:
            return "unknown", None
        return said

    def quote(self, customer: str, subscription: str, timing: Timing) -> str | None:
        """A quote's id, if it is offered within a few tries."""
        wanted = {"subscription": subscription, "timing": timing}
        for _ in range(MOST_TRIES):
            told, body = self.call("POST /v1/quotes", customer, body=wanted)
            if told == "yes":
                return str(body["id"])
            if told == "no" and body != "renewing":
                return None
            self._world.hub.wait(SECOND + self._world.chance(60 * SECOND))
        return None

    def cancel(self, customer: str, subscription: str, timing: Timing, key: str) -> None:
        """Quote and confirm, with patience or without."""
        quote = self.quote(customer, subscription, timing)
        if quote is None:
            return
        self.asked[key] = Asked(customer, subscription, quote)
        if self._world.chance(3) == 0:
            impatient = self._world.chance(2 * SECOND)
            self._world.hub.work(
                self._world.hub.now + impatient, lambda: self._confirm(key), self._world.watch.ended
            )
        self._confirm(key)

    def _confirm(self, key: str) -> None:
        asked = self.asked[key]
        for _ in range(MOST_TRIES):
            told, body = self.call(
                "POST /v1/cancellations", asked.customer, body={"quote_id": asked.quote}, key=key
            )
            if told == "yes":
                asked.at = asked.at or self._world.hub.now
                asked.yes.append(body)
                if self._world.chance(4):
                    return
            elif told == "no":
                asked.no.append((self._world.hub.instant(), body))
                return
            self._world.hub.wait(SECOND + self._world.chance(90 * SECOND))

    def withdraw(self, customer: str, subscription: str) -> None:
        """Take back whatever cancellation the account shows, if there is one to take back."""
        for _ in range(MOST_TRIES):
            told, shown = self.call("GET /v1/subscriptions", customer)
            if told == "yes":
                break
        else:
            return
        for one in shown["data"]:
            if one["id"] == subscription and one["can"]["withdraw_cancellation"]:
                self._take_back(customer, one["cancellation"]["id"])

    def _take_back(self, customer: str, cancellation: str) -> None:
        for _ in range(MOST_TRIES):
            told, _ = self.call(f"DELETE {ONE}", customer, path={"id": cancellation})
            if told == "yes":
                self.withdrawn.add(cancellation)
            if told != "unknown":
                return
            self._world.hub.wait(SECOND + self._world.chance(30 * SECOND))

    def look(self, customer: str, cancellation: str | None) -> None:
        """A reading, which must never fail otherwise than readings do."""
        self.call("GET /v1/access/{customer}", "the company", path={"customer": customer})
        if cancellation is not None:
            self.call(f"GET {ONE}", customer, path={"id": cancellation})

    def judge(self, lost_since: int | None) -> list[tuple[str, str]]:
        """I8: whoever was told no has nothing executed; the same key has the same answer."""
        found = []
        made = {one.quote: one.requested_at for one in self._world.table.every(Cancellation)}
        for key, asked in self.asked.items():
            if any(body != asked.yes[0] for body in asked.yes[1:]):
                found.append(("I8", f"key {key}: two different answers"))
            alone = sum(other.quote == asked.quote for other in self.asked.values()) == 1
            done = made.get(asked.quote)
            if alone and done and any(at > done + MOST_APART for at, _ in asked.no):
                found.append(("I8", f"key {key}: told {asked.no}, and it was done at {done}"))
            lost = lost_since is not None and asked.at >= lost_since
            if asked.yes and asked.quote not in made and not lost:
                found.append(("I8", f"key {key}: told yes, and nothing was done"))
        return found
