"""All ports as fakes, and a loop that carries out whatever is due."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters import policy_files
from shared.adapters.ses_mailer import render
from shared.application.do_due_work import do_due_work, find_due_work
from shared.application.perform_effect import perform_effect
from shared.application.terms_in_force import TermsInForce
from shared.domain.controls import OPERATIONS, Controls
from shared.domain.effects import Effect, EffectKind
from shared.domain.evidence import Pack
from shared.ports import Policies, Put
from tests.fakes.billing import FakeBilling
from tests.fakes.files import FakeScanner, FakeUploads
from tests.fakes.people import FakeFiles, FakePeople, FakeSignIns
from tests.fakes.store import FakeStore
from tests.fakes.vault import FakeVault

START = datetime(2026, 3, 10, 12, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = START) -> None:
        self.instant = now
        self.waited = 0.0

    def now(self) -> datetime:
        return self.instant

    def pause(self, longest_seconds: float) -> None:
        """Nobody waits in a test."""

    def wait(self, seconds: float) -> None:
        """Nor here; how long they would have is kept."""
        self.waited += seconds

    def advance(self, **delta: float) -> None:
        self.instant += timedelta(**delta)


class FakeIds:
    """ULID-shaped, in order."""

    def __init__(self) -> None:
        self.made = 0

    def new(self) -> str:
        self.made += 1
        return f"{self.made:026d}"


class FakeWaker:
    def __init__(self) -> None:
        self.woken: list[tuple[str, str, int]] = []
        self.fail_next: list[Exception] = []

    def wake(self, effects: Sequence[Effect], *, delay_seconds: int = 0) -> None:
        if self.fail_next:
            raise self.fail_next.pop(0)
        self.woken += [(effect.customer, effect.id, delay_seconds) for effect in effects]


class FakeRenderer:
    """A document that is its own text."""

    def render(self, pack: Pack) -> bytes:
        lines = [pack.title, *(f"{s.title}: {s.text}" for s in pack.sections)]
        return "\n".join(lines).encode()


class FakeMailer:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(
        self,
        *,
        to: str,
        template: str,
        values: Mapping[str, str],
        message_id: str,
        customer: str,
        language: str | None = None,
    ) -> None:
        """Written out as the real one does, so that no template lacks a value."""
        mail = render(template, values, language)
        self.sent.append(
            {
                "to": to,
                "template": template,
                "values": values,
                "id": message_id,
                "customer": customer,
                "language": mail.language,
                "text": mail.text,
            }
        )


class FakeBus:
    def __init__(self) -> None:
        self.published: list[tuple[str, Mapping[str, Any]]] = []

    def publish(self, name: str, detail: Mapping[str, Any]) -> None:
        self.published.append((name, detail))


class FakeInbox:
    def __init__(self) -> None:
        self.messages: dict[str, bytes] = {}

    def read(self, message: str, *, most: int) -> bytes | None:
        found = self.messages.get(message)
        return None if found is None else found[: most + 1]

    def delete(self, message: str) -> None:
        self.messages.pop(message, None)


class FakeServices:
    """`Services` for use cases under test."""

    def __init__(self) -> None:
        self.environment = "test"
        self.livemode = False
        self.staff_address = "staff@example.com"
        self.policy = "voip"
        self.clock = FakeClock()
        self.ids = FakeIds()
        self.store = FakeStore()
        self.billing = FakeBilling()
        self.vault = FakeVault()
        self.people = FakePeople()
        self.files = FakeFiles()
        self.sign_ins = FakeSignIns()
        self.uploads = FakeUploads()
        self.mailbox = FakeInbox()
        self.scanner = FakeScanner()
        self.waker = FakeWaker()
        self.renderer = FakeRenderer()
        self.mailer = FakeMailer()
        self.bus = FakeBus()
        self.policies: Policies = TermsInForce(policy_files, self.store)
        opened = Controls(OPERATIONS, True, "tests", "tests", START)
        self.store.commit([Put(opened, 0)])

    @property
    def incarnation(self) -> int:
        """The life of the table, which the store stamps on whatever it writes."""
        return self.store.incarnation

    @incarnation.setter
    def incarnation(self, life: int) -> None:
        self.store.incarnation = life

    def run_effects(self, *, rounds: int = 50) -> None:
        """Carry out woken effects until no message is left, moving the clock past each delay."""
        for _ in range(rounds):
            if not self.waker.woken:
                return
            customer, effect, delay = self.waker.woken.pop(0)
            self.clock.advance(seconds=delay)
            perform_effect(self, customer=customer, effect_id=effect)
        raise AssertionError("effects go on for ever")

    def run_due_work(self) -> Counter[str]:
        """One run of the schedule; what came of each piece."""
        return Counter(do_due_work(self, due) for due in find_due_work(self))

    def effects(self, customer: str, kind: EffectKind) -> list[Effect]:
        stored = self.store.all_of(Effect, customer)
        return [one.record for one in stored if one.record.kind is kind]
