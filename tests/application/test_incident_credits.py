"""An outage: whom it hit, what each gets, approved as one, paid once, corrected later."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.application.incidents.propose_credits import propose_credits
from shared.application.incidents.record_incident import record_incident, withdraw_incident
from shared.application.incidents.release_credits import approve_batch, view_batch
from shared.application.incidents.show_incidents import show_batch
from shared.application.perform_effect import perform_effect
from shared.application.refresh_subscription import refresh_subscription
from shared.domain.approval_limits import Grants, Need
from shared.domain.controls import partition_of
from shared.domain.credit_batch import BatchState, digest_of, totals
from shared.domain.errors import ConflictError, InvalidRequestError
from shared.domain.facts import Attribution, SettleAs
from shared.domain.incident import Outage
from tests.application.builders import paid_invoice, subscription_facts
from tests.application.case_life import ADMIN, AGENT, APPROVER
from tests.fakes.services import START, FakeServices
from tests.fakes.store import FakeStore

pytestmark = pytest.mark.clause("voip.disruption")

MONTH, NEXT = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
SIX_HOURS = Outage(
    ("prod_calls",),
    datetime(2026, 3, 9, 6, tzinfo=UTC),
    datetime(2026, 3, 9, 12, tzinfo=UTC),
    datetime(2026, 3, 9, 6, 5, tzinfo=UTC),
    Attribution.VENDOR,
    beyond_sla=True,
)
PRICE = 31_00
POLICIES = Path(__file__).parents[2] / "shared" / "policies"
# A page of those whom it hit holds 50: a crowd takes two.
PEOPLE, CROWD = 6, 60
# 6 of the month's 744 hours.
CREDIT = 25


def subscribe(services: FakeServices, number: int, product: str = "prod_calls") -> str:
    customer, name = f"cus_{number}", f"sub_{number}"
    seen = subscription_facts(start=MONTH, end=NEXT, amount=PRICE)
    item = replace(seen.items[0], id=f"si_{number}", product=product)
    services.billing.emails[customer] = f"{customer}@example.com"
    services.billing.known_subscriptions[name] = replace(
        seen, id=name, customer=customer, items=(item,)
    )
    invoice = paid_invoice(amount=PRICE, start=MONTH, end=NEXT)
    line = replace(invoice.lines[0], id=f"il_{number}", product=product)
    payment = replace(invoice.payments[0], id=f"pi_{number}")
    services.billing.invoices[f"in_{number}"] = replace(
        invoice,
        id=f"in_{number}",
        number=f"A-{number:04}",
        lines=(line,),
        payments=(payment,),
        subscription=name,
        customer=customer,
    )
    refresh_subscription(services, customer=customer, subscription=name)
    return customer


def hit(people: int) -> FakeServices:
    """So many customers with the product that fails, and one with another."""
    made = FakeServices()
    made.billing.now = START
    for number in range(people):
        subscribe(made, number)
    subscribe(made, 900, "prod_mail")
    return made


@pytest.fixture
def services() -> FakeServices:
    return hit(PEOPLE)


@pytest.fixture
def crowd() -> FakeServices:
    return hit(CROWD)


def record(services: FakeServices, outage: Outage = SIX_HOURS) -> None:
    record_incident(services, reference="noc-17", outage=outage, source="monitoring", by="noc")


def propose(services: FakeServices, settle_as: SettleAs | None = None) -> str:
    batch = propose_credits(services, reference="noc-17", settle_as=settle_as, by=AGENT.actor)
    services.run_effects(rounds=3000)
    return batch.id


def approve(services: FakeServices, batch: str, *people: object) -> Need | None:
    digest = digest_of(view_batch(services, batch).payable)
    missing: Need | None = None
    for person in people:
        _, missing = approve_batch(
            services,
            batch=batch,
            digest=digest,
            reason="outage confirmed",
            by=person,  # type: ignore[arg-type]
        )
    services.run_effects(rounds=9000)
    return missing


def refunded(services: FakeServices) -> list[int]:
    return [refund.amount for refund in services.billing.refunds.values()]


def granted(services: FakeServices, to: str) -> int:
    """What adds up lately to a customer, or by a person."""
    stored = services.store.get(Grants, to)
    return sum(grant.amount for grant in stored.record.grants) if stored else 0


def test_whom_it_hit_is_proposed_approved_as_one_and_paid_once(crowd: FakeServices):
    record(crowd)
    batch = propose(crowd)
    view = view_batch(crowd, batch)
    assert view.is_complete
    assert (view.counts, view.batch.collected) == ({"proposed": CROWD}, CROWD)
    assert totals(view.payable) == (("usd", CROWD * CREDIT),)
    assert refunded(crowd) == []

    assert approve(crowd, batch, AGENT) is None
    view = view_batch(crowd, batch)
    assert (view.batch.state, view.counts) == (BatchState.RELEASED, {"carried_out": CROWD})
    assert refunded(crowd) == [CREDIT] * CROWD
    # Each part counts with its customer, the whole once with who approved it.
    customers = {refund.customer or "" for refund in crowd.billing.refunds.values()}
    assert {granted(crowd, customer) for customer in customers} == {CREDIT}
    assert granted(crowd, partition_of(AGENT.actor)) == CROWD * CREDIT
    # Asked again, or delivered again, it pays nothing more.
    again = propose(crowd)
    assert view_batch(crowd, again).counts == {"nothing_due": CROWD}
    assert refunded(crowd) == [CREDIT] * CROWD


def test_a_page_that_dies_in_the_middle_is_taken_up_where_it_was(crowd: FakeServices):
    record(crowd)
    propose_credits(crowd, reference="noc-17", settle_as=None, by=AGENT.actor)
    crowd.store.before_commit += [lambda: None] * 40 + [_die]
    with pytest.raises(KeyboardInterrupt):
        crowd.run_effects(rounds=3000)
    _sweep(crowd)
    batch = propose(crowd)
    assert view_batch(crowd, batch).counts == {"proposed": CROWD}
    digest = digest_of(view_batch(crowd, batch).payable)
    approve_batch(crowd, batch=batch, digest=digest, reason="confirmed", by=AGENT)
    crowd.store.before_commit += [lambda: None] * 100 + [_die]
    with pytest.raises(KeyboardInterrupt):
        crowd.run_effects(rounds=9000)
    _sweep(crowd)
    assert view_batch(crowd, batch).counts == {"carried_out": CROWD}
    assert refunded(crowd) == [CREDIT] * CROWD


def test_a_batch_shows_how_far_it_has_come(crowd: FakeServices):
    record(crowd)
    batch = propose(crowd)
    digest = digest_of(view_batch(crowd, batch).payable)
    approve_batch(crowd, batch=batch, digest=digest, reason="confirmed", by=AGENT)
    seen = [show_batch(crowd, batch)]
    while seen[-1]["state"] != "released" or seen[-1]["under_way"]:
        _perform(crowd, 20)
        seen.append(show_batch(crowd, batch))
    done = [sum(c["count"] for c in s["counts"] if c["state"] == "carried_out") for s in seen]
    paid = [sum(total["amount"] for total in s["carried_out"]) for s in seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, CROWD)
    assert len(set(done)) > 3
    assert paid == [CREDIT * count for count in done]
    assert {s["digest"] for s in seen} == {digest}


def _perform(services: FakeServices, count: int) -> None:
    """So many wake-ups, or as many as there are."""
    woken = services.waker.woken[:count]
    del services.waker.woken[:count]
    for customer, effect, delay in woken:
        services.clock.advance(seconds=delay)
        perform_effect(services, customer=customer, effect_id=effect)


def test_whom_it_hit_is_found_by_service_without_reading_anybody_else(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
):
    touched: set[str] = set()
    get, all_of = services.store.get, services.store.all_of

    def seen(read: Callable[..., Any]) -> Callable[..., Any]:
        def watched(kind: type, customer: str, *key: str) -> Any:
            touched.add(customer)
            return read(kind, customer, *key)

        return watched

    monkeypatch.setattr(services.store, "get", seen(get))
    monkeypatch.setattr(services.store, "all_of", seen(all_of))
    monkeypatch.delattr(FakeStore, "scan")
    record(services)
    propose(services)
    assert {f"cus_{number}" for number in range(PEOPLE)} <= touched
    assert "cus_900" not in touched


def _die() -> None:
    raise KeyboardInterrupt


def _sweep(services: FakeServices) -> None:
    """What was lost with the worker is found by its due time."""
    for _ in range(12):
        services.clock.advance(minutes=3)
        services.run_due_work()
        services.run_effects(rounds=9000)


def test_a_correction_proposes_only_the_difference(services: FakeServices):
    record(services)
    approve(services, propose(services), AGENT)
    longer = replace(SIX_HOURS, ended_at=SIX_HOURS.started_at + timedelta(hours=12))
    record(services, longer)
    batch = propose(services)
    assert totals(view_batch(services, batch).payable) == (("usd", PEOPLE * CREDIT),)
    approve(services, batch, AGENT)
    assert sum(refunded(services)) == PEOPLE * 2 * CREDIT
    shorter = replace(SIX_HOURS, ended_at=SIX_HOURS.started_at + timedelta(hours=5))
    record(services, shorter)
    assert view_batch(services, propose(services)).counts == {"nothing_due": PEOPLE}


def test_an_incident_that_never_was_gives_nothing(services: FakeServices):
    record(services)
    withdraw_incident(services, reference="noc-17", source="false alarm", by="noc")
    assert view_batch(services, propose(services)).counts == {"nothing_due": PEOPLE}
    with pytest.raises(ConflictError, match="withdrawn"):
        record(services, replace(SIX_HOURS, beyond_sla=None))


@pytest.mark.parametrize("attribution", [Attribution.THIRD_PARTY, Attribution.CUSTOMER])
def test_what_was_not_the_vendors_doing_is_not_proposed(
    services: FakeServices, attribution: Attribution
):
    record(services, replace(SIX_HOURS, attribution=attribution))
    assert view_batch(services, propose(services)).counts == {"nothing_due": PEOPLE}


def test_as_account_credit_no_payment_is_touched(services: FakeServices, tmp_path: Path):
    """Where the policy leaves the choice: here one like voip's that does."""
    pack = (POLICIES / "voip@2025-01-06.toml").read_text()
    clause = 'code = "service_disruption"\n'
    chosen = tmp_path / "voip@2025-01-06.toml"
    chosen.write_text(pack.replace(clause, clause + 'settle_as = ["refund", "credit"]\n'))
    services.policy = str(chosen)
    record(services)
    approve(services, propose(services, SettleAs.CREDIT), AGENT)
    assert refunded(services) == []
    given = [note["credit"] for note in services.billing.credit_notes.values()]
    assert given == [CREDIT] * PEOPLE


def test_a_large_batch_takes_a_second_person_who_is_somebody_else(crowd: FakeServices):
    longest = replace(
        SIX_HOURS, started_at=MONTH, reported_at=MONTH, ended_at=MONTH + timedelta(days=9)
    )
    record(crowd, longest)
    batch = propose(crowd)
    ((_, total),) = totals(view_batch(crowd, batch).payable)
    assert total == CROWD * 900
    assert approve(crowd, batch, AGENT) is Need.TWO_PEOPLE
    assert refunded(crowd) == []
    with pytest.raises(ConflictError, match="same-person"):
        approve(crowd, batch, AGENT)
    assert approve(crowd, batch, APPROVER) is None
    assert sum(refunded(crowd)) == total
    assert ADMIN.actor not in {AGENT.actor, APPROVER.actor}


def test_other_figures_than_were_shown_are_not_approved(services: FakeServices):
    record(services)
    batch = propose(services)
    with pytest.raises(ConflictError, match="facts-changed"):
        approve_batch(services, batch=batch, digest="sha256:0", reason="x", by=AGENT)


def test_what_changed_since_it_was_approved_is_left_for_the_next_batch(services: FakeServices):
    record(services)
    batch = propose(services)
    digest = digest_of(view_batch(services, batch).payable)
    invoice = services.billing.invoices["in_3"]
    gone = replace(invoice.payments[0], refunded=PRICE)
    services.billing.invoices["in_3"] = replace(invoice, payments=(gone,))
    approve_batch(services, batch=batch, digest=digest, reason="confirmed", by=AGENT)
    services.run_effects(rounds=9000)
    assert view_batch(services, batch).counts == {"carried_out": PEOPLE - 1, "changed": 1}
    assert sum(refunded(services)) == (PEOPLE - 1) * CREDIT
    again = propose(services)
    assert view_batch(services, again).counts == {"nothing_due": PEOPLE}


def test_an_incident_that_lasts_is_recorded_and_not_proposed(services: FakeServices):
    record(services, replace(SIX_HOURS, ended_at=None))
    with pytest.raises(ConflictError, match="incident-lasts"):
        propose(services)
    record(services)
    assert view_batch(services, propose(services)).counts == {"proposed": PEOPLE}


@pytest.mark.parametrize(
    "changes",
    [
        {"services": ()},
        {"ended_at": SIX_HOURS.started_at},
        {"started_at": START + timedelta(hours=1)},
    ],
)
def test_what_cannot_have_been_is_refused(services: FakeServices, changes: dict[str, object]):
    with pytest.raises(InvalidRequestError):
        record(services, replace(SIX_HOURS, **changes))  # type: ignore[arg-type]


def test_who_has_changed_to_another_product_before_it_failed_gets_nothing(
    services: FakeServices,
):
    seen = services.billing.known_subscriptions["sub_0"]
    other = replace(seen.items[0], product="prod_mail")
    services.billing.known_subscriptions["sub_0"] = replace(seen, items=(other,))
    refresh_subscription(services, customer="cus_0", subscription="sub_0")
    services.clock.advance(days=3)
    begun = services.clock.now() - timedelta(days=1)
    ended = begun + timedelta(hours=6)
    record(services, replace(SIX_HOURS, started_at=begun, reported_at=begun, ended_at=ended))
    batch = propose(services)
    assert totals(view_batch(services, batch).payable) == (("usd", (PEOPLE - 1) * CREDIT),)
