"""What is owed after a lost dispute is paid by the customer themselves, suspended or not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.judge_disputes.handler import lambda_handler as judging
from functions.manage_accounts.handler import lambda_handler as accounts
from functions.pay_owed.handler import lambda_handler as paying
from functions.show_account.handler import lambda_handler as showing
from shared.adapters import policy_files
from shared.application.dun import refresh_invoice
from shared.application.handle_dispute import handle_dispute
from shared.application.perform_effect import perform_effect
from shared.domain.account import Account
from shared.domain.arrears import DunningFacts
from shared.domain.clauses import ChargebackRule
from shared.domain.dispute import DisputeKind, DisputeOutcome
from shared.domain.effects import EffectKind
from shared.domain.errors import OutcomeUnknownError, RefusedError
from shared.domain.policy import Policy
from shared.domain.records import Identity
from shared.ports import Put
from tests.application.builders import CUSTOMER, chargeback
from tests.fakes.services import START
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, claims, http_event
from tests.handlers.twice import answer_of
from tests.infrastructure.openapi import SCHEMAS, validate

STAFF = "/v1/staff/accounts/{customer}"
OWED = 121_500


def answer(handler: Any, route: str, body: Any = None, **given: Any) -> tuple[int, dict[str, Any]]:
    jwt = given.pop("jwt", claims())
    headers = {"idempotency-key": given.pop("key", "k")}
    event = http_event(route, body=body, jwt=jwt, headers=headers, **given)
    return answer_of(handler, event)


def staff(handler: Any, route: str, body: Any = None, **path: str) -> tuple[int, dict[str, Any]]:
    jwt = claims(sub="staff-1") | {"cognito:groups": "[approver]"}
    key = f"{route} {path}"
    return answer(handler, route, body, jwt=jwt, key=key, path={"customer": CUSTOMER} | path)


def account() -> dict[str, Any]:
    status, shown = answer(showing, "GET /v1/account")
    assert status == 200
    validate(shown, SCHEMAS["Account"])
    return shown


@pytest.fixture(autouse=True)
def signed_in(services: HandlerServices) -> None:
    services.policy = "rtc"
    services.store.commit([Put(Identity(ISSUER, "user-1", CUSTOMER, START, "tests"), 0)])


def lose(services: HandlerServices, number: int = 1) -> None:
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.LOST)
    handle_dispute(services, dispute="du_1", event=f"evt_{number}", event_type="t")
    services.run_effects(rounds=200)


def settle_invoice(services: HandlerServices, status: str = "paid") -> None:
    """The customer has paid on the invoice's page, or somebody has voided it by hand."""
    (receivable,) = account()["receivables"]
    services.billing.unpaid[receivable["invoice"]] = DunningFacts(
        id=receivable["invoice"],
        number="A-9",
        customer=CUSTOMER,
        subscription=None,
        status=status,
        due=0,
        paid=OWED if status == "paid" else 0,
        currency="usd",
        failed=False,
        first=False,
        receivable=receivable["id"],
    )
    refresh_invoice(services, customer=CUSTOMER, invoice=receivable["invoice"])
    services.run_effects(rounds=200)


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The packs as they are, save that paying lifts what a lost chargeback has brought."""
    original = policy_files.read_pack

    def read(path: Any) -> Policy:
        policy = original(path)
        clauses = tuple(
            replace(c, reinstate_when_paid=True) if isinstance(c, ChargebackRule) else c
            for c in policy.clauses
        )
        return replace(policy, clauses=clauses)

    with monkeypatch.context() as patched:
        patched.setattr(policy_files, "read_pack", read)
        yield


def test_a_suspended_customer_asks_for_a_page_and_pays(services: HandlerServices) -> None:
    assert answer(paying, "POST /v1/receivables", {"currency": "usd"})[1]["type"].endswith("owed")
    lose(services)
    assert account()["standing"] == "suspended"
    status, asked = answer(paying, "POST /v1/receivables", {"currency": "usd"})
    assert (status, asked["amount"], asked["page"]) == (202, OWED, None)
    validate(asked, SCHEMAS["Receivable"])
    assert answer(paying, "POST /v1/receivables", {"currency": "usd"})[1] == asked
    services.run_effects(rounds=200)
    (shown,) = account()["receivables"]
    assert (shown["state"], shown["page"]) == (
        "issued",
        f"https://pay.example.com/{shown['invoice']}",
    )
    made = [name for name, _ in services.billing.calls]
    assert made[-3:] == ["draft_debt", "fill_debt", "send_debt"]
    settle_invoice(services)
    after = account()
    assert after["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 0}]
    assert after["receivables"][0]["state"] == "paid"
    # The pack does not say that paying lifts it: a person does.
    assert after["standing"] == "suspended"


def test_an_invoice_that_is_there_already_is_shown_with_its_page(
    services: HandlerServices,
) -> None:
    lose(services)
    staff(judging, f"POST {STAFF}/collections", {"currency": "usd"})
    services.run_effects(rounds=200)
    status, problem = answer(paying, "POST /v1/receivables", {"currency": "usd"})
    assert (status, problem["type"]) == (409, "/problems/already-asked")
    assert problem["receivable"]["page"].startswith("https://pay.example.com/")
    assert len(services.billing.debts) == 1


@pytest.mark.parametrize("call", ["draft_debt", "fill_debt"])
def test_what_is_owed_is_asked_for_once_though_an_error_hid_that_it_was_done(
    services: HandlerServices, call: str
) -> None:
    lose(services)
    services.billing.fail_after[call] = [OutcomeUnknownError("500", sticky=True)]
    answer(paying, "POST /v1/receivables", {"currency": "usd"})
    for _ in range(2):
        services.run_effects(rounds=200)
        services.clock.advance(hours=1)
        services.run_due_work()
    (debt,) = services.billing.debts.values()
    assert (debt["amount"], debt["sent"]) == (OWED, True)
    assert account()["receivables"][0]["state"] == "issued"


@pytest.mark.parametrize(
    ("done", "left"), [(("draft_debt",), "fill_debt"), (("draft_debt", "fill_debt"), "send_debt")]
)
def test_an_invoice_that_was_voided_by_hand_is_neither_filled_nor_sent(
    services: HandlerServices, done: tuple[str, ...], left: str
) -> None:
    lose(services)
    services.waker.woken.clear()
    answer(paying, "POST /v1/receivables", {"currency": "usd"})
    for kind in done:
        (effect,) = services.effects(CUSTOMER, EffectKind(kind))
        perform_effect(services, customer=CUSTOMER, effect_id=effect.id)
    settle_invoice(services, "void")
    assert services.billing.called(left) == []
    (shown,) = account()["receivables"]
    assert (shown["state"], shown["page"]) == ("void", None)


@pytest.mark.usefixtures("lenient")
def test_paying_lifts_the_cause_where_the_clause_says_so(services: HandlerServices) -> None:
    lose(services)
    answer(paying, "POST /v1/receivables", {"currency": "usd"})
    services.run_effects(rounds=200)
    settle_invoice(services)
    assert (account()["standing"], account()["causes"]) == ("good", [])
    assert services.billing.paused == set()
    # A repeated event of the lost dispute suspends nobody again.
    lose(services, 2)
    assert account()["standing"] == "good"


@pytest.mark.usefixtures("lenient")
def test_as_long_as_anything_is_owed_nothing_is_lifted(services: HandlerServices) -> None:
    lose(services)
    answer(paying, "POST /v1/receivables", {"currency": "usd"})
    services.run_effects(rounds=200)
    stored = services.store.get(Account, CUSTOMER)
    assert stored is not None
    owing = stored.record.with_balance("eur", owed=1)
    services.store.commit([Put(owing, stored.version)])
    settle_invoice(services)
    assert account()["standing"] == "suspended"


def test_staff_lift_what_a_lost_dispute_has_brought_and_no_open_one(
    services: HandlerServices,
) -> None:
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_0", event_type="t")
    route = f"DELETE {STAFF}/suspensions/{{id}}"
    assert staff(accounts, route, id="du_1")[0] == 404
    lose(services)
    status, after = staff(accounts, route, id="du_1")
    assert (status, after["standing"]) == (200, "good")


@pytest.mark.parametrize("body", [{}, {"currency": "USD"}, {"currency": "usd", "amount": 5}])
def test_what_does_not_fit_changes_nothing(services: HandlerServices, body: Any) -> None:
    lose(services)
    before = dict(services.store.table)
    assert answer(paying, "POST /v1/receivables", body)[0] == 400
    assert services.store.table == before


def test_staff_see_and_decide_a_warning(services: HandlerServices) -> None:
    asked = replace(chargeback(kind=DisputeKind.INQUIRY), fee=0)
    services.billing.disputes["du_1"] = asked
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    _, shown = staff(accounts, f"GET {STAFF}")
    validate(shown, SCHEMAS["StaffAccount"])
    (warned,) = shown["early_warnings"]
    assert (warned["kind"], warned["state"]) == ("inquiry", "asked")
    route = f"POST {STAFF}/early-warnings/{{id}}/decisions"
    status, left = staff(judging, route, {"decision": "leave"}, id="ch_1")
    assert (status, left["state"]) == (202, "left")
    validate(left, SCHEMAS["EarlyWarning"])
    assert staff(judging, route, {"decision": "refund"}, id="ch_absent")[0] == 404


@pytest.mark.parametrize(
    "error",
    [OutcomeUnknownError("500", sticky=True), RefusedError("sent", "sent already")],
    ids=["a stored error", "refused"],
)
def test_an_invoice_that_went_out_behind_an_error_is_found_and_not_sent_again(
    services: HandlerServices, error: Exception
) -> None:
    lose(services)
    services.billing.fail_after["send_debt"] = [error]
    assert answer(paying, "POST /v1/receivables", {"currency": "usd"})[0] == 202
    for _ in range(6):
        services.run_effects(rounds=200)
        services.clock.advance(minutes=10)
        services.run_due_work()
    (receivable,) = account()["receivables"]
    assert (receivable["state"], bool(receivable["page"])) == ("issued", True)
    assert len(services.billing.called("send_debt")) == 1
