"""Erasure: after a cooling-off, unless the law or an open matter comes first, and for good."""

import copy
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.change import transact
from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import handle_dispute
from shared.application.identify_customer import identify_customer, link_identity
from shared.application.privacy.hold_data import complete_step, lift_hold, place_hold
from shared.application.privacy.log_access import log_access
from shared.application.privacy.open_request import Ask, open_for, open_request
from shared.application.privacy.reapply_erasures import Reapplied, reapply_erasures
from shared.application.privacy.report_breach import read_breach, report_breach
from shared.application.privacy.show_request import show_request
from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Cancellation, Timing
from shared.domain.dispute import DisputeOutcome
from shared.domain.errors import (
    ConflictError,
    ErasedError,
    ForbiddenError,
    OutcomeUnknownError,
    UnavailableError,
)
from shared.domain.ledger import LedgerEntry
from shared.domain.privacy import Ground, PrivacyChoices, RequestKind
from shared.domain.privacy_records import BreachReport, Login
from shared.domain.subscription import Subscription
from tests.application.builders import CUSTOMER, SUBSCRIPTION, chargeback, services_with_annual_plan
from tests.fakes.people import OWN_ISSUER
from tests.fakes.services import FakeServices

STAFF = "staff:https://issuer.example#staff-1"
CANARY = "canary-7f3a-Ann-Example"


def ann() -> FakeServices:
    """Ann, whose plan has run out, with something of hers in every place."""
    made = services_with_annual_plan()
    link_identity(made, issuer=OWN_ISSUER, subject="user-1", customer=CUSTOMER, by="service:s")
    link_identity(made, issuer="https://else.example", subject="u2", customer=CUSTOMER, by="s")
    _cancelled(made)
    call = ClientCall("POST /v1/breach-reports", "breach-1", "d")
    report_breach(made, customer=CUSTOMER, text=CANARY, call=call)
    made.files.put("photo.jpg", CANARY.encode(), customer=CUSTOMER, media_type="image/jpeg")
    made.run_effects()
    return made


@pytest.fixture
def services() -> FakeServices:
    return ann()


def _cancelled(services: FakeServices) -> None:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    confirmed = ConfirmQuote(str(quote["id"]), CANARY, CANARY)
    call = ClientCall("POST /v1/cancellations", "cancel-1", "d")
    cancel_subscription(services, customer=CUSTOMER, request=confirmed, call=call)
    services.run_effects()


def erase(services: FakeServices, ground: Ground = Ground.REQUEST) -> str:
    ask, key = Ask(RequestKind.ERASURE, ground=ground), services.ids.new()
    call = ClientCall("POST /v1/privacy-requests", key, "d")
    answer = open_request(services, customer=CUSTOMER, ask=ask, call=call, is_fresh=True)
    return str(answer.body["id"])


def pass_days(services: FakeServices, days: int) -> None:
    """Let days go by with their due work and what it causes."""
    for _ in range(days):
        services.clock.advance(days=1)
        services.run_due_work()
        services.run_effects()


def shown(services: FakeServices, request: str) -> dict[str, Any]:
    return show_request(services, CUSTOMER, request)


def canaries(services: FakeServices) -> list[str]:
    """Where anything of Ann's can still be read: in the table, the files, the mails' values."""
    places = {
        "table": repr(services.store.table),
        "files": repr(services.files.kept),
        "mails": repr([mail["values"] for mail in services.mailer.sent]),
        "events": repr(services.bus.published),
    }
    return [place for place, text in places.items() if CANARY in text]


@pytest.mark.clause("privacy.deletion")
def test_after_the_cooling_off_nothing_is_left_that_tells_of_the_person(services: FakeServices):
    request = erase(services)
    pass_days(services, 13)
    assert shown(services, request)["state"] == "cooling_off"
    assert identify_customer(services, issuer=OWN_ISSUER, subject="user-1") == CUSTOMER
    pass_days(services, 1)

    answer = shown(services, request)
    assert answer["state"] == "answered"
    assert canaries(services) == []
    assert services.sign_ins.deleted == ["user-1"]
    assert services.store.all_of(Login, CUSTOMER) == []
    for issuer, subject in ((OWN_ISSUER, "user-1"), ("https://else.example", "u2")):
        with pytest.raises(ForbiddenError):
            identify_customer(services, issuer=issuer, subject=subject)
    (report,) = services.store.all_of(BreachReport, CUSTOMER)
    with pytest.raises(ErasedError):
        read_breach(services, customer=CUSTOMER, report=report.record.id)


@pytest.mark.clause("privacy.confirm_deletion")
@pytest.mark.clause("privacy.content_deletion")
def test_the_certificate_says_what_was_done_what_was_kept_and_why(services: FakeServices):
    request = erase(services)
    pass_days(services, 14)

    answer = shown(services, request)
    assert [one["code"] for one in answer["done"]] == [
        "data_key_destroyed",
        "files_deleted",
        "sign_ins_deleted",
        "records_emptied",
    ]
    assert [one["code"] for one in answer["kept"]] == ["books", "stripe", "other_sign_ins"]
    mail = services.mailer.sent[-1]
    assert (mail["template"], mail["to"]) == ("privacy_answered", "ann@example.com")
    assert mail["values"]["request"] == request
    assert "tax law" in mail["values"]["kept"]


def test_the_books_stay_to_the_cent(services: FakeServices):
    before = services.store.all_of(LedgerEntry, CUSTOMER)
    cancelled = services.store.all_of(Cancellation, CUSTOMER)
    erase(services)
    pass_days(services, 14)

    assert services.store.all_of(LedgerEntry, CUSTOMER) == before
    assert before
    (after,) = services.store.all_of(Cancellation, CUSTOMER)
    assert after.record == replace(cancelled[0].record, words=None)


@pytest.mark.clause("privacy.children")
def test_data_of_a_minor_waits_for_no_cooling_off(services: FakeServices):
    opened = open_for(
        services,
        customer=CUSTOMER,
        ask=Ask(RequestKind.ERASURE, ground=Ground.MINOR),
        actor=STAFF,
        reason="a parent called",
    )
    services.run_due_work()
    services.run_effects()

    assert shown(services, opened["id"])["state"] == "answered"
    assert canaries(services) == []
    assert "erasure_scheduled" not in [mail["template"] for mail in services.mailer.sent]


def test_redaction_at_stripe_is_left_to_a_person_once_the_mail_is_out(services: FakeServices):
    request = erase(services)
    sends, waiting = services.mailer.send, [UnavailableError("busy")]

    def send(**mail: Any) -> None:
        if waiting:
            raise waiting[0]
        sends(**mail)

    services.mailer.send = send  # type: ignore[method-assign]
    services.clock.advance(days=14)
    services.run_due_work()
    services.run_effects()

    def complete() -> dict[str, Any]:
        return complete_step(
            services, customer=CUSTOMER, request=request, step="redact_at_stripe", actor=STAFF
        )

    with pytest.raises(ConflictError, match="mail-waits"):
        complete()
    waiting.clear()
    pass_days(services, 1)
    assert complete()["open_steps"] == []


@pytest.mark.parametrize("broken", ["vault", "files", "sign_ins"])
def test_an_erasure_that_breaks_off_goes_on_where_it_was(services: FakeServices, broken: str):
    """The outcome of the cut call is unknown: it was carried out, and is repeated without harm."""
    method = {"vault": "destroy", "files": "delete_all", "sign_ins": "delete"}[broken]
    port = getattr(services, broken)
    real, cut = getattr(port, method), [True]

    def breaks(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        if cut:
            cut.clear()
            raise OutcomeUnknownError("cut")
        return result

    setattr(port, method, breaks)
    request = erase(services)
    pass_days(services, 15)

    assert shown(services, request)["state"] == "answered"
    assert canaries(services) == []


@pytest.mark.clause("privacy.backups")
def test_a_table_from_before_the_erasure_gives_nothing_back(services: FakeServices):
    backup = copy.deepcopy(services.store.table)
    erase(services)
    pass_days(services, 14)

    services.store.table = backup
    seen: list[str] = []
    assert reapply_erasures(services, seen.append) == Reapplied(erased=1, found_again=1)

    services.files.kept.clear()  # files are in no backup of the table
    assert canaries(services) == []
    assert seen == [CUSTOMER]
    with pytest.raises(ForbiddenError):
        identify_customer(services, issuer=OWN_ISSUER, subject="user-1")
    (report,) = services.store.all_of(BreachReport, CUSTOMER)
    with pytest.raises(ErasedError):
        read_breach(services, customer=CUSTOMER, report=report.record.id)
    assert reapply_erasures(services, seen.append).found_again == 0


def test_who_has_looked_stays_known_after_an_erasure(services: FakeServices):
    log_access(services, CUSTOMER, actor=STAFF, what="account")
    erase(services)
    pass_days(services, 14)

    assert STAFF in repr(services.store.table)


# ---------------------------------------------------------------- what comes first

HINDRANCES = ("legal_hold", "open_dispute", "unpaid_balance", "running_subscription")


def hinder(services: FakeServices, what: str) -> None:
    match what:
        case "legal_hold":
            place_hold(services, CUSTOMER, "court-7/26", STAFF)
        case "open_dispute":
            _dispute(services, f"du_{len(services.billing.disputes) + 1}", DisputeOutcome.UNDECIDED)
        case "unpaid_balance":
            _owe(services, 500)
        case "running_subscription":
            _subscription(services, runs=True)


def clear(services: FakeServices, what: str) -> None:
    match what:
        case "legal_hold":
            known = services.store.get(PrivacyChoices, CUSTOMER)
            assert known is not None
            for hold in known.record.holds:
                lift_hold(services, CUSTOMER, hold.id, STAFF)
        case "open_dispute":
            _dispute(services, f"du_{len(services.billing.disputes)}", DisputeOutcome.WON)
        case "unpaid_balance":
            _owe(services, -500)
        case "running_subscription":
            _subscription(services, runs=False)


def _dispute(services: FakeServices, dispute: str, outcome: DisputeOutcome) -> None:
    """A dispute that is over does not open again: each time it is another one."""
    services.billing.disputes[dispute] = replace(chargeback(outcome=outcome), id=dispute)
    handle_dispute(services, dispute=dispute, event=services.ids.new(), event_type="t")


def _owe(services: FakeServices, amount: int) -> None:
    def decide(change: Any) -> None:
        change.account = change.account.with_balance("usd", owed=amount)
        change.audit("test", "test")

    transact(services, CUSTOMER, "test", decide)


def _subscription(services: FakeServices, *, runs: bool) -> None:
    def decide(change: Any) -> None:
        known = change.load(Subscription, SUBSCRIPTION)
        change.load(Subscription, "sub_other")
        ended_at = None if runs else change.now
        other = replace(known, id="sub_other", ends_at=None, ended_at=ended_at, cancellation=None)
        change.put(other)

    transact(services, CUSTOMER, "test", decide)


@pytest.mark.parametrize("what", HINDRANCES)
def test_an_erasure_is_put_off_says_why_and_goes_on_afterwards(services: FakeServices, what: str):
    hinder(services, what)
    request = erase(services)
    pass_days(services, 20)

    answer = shown(services, request)
    assert answer["state"] == "deferred"
    assert what in [one["code"] for one in answer["deferred_because"]]
    assert services.vault.ledger == {}
    told = [mail for mail in services.mailer.sent if mail["template"] == "erasure_deferred"]
    assert len(told) == 1, "the person is told once for one reason"

    clear(services, what)
    pass_days(services, 2)
    assert shown(services, request)["state"] == "answered"
    assert canaries(services) == []


@pytest.mark.parametrize("order", list(permutations(["hold", "erasure", "dispute"])), ids="-".join)
def test_whatever_comes_first_nothing_under_hold_or_dispute_is_erased(
    services: FakeServices, order: tuple[str, ...]
):
    for step in order:
        match step:
            case "hold":
                hinder(services, "legal_hold")
            case "dispute":
                hinder(services, "open_dispute")
            case _:
                erase(services)
        pass_days(services, 1)
    pass_days(services, 16)
    assert services.vault.ledger == {}
    clear(services, "open_dispute")
    pass_days(services, 2)
    assert services.vault.ledger == {}, "the hold still stands"
    clear(services, "legal_hold")
    pass_days(services, 2)
    assert canaries(services) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("erase"), st.sampled_from(list(Ground))),
        st.tuples(st.just("hinder"), st.sampled_from(HINDRANCES)),
        st.tuples(st.just("clear"), st.sampled_from(HINDRANCES)),
        st.tuples(st.just("days"), st.integers(1, 20)),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_no_order_of_hold_erasure_dispute_and_term_erases_too_early_or_never(
    steps: list[tuple[str, Any]],
):
    """Erased only while nothing hinders it, and once nothing does, in its time."""
    services = ann()
    hindered: set[str] = set()
    asked = False
    for kind, value in steps:
        if services.vault.ledger:
            break
        if kind == "erase":
            try:
                erase(services, value)
                asked = True
            except ConflictError:
                assert asked
        elif kind == "hinder" and value not in hindered:
            hinder(services, value)
            hindered.add(value)
        elif kind == "clear" and value in hindered:
            clear(services, value)
            hindered.discard(value)
        elif kind == "days":
            pass_days(services, value)
        if services.vault.ledger:
            assert asked
            assert not hindered
    for value in sorted(hindered if not services.vault.ledger else ()):
        clear(services, value)
    pass_days(services, 16)

    assert bool(services.vault.ledger) is asked
    assert (canaries(services) == []) is asked
