"""Each call of an effect is refused, not answered, or not taken, for good: all of it still ends.

Nothing waits for ever, whoever is to look at it. What each such end writes, and whom it tells, is
held against the table of steps.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.application.identify_customer import link_identity
from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.application.privacy.confirm_request import confirm_request
from shared.domain.effects import Effect
from shared.domain.errors import (
    FairexitError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from shared.domain.privacy import RequestKind
from tests.application import (
    test_crash_points_of_cases,
    test_every_crash_point,
    test_privacy_requests,
)
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.application.erasing import ann, erase
from tests.application.mortal import Life, Mortal
from tests.fakes.people import OWN_ISSUER
from tests.fakes.services import FakeServices

TROUBLE: dict[str, tuple[str, Callable[[], Exception]]] = {
    "refused": ("before", lambda: RefusedError("no", "refused")),
    "refused, though it is done": ("after", lambda: RefusedError("no", "refused")),
    "no answer": ("after", lambda: OutcomeUnknownError("cut")),
    "a stored error": ("before", lambda: OutcomeUnknownError("500", sticky=True)),
    "not taken": ("before", lambda: UnavailableError("busy")),
}
MORE_PORTS = ("people", "files", "sign_ins", "vault", "uploads")
# Where effects are carried out.
PERFORMERS = ("application/effects/", "application/prevent_", "application/incidents/")
STORE = {"get", "get_many", "all_of", "due", "queued", "scan", "commit"}


class Troubled(Life):
    """A life in which the calls from one place always end in the same trouble."""

    def __init__(self, services: FakeServices, place: str = "", trouble: str = "refused") -> None:
        super().__init__(services)
        self._place, self._trouble = place, TROUBLE[trouble]
        self.sent: set[str] = set()
        for port in MORE_PORTS:
            setattr(self._mortal, port, Mortal(getattr(services, port), self))

    def come_to(self, when: str, name: str, place: str) -> None:
        if name not in STORE and place.startswith(PERFORMERS):
            self.sent.add(place)
        if (when, place) == (self._trouble[0], self._place) and name not in STORE:
            error = self._trouble[1]()
            raise error

    def do(self, work: Callable[[FakeServices], Any]) -> Any:
        with suppress(FairexitError):
            return work(self._mortal)
        return None

    def carry_on(self, sweeps: int = 20) -> None:
        for _ in range(sweeps):
            self.services.run_due_work()
            while self.services.waker.woken:
                customer, effect, delay = self.services.waker.woken.pop(0)
                self.services.clock.advance(seconds=delay)
                try:
                    perform_effect(self._mortal, customer=customer, effect_id=effect)
                except FairexitError:
                    # As the consumer of the queue does.
                    count_failed_attempt(self.services, customer=customer, effect_id=effect)
            self.services.clock.advance(minutes=10)

    def grow_old(self) -> None:
        """Until every ladder has been climbed."""
        for _ in range(20):
            self.services.clock.advance(days=1)
            self.carry_on(1)


def copied(life: Life) -> None:
    """Ann asks for what is known of her."""
    asked = test_privacy_requests.ask(life.services, RequestKind.ACCESS, fresh=False)
    code = test_privacy_requests.mailed_code(life.services)
    life.do(lambda s: confirm_request(s, CUSTOMER, asked["id"], code))
    life.carry_on()


def corrected(life: Life) -> None:
    changes = {"name": "Ann Sample", "email": "ann.sample@example.com"}
    test_privacy_requests.ask(life.services, RequestKind.RECTIFICATION, changes=changes)
    life.carry_on()


def erased(life: Life) -> None:
    erase(life.services)
    for _ in range(40):
        life.services.clock.advance(days=1)
        life.carry_on(1)


def with_details() -> FakeServices:
    made = services_with_annual_plan()
    made.people.known[CUSTOMER] = dict(test_privacy_requests.PERSON)
    link_identity(made, issuer=OWN_ISSUER, subject="user-1", customer=CUSTOMER, by="service:s")
    return made


Flow = tuple[Callable[[], FakeServices], Callable[[Life], None]]
FLOWS: tuple[Flow, ...] = (
    (services_with_annual_plan, test_every_crash_point.cancel_now),
    (services_with_annual_plan, test_every_crash_point.cancel_at_end_and_take_back),
    (services_with_annual_plan, test_every_crash_point.fail_late_and_replan),
    (services_with_annual_plan, test_every_crash_point.suspend_and_reinstate),
    *test_crash_points_of_cases.FLOWS,
    (with_details, copied),
    (with_details, corrected),
    (ann, erased),
)


def overdue(services: FakeServices) -> Iterator[Effect]:
    """Effects that should have ended: nobody is still on the ladder after two weeks."""
    since = services.clock.now() - timedelta(days=14)
    for row in services.store.scan(None, limit=100_000).rows:
        known = row.record
        if isinstance(known, Effect) and known.due_at is not None and known.created_at < since:
            yield known


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(("made", "flow"), FLOWS, ids=[flow.__name__ for _, flow in FLOWS])
def test_whatever_befalls_a_call_its_flow_ends(
    made: Callable[[], FakeServices], flow: Callable[[Life], None], trouble: str
) -> None:
    usual = Troubled(made())
    flow(usual)
    assert usual.sent
    for place in sorted(usual.sent):
        life = Troubled(made(), place, trouble)
        # A flow whose people wait for what never comes goes no further than that.
        with suppress(AssertionError, LookupError, ValueError, TypeError):
            flow(life)
        life.grow_old()
        assert list(overdue(life.services)) == [], place
