"""New terms hold a week after the last customer was told, and nobody is told twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.adapters import policy_files
from shared.application.change import transact
from shared.application.privacy.announce_terms import (
    PRIVACY_TERMS,
    announce_terms,
    note_sent,
    tell_page,
)
from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Timing
from shared.domain.controls import OPERATIONS
from shared.domain.errors import ConflictError, UnavailableError
from shared.domain.privacy_records import Announcement, Notice
from shared.domain.subscription import SubscriptionStatus
from tests.application.builders import CUSTOMER, SUBSCRIPTION, services_with_annual_plan
from tests.fakes.services import START, FakeServices

WEEK = timedelta(days=7)
OTHERS = ("cus_Ben", "cus_Chiyo", "cus_Dev")


@pytest.fixture
def services() -> FakeServices:
    """Ann and three others with a subscription, and one whose has ended."""
    made = services_with_annual_plan()
    facts = made.billing.known_subscriptions[SUBSCRIPTION]
    for customer in (*OTHERS, "cus_Gone"):
        status = SubscriptionStatus.ENDED if customer == "cus_Gone" else facts.status
        one = replace(facts, id=f"sub_{customer}", customer=customer, status=status)
        made.billing.known_subscriptions[one.id] = one
        made.billing.emails[customer] = f"{customer}@example.com"
    return made


def announce(
    services: FakeServices, version: str = "2026-04-01", subject: str = "voip", **more: Any
) -> Announcement:
    return announce_terms(
        services,
        subject=subject,
        version=version,
        wanted_from=more.get("wanted_from", START),
        summary="Refunds take three days instead of five.",
        by="arn:aws:iam::1:user/op",
    )


def known(services: FakeServices, name: str = "voip@2026-04-01") -> Announcement:
    stored = services.store.get(Announcement, OPERATIONS, name)
    assert stored is not None
    return stored.record


def told(services: FakeServices) -> list[str]:
    return [mail["to"] for mail in services.mailer.sent if mail["template"] == "terms_change"]


@pytest.mark.clause("privacy.change_notice")
def test_everybody_concerned_is_told_and_the_version_waits_a_week(services: FakeServices):
    announce(services)
    assert known(services).effective_at is None
    services.run_effects()

    assert sorted(told(services)) == [
        "ann@example.com",
        *(f"{customer}@example.com" for customer in OTHERS),
    ]
    assert known(services).told == 4
    assert known(services).effective_at == known(services).finished_at + WEEK  # type: ignore[operator]
    (notice,) = services.store.all_of(Notice, CUSTOMER)
    assert (notice.record.subject, notice.record.edition) == ("voip", "2026-04-01")
    assert "2026-03-17" in services.mailer.sent[-1]["values"]["from"]


def test_a_date_beyond_the_week_is_kept(services: FakeServices):
    later = START + timedelta(days=60)
    announce(services, subject=PRIVACY_TERMS, version="2", wanted_from=later)
    services.run_effects()

    assert known(services, "privacy-terms@2").effective_at == later


def test_what_breaks_off_goes_on_at_its_page_and_tells_nobody_twice(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
):
    pages, failing = services.billing.page, [UnavailableError("busy")]
    asked: list[str | None] = []

    def page(kind: Any, *, since: datetime | None, after: str | None) -> Any:
        asked.append(after)
        if after is not None and failing:
            raise failing.pop()
        return pages(kind, since=since, after=after)

    monkeypatch.setattr(services.billing, "page", page)
    announce(services)
    services.run_effects()

    assert asked == [None, "2", "2", "4"]
    assert len(told(services)) == len(set(told(services))) == 4
    assert known(services).told == 4


def test_a_person_is_called_when_notices_cannot_go_out_to_all(services: FakeServices):
    """Until then the version holds for nobody, and nobody would know why."""
    services.billing.fail_before["page"] = [UnavailableError("down")] * 20
    announce(services)
    for _ in range(20):
        services.run_effects()
        services.clock.advance(hours=25)
        services.run_due_work()
    assert known(services).effective_at is None
    called = [detail for name, detail in services.bus.published if name == "AttentionNeeded"]
    assert [(one["what"], one["subject"]) for one in called] == [
        ("announcement_stuck", "voip@2026-04-01")
    ]


@pytest.mark.clause("privacy.change_notice")
def test_the_week_counts_from_the_last_notice_that_went_out(services: FakeServices):
    sends, busy = services.mailer.send, [UnavailableError("busy")] * 6

    def send(**mail: Any) -> None:
        if busy and mail["to"] == "ann@example.com":
            raise busy.pop()
        sends(**mail)

    services.mailer.send = send  # type: ignore[method-assign]
    announce(services)
    services.run_effects()
    first = known(services).effective_at
    (written,) = services.store.all_of(Notice, CUSTOMER)
    for _ in range(3):
        services.clock.advance(days=1)
        services.run_due_work()
        services.run_effects()
    (notice,) = services.store.all_of(Notice, CUSTOMER)

    assert written.record.sent_at is None
    assert notice.record.sent_at is not None
    assert notice.record.sent_at > notice.record.written_at
    moved = known(services).effective_at
    assert first is not None
    assert moved is not None
    assert moved >= max(first, notice.record.sent_at + WEEK)
    for other in OTHERS:
        (early,) = services.store.all_of(Notice, other)
        assert early.record.sent_at is not None
        assert early.record.sent_at < notice.record.sent_at


def test_what_holds_already_is_not_moved_by_a_straggler(services: FakeServices):
    announce(services)
    services.run_effects()
    holds = known(services).effective_at
    services.clock.advance(days=8)
    transact(services, CUSTOMER, "t", lambda change: note_sent(change, "voip@2026-04-01"))

    assert known(services).effective_at == holds


def test_a_version_is_announced_once(services: FakeServices):
    announce(services)
    with pytest.raises(ConflictError, match="announced-before"):
        announce(services)


def test_a_page_that_is_read_again_tells_nobody_again(services: FakeServices):
    announce(services)
    services.run_effects()

    assert tell_page(services, "voip@2026-04-01", None)["told"] == 0
    services.run_effects()
    assert len(told(services)) == 4


# ---------------------------------------------------------------- which version decides


@pytest.fixture
def second_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A version of the pack whose own date has come: who bought since then would be under it."""
    effective = datetime(2026, 3, 1, tzinfo=UTC)
    text = policy_files.pack_files()["voip@2025-01-06"].read_text()
    file = tmp_path / "voip@2026-03-01.toml"
    file.write_text(
        text.replace('version = "2025-01-06"', 'version = "2026-03-01"')
        .replace("2025-01-06T", "2026-03-01T")
        .replace('applies = "at_purchase"', 'applies = "at_service_date"')
    )
    packs = {**policy_files.pack_files(), file.stem: file}
    monkeypatch.setattr(policy_files, "pack_files", lambda: packs)
    return effective


def version_quoted(services: FakeServices) -> str:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    return str(quote["quote"]["policy"]["version"])


@pytest.mark.clause("rtc.policy_change")
@pytest.mark.clause("itservices.policy_change")
@pytest.mark.clause("privacy.change_notice")
def test_a_version_that_nobody_was_told_of_decides_nothing(
    services: FakeServices, second_version: datetime
):
    assert services.clock.now() > second_version
    assert version_quoted(services) == "2025-01-06"

    announce(services, version="2026-03-01", wanted_from=second_version)
    assert version_quoted(services) == "2025-01-06", "its notices are going out"
    services.run_effects()
    services.clock.advance(days=6, hours=23)
    assert version_quoted(services) == "2025-01-06"
    services.clock.advance(hours=1, minutes=1)

    assert version_quoted(services) == "2026-03-01"
