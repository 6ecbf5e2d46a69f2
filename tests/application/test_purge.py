"""The purge: what is past its term goes, unless a hold keeps it, and never too much at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.application.privacy.hold_data import lift_hold, place_hold
from shared.application.privacy.log_access import log_access
from shared.application.privacy.purge_records import purge_records
from shared.domain.cancellation import Timing
from shared.domain.controls import OPERATIONS
from shared.domain.privacy import PrivacyChoices
from shared.domain.privacy_records import AccessEntry, PurgeReport
from shared.domain.records import Quote
from shared.domain.subscription import Subscription
from shared.ports import Put
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.fakes.services import START, FakeServices

STAFF = "staff:https://issuer.example#staff-1"


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def shown_quotes(services: FakeServices, number: int, *, customer: str = CUSTOMER) -> None:
    """Offers that nobody took; each is past its term after thirty days."""
    quote = Quote(
        id="",
        customer=customer,
        subscription="sub_1",
        timing=Timing.IMMEDIATELY,
        created_at=START,
        valid_until=START,
        facts_digest="d",
        case="{}",
        document="{}",
        returns="[]",
    )
    for _ in range(number):
        services.store.commit([Put(replace(quote, id=services.ids.new()), 0)])


def quotes(services: FakeServices, customer: str = CUSTOMER) -> int:
    return len(services.store.all_of(Quote, customer))


@pytest.mark.clause("privacy.retention")
def test_what_is_past_its_term_goes_and_the_rest_stays(services: FakeServices):
    shown_quotes(services, 3)
    log_access(services, CUSTOMER, actor=STAFF, what="account")
    services.clock.advance(days=29)
    assert purge_records(services).deleted == 0
    services.clock.advance(days=1)
    report = purge_records(services)

    assert (report.past_term, report.deleted, report.outcome) == (3, 3, "purged")
    assert report.kinds == (("Quote", 3),)
    assert quotes(services) == 0
    assert services.store.all_of(Subscription, CUSTOMER)
    services.clock.advance(days=336)
    assert purge_records(services).kinds == (("AccessEntry", 2),)
    assert services.store.all_of(AccessEntry, STAFF) == []


def test_a_used_quote_is_kept_with_the_books(services: FakeServices):
    shown_quotes(services, 1)
    (stored,) = services.store.all_of(Quote, CUSTOMER)
    used = replace(stored.record, used_by="cancellation")
    services.store.commit([Put(used, stored.version)])
    services.clock.advance(days=3600)
    purge_records(services)
    assert quotes(services) == 1
    services.clock.advance(days=60)
    purge_records(services)
    assert quotes(services) == 0


def test_a_dry_run_counts_and_deletes_nothing(services: FakeServices):
    shown_quotes(services, 3)
    services.clock.advance(days=30)
    report = purge_records(services, dry_run=True)

    assert (report.past_term, report.deleted, report.dry_run) == (3, 0, True)
    assert quotes(services) == 3
    assert [one.record for one in services.store.all_of(PurgeReport, OPERATIONS)] == [report]


def test_a_run_deletes_no_more_than_its_cap_and_the_next_goes_on(services: FakeServices):
    shown_quotes(services, 5)
    services.clock.advance(days=30)

    reports = [purge_records(services, most=2) for _ in range(4)]

    assert [report.deleted for report in reports] == [2, 2, 1, 0]
    assert [report.outcome for report in reports] == ["capped", "capped", "purged", "nothing"]


def test_more_than_its_share_is_refused_until_a_person_says_so(services: FakeServices):
    shown_quotes(services, 60)
    services.clock.advance(days=30)
    refused = purge_records(services)

    assert (refused.outcome, refused.deleted, quotes(services)) == ("refused", 0, 60)
    assert purge_records(services, largest_share=100).deleted == 60


def test_a_legal_hold_wins_over_every_term(services: FakeServices):
    shown_quotes(services, 3)
    shown_quotes(services, 2, customer="cus_other")
    hold = place_hold(services, CUSTOMER, "court-7/26", STAFF)["holds"][0]["id"]
    services.clock.advance(days=4000)

    report = purge_records(services, largest_share=100)
    assert quotes(services) == 3
    assert quotes(services, "cus_other") == 0
    assert report.held >= 3

    lift_hold(services, CUSTOMER, hold, STAFF)
    purge_records(services, largest_share=100)
    assert quotes(services) == 0


def test_a_hold_that_comes_while_a_run_is_on_is_in_time(services: FakeServices):
    shown_quotes(services, 1)
    services.clock.advance(days=30)

    def hold() -> None:
        place_hold(services, CUSTOMER, "court-7/26", STAFF)

    services.store.before_commit.append(hold)
    purge_records(services)

    assert quotes(services) == 1


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from(["hold", "lift", "purge", "month", "quote"]), min_size=1, max_size=12
    )
)
def test_in_no_order_is_anything_deleted_under_a_hold_or_before_its_term(steps: list[str]):
    services = services_with_annual_plan()
    for step in steps:
        held = _held(services)
        before = {one.record.id: one.record for one in services.store.all_of(Quote, CUSTOMER)}
        match step:
            case "hold":
                place_hold(services, CUSTOMER, f"court-{services.ids.new()}", STAFF)
            case "lift" if held:
                lift_hold(services, CUSTOMER, held[0].id, STAFF)
            case "purge":
                purge_records(services, largest_share=100)
            case "month":
                services.clock.advance(days=30)
            case "quote":
                _quote_now(services)
        left = {one.record.id for one in services.store.all_of(Quote, CUSTOMER)}
        gone = [quote for name, quote in before.items() if name not in left]
        assert not (gone and held)
        now = services.clock.now()
        assert all(quote.created_at + timedelta(days=30) <= now for quote in gone)
    if not _held(services):
        purge_records(services, largest_share=100)
        now = services.clock.now()
        kept = [one.record for one in services.store.all_of(Quote, CUSTOMER)]
        assert all(quote.created_at + timedelta(days=30) > now for quote in kept)


def _held(services: FakeServices) -> tuple[Any, ...]:
    stored = services.store.get(PrivacyChoices, CUSTOMER)
    return stored.record.holds if stored else ()


def _quote_now(services: FakeServices) -> None:
    shown_quotes(services, 1)
    newest = services.store.all_of(Quote, CUSTOMER)[-1]
    moved = replace(newest.record, created_at=services.clock.now())
    services.store.commit([Put(moved, newest.version)])
