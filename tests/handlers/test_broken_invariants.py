"""A record that cannot be stops its own operation: nothing is sent, a person is called.

Everything else goes on: of the same batch, of the same customer, of others.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.do_due_work import handler as do_due_work
from functions.perform_money_effect import handler as perform_money_effect
from shared.application.effects.performer import Performer
from shared.application.perform_effect import PERFORMERS
from shared.domain.controls import OPERATIONS, Controls
from shared.domain.effects import RETRY_LADDER, Effect, EffectKind, EffectStatus, Lane
from shared.domain.payment import Payment
from shared.domain.receivable import Receivable
from shared.domain.records import Assessment, Quote
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.domain.upload import Upload
from shared.runtime import observability
from tests.application.builders import CUSTOMER
from tests.application.case_life import AGENT, APPROVER, Life
from tests.application.test_case_life import SOON
from tests.fakes.services import START
from tests.handlers import tampering as t
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import Context, sqs_event
from tests.handlers.tampering import MAKERS, about_to_send, double

OTHER = "cus_bob"
Tampering = Callable[[HandlerServices, Effect], None]
_K = EffectKind
REFUNDS = (_K.REFUND_PAYMENT, _K.GIVE_CREDIT)
PROMISED = (*REFUNDS, _K.ISSUE_CREDIT_NOTE)
DEBTS = (_K.DRAFT_DEBT, _K.FILL_DEBT, _K.SEND_DEBT)


def test_each_kind_that_moves_money_is_here() -> None:
    made = [Effect("", "", kind, {}, EffectStatus.PENDING, START, START, "") for kind in EffectKind]
    assert {one.kind for one in made if one.lane is Lane.MONEY} == set(MAKERS)
    nothing = Performer(send=lambda *_: {})
    for kind in MAKERS:
        # Without a look-up there is no other key, and without a look at what is promised no call.
        assert PERFORMERS[kind].look_up is not nothing.look_up, kind
        assert PERFORMERS[kind].may_send is not nothing.may_send, kind


def sent(**change: Any) -> Tampering:
    """It was sent, nobody has heard what came of it, and then its record was changed."""

    def tampering(services: HandlerServices, effect: Effect) -> None:
        earlier = services.clock.now() - timedelta(minutes=3)
        t.tamper(services, effect.sending(earlier, incarnation=1), **change)

    return tampering


def without(find: Callable[[HandlerServices], Any]) -> Tampering:
    return lambda services, _: t.lose(services, find(services))


def with_(find: Callable[[HandlerServices], Any], **change: Any) -> Tampering:
    return lambda services, _: t.tamper(services, find(services), **change)


def of(kind: type[Any]) -> Callable[[HandlerServices], Any]:
    return lambda services: t.of(services, kind)


def own(services: HandlerServices, effect: Effect) -> RefundOperation:
    refund: RefundOperation = t.of(services, RefundOperation, effect.params["refund"])
    return refund


def replaced(services: HandlerServices, effect: Effect) -> RefundOperation:
    name = own(services, effect).replaces or ""
    refund: RefundOperation = t.of(services, RefundOperation, name)
    return refund


DENIED = json.dumps({"outcome": "denied"})
# What was changed, of which kinds of effect, and how.
TAMPERED: dict[str, tuple[tuple[EffectKind, ...], Tampering]] = {
    # A state, an epoch or an outcome goes back.
    "set back to pending": (tuple(MAKERS), sent(status=EffectStatus.PENDING)),
    "set back to the first epoch": (tuple(MAKERS), sent(epoch=0)),
    "sent at no time": (tuple(MAKERS), sent(sent_at=None)),
    "an outcome taken back": (tuple(MAKERS), sent(result={"made": "re_1"})),
    # The key is another's, or of another epoch or environment.
    "the key of another": (tuple(MAKERS), sent(key="refund_payment:test:other:1")),
    "no key": (tuple(MAKERS), sent(key=None)),
    "an epoch ahead": (tuple(MAKERS), sent(epoch=2)),
    "of another environment": (tuple(MAKERS), sent(environment="live")),
    # No intent.
    "no refund": (REFUNDS, lambda s, e: t.lose(s, own(s, e))),
    "another amount": (REFUNDS, lambda s, e: t.tamper(s, own(s, e), amount=1)),
    "another payment": (REFUNDS, lambda s, e: t.tamper(s, own(s, e), payment="pi_x")),
    "another currency": (REFUNDS, lambda s, e: t.tamper(s, own(s, e), currency="eur")),
    "another way": (REFUNDS, lambda s, e: t.tamper(s, own(s, e), way="out_of_band")),
    "no promise": (PROMISED, without(t.promise)),
    "of another promise": (PROMISED, with_(t.promise, refunds=("other",))),
    "credit of nobody": ((_K.ISSUE_CREDIT_NOTE,), with_(t.promise, credits=t.CREDITS)),
    "no refund made": ((_K.ISSUE_CREDIT_NOTE,), without(of(RefundOperation))),
    "a refund set back": (
        (_K.ISSUE_CREDIT_NOTE,),
        with_(of(RefundOperation), status=RefundStatus.RESERVED),
    ),
    "another refund made": (
        (_K.ISSUE_CREDIT_NOTE,),
        with_(of(RefundOperation), stripe_refund="re_x"),
    ),
    "nothing replaced": (
        (_K.GIVE_CREDIT,),
        lambda s, e: t.lose(s, replaced(s, e)),
    ),
    "another replaced it": (
        (_K.GIVE_CREDIT,),
        lambda s, e: t.tamper(s, replaced(s, e), replaced_by="other"),
    ),
    "nothing taken away": ((_K.ADD_CHARGE,), without(t.removal)),
    "not taken away yet": ((_K.ADD_CHARGE,), with_(t.removal, status=EffectStatus.SENT)),
    "no receivable": (DEBTS, without(of(Receivable))),
    "no draft": (DEBTS[1:], with_(of(Receivable), invoice=None)),
    # No decision.
    "no quote": (PROMISED, without(of(Quote))),
    "a quote of another": (PROMISED, with_(of(Quote), used_by="other")),
    "a quote that denies": (PROMISED, with_(of(Quote), document=DENIED)),
    "a quote of another invoice": (PROMISED, with_(of(Quote), returns="[]")),
    # No reservation.
    "no payment": (REFUNDS, without(of(Payment))),
    "nothing reserved": (REFUNDS, with_(of(Payment), reserved=0)),
}
CASES = [
    pytest.param(kind, tampering, id=f"{kind.value}: {name}")
    for name, (kinds, tampering) in TAMPERED.items()
    for kind in kinds
]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    observability.logger()
    for handler in logging.getLogger("fairexit").handlers:
        if isinstance(handler, logging.StreamHandler):
            monkeypatch.setattr(handler, "stream", stream)
    return stream


def untouched(services: HandlerServices) -> dict[Any, Any]:
    """What the broken operation could have changed: everything but the account and its trail."""
    return {
        (pk, sk): item
        for (pk, sk), item in services.store.table.items()
        if pk.endswith(CUSTOMER) and sk.startswith(tuple(HELD)) and t.IDS in str(item)
    }


HELD = ("REFUND#", "PAYMENT#", "CANCELLATION#", "QUOTE#", "RECEIVABLE#", "EFFECT#", "SUB#")


def keys_sent(services: HandlerServices) -> Iterator[str]:
    return (str(given["key"]) for _, given in services.billing.calls)


@pytest.mark.parametrize(("kind", "tampering"), CASES)
def test_it_stops_its_operation_and_no_other(
    services: HandlerServices,
    log: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    kind: EffectKind,
    tampering: Tampering,
) -> None:
    effect = about_to_send(services, kind)
    beside = double(services, effect, "7", CUSTOMER)
    others = double(services, effect, "8", OTHER)
    tampering(services, effect)
    services.billing.calls.clear()
    before = untouched(services)
    services.clock.advance(minutes=1)

    broken = {"customer": CUSTOMER, "effect": effect.id}
    answer = perform_money_effect.lambda_handler(sqs_event(broken, beside, others), Context())

    assert answer["batchItemFailures"] == [{"itemIdentifier": "m0"}]
    assert [name for name, _ in services.billing.calls] == [MAKERS[kind][1]] * 2
    assert [key.split(":")[2] for key in keys_sent(services)] == [
        beside["effect"],
        others["effect"],
    ]
    attempt = ("attempts", "next_attempt_at", "due_at", "version")
    after = {
        place: {name: value for name, value in item.items() if name not in attempt}
        for place, item in untouched(services).items()
        if place in before
    }
    assert after == {
        place: {name: value for name, value in item.items() if name not in attempt}
        for place, item in before.items()
    }
    (line,) = [json.loads(one) for one in log.getvalue().splitlines()]
    assert (line["error"], line["customer"], line["subject"]) == (
        "BrokenInvariantError",
        CUSTOMER,
        effect.id,
    )
    assert line["cause"]
    assert capsys.readouterr().out.count('"BrokenInvariants":[1.0]') == 1


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", ["set back to pending", "no promise", "no receivable"])
def test_the_sweep_wakes_it_until_a_person_has_it(
    services: HandlerServices, kind: EffectKind, name: str
) -> None:
    kinds, tampering = TAMPERED[name]
    if kind not in kinds:
        return
    effect = about_to_send(services, kind)
    beside = double(services, effect, "7", CUSTOMER)
    tampering(services, effect)
    services.billing.calls.clear()
    for _ in range(2 * len(RETRY_LADDER)):
        services.clock.advance(days=1)
        assert "failed" not in do_due_work.lambda_handler({"work": "due"}, Context())
        woken = [{"customer": c, "effect": e} for c, e, _ in services.waker.woken]
        services.waker.woken.clear()
        if woken:
            perform_money_effect.lambda_handler(sqs_event(*woken), Context())
    assert t.of(services, Effect, effect.id).status is EffectStatus.NEEDS_PERSON
    assert t.of(services, Effect, beside["effect"]).status is EffectStatus.DONE
    assert effect.id not in {key.split(":")[2] for key in keys_sent(services) if ":" in key}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("opened", [False, None], ids=["stopped", "never opened"])
def test_nothing_of_any_kind_passes_a_switch_that_is_not_open(
    services: HandlerServices, kind: EffectKind, *, opened: bool | None
) -> None:
    effect = about_to_send(services, kind)
    others = double(services, effect, "8", OTHER)
    services.billing.calls.clear()
    stored = services.store.get(Controls, OPERATIONS)
    assert stored is not None
    if opened is None:
        t.lose(services, stored.record)
    else:
        t.tamper(services, stored.record, money_moves=opened)
    batch = sqs_event({"customer": CUSTOMER, "effect": effect.id}, others)
    assert perform_money_effect.lambda_handler(batch, Context())["batchItemFailures"] == []
    assert services.billing.calls == []
    held = t.of(services, Effect, effect.id)
    assert (held.status, held.attempts, held.key) == (EffectStatus.PENDING, 0, None)


def paid_case(services: HandlerServices) -> Effect:
    """The refund of an overcharge that two people have agreed to."""
    life = Life("rtc", services)
    services.clock.instant = services.billing.now = SOON
    life.open("billing_error")
    life.upload()
    (upload,) = services.store.all_of(Upload, CUSTOMER)
    life.find(verified=True, lines={"il_1": {"expected_amount": 50_000}})
    for person in (AGENT, APPROVER):
        life.approve(person, reviewed=(upload.record.id,))
    (effect,) = services.effects(CUSTOMER, EffectKind.REFUND_PAYMENT)
    return effect


@pytest.mark.parametrize(
    "tampering",
    [
        without(of(RefundCase)),
        without(of(Assessment)),
        with_(of(Assessment), document=DENIED),
        with_(of(RefundCase), refunds=()),
    ],
    ids=["no case", "no assessment", "an assessment that denies", "of another case"],
)
def test_a_case_is_a_promise_too(services: HandlerServices, tampering: Tampering) -> None:
    effect = paid_case(services)
    tampering(services, effect)
    batch = sqs_event({"customer": CUSTOMER, "effect": effect.id})
    assert len(perform_money_effect.lambda_handler(batch, Context())["batchItemFailures"]) == 1
    assert services.billing.calls == []
