"""A worker dies before or after any one of its port calls; everything still happens once.

Exhaustive: first the calls of an unharmed life are counted, then one life is lived for each of
them and each side of it. What has died is delivered again, and the schedule goes on.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.handle_dispute import handle_dispute
from shared.application.reconcile import reconcile
from shared.application.reconcile_lists import Scope
from shared.application.replan_refund import Replan, replan_refund
from shared.application.show_cancellation import show_cancellation
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Cancellation, Timing
from shared.domain.dispute import DisputeOutcome
from shared.domain.refund_operation import RefundWay
from tests.application.annual_plan import REFUND, confirm, quoted
from tests.application.builders import CUSTOMER, chargeback, services_with_annual_plan
from tests.application.mortal import Life
from tests.fakes.services import FakeServices


def cancel_now(life: Life) -> None:
    quote = quoted(life.services)["id"]
    life.do(lambda services: confirm(services, quote))
    life.carry_on()


def cancel_at_end_and_take_back(life: Life) -> None:
    quote = quoted(life.services, Timing.AT_PERIOD_END)["id"]
    answer = life.do(lambda services: confirm(services, quote))
    life.carry_on()
    life.do(
        lambda services: withdraw_cancellation(
            services, customer=CUSTOMER, cancellation=answer.body["id"]
        )
    )
    life.carry_on()


def fail_late_and_replan(life: Life) -> None:
    cancel_now(life)
    seen = life.services.billing.refunds["re_0"]
    failed = replace(seen, status="failed", failure="expired_or_canceled_card")
    life.services.billing.refunds["re_0"] = failed
    life.do(lambda services: refresh_refund(services, refund="re_0"))
    life.carry_on()
    plan = Replan(RefundWay.ACCOUNT_CREDIT, "asked for it")
    life.do(
        lambda services: replan_refund(
            services, customer=CUSTOMER, refund=seen.operation or "", plan=plan, by="agent"
        )
    )
    life.carry_on()


def adopt_from_dashboard(life: Life) -> None:
    life.services.billing.refund_payment(
        payment="pi_1", amount=700, operation="", customer=CUSTOMER, key="by hand"
    )
    made = replace(life.services.billing.refunds["re_0"], operation=None, operation_customer=None)
    life.services.billing.refunds["re_0"] = made
    life.do(lambda services: refresh_refund(services, refund="re_0"))
    life.carry_on()


def suspend_and_reinstate(life: Life) -> None:
    for event, outcome in (("evt_1", DisputeOutcome.UNDECIDED), ("evt_2", DisputeOutcome.WON)):
        life.services.billing.disputes["du_1"] = chargeback(outcome=outcome)
        life.do(
            lambda services, event=event: handle_dispute(  # type: ignore[misc]
                services, dispute="du_1", event=event, event_type="charge.dispute.updated"
            )
        )
        life.carry_on()
    assert not life.services.billing.paused


# What is at Stripe at the end of each flow: refunds that have not failed, credit notes, credit.
FLOWS = [
    pytest.param(cancel_now, [REFUND], 1, [], id="cancel now"),
    pytest.param(cancel_at_end_and_take_back, [], 0, [], id="take back"),
    pytest.param(fail_late_and_replan, [], 1, [REFUND], id="replan"),
    pytest.param(suspend_and_reinstate, [], 0, [], id="suspend, reinstate"),
    pytest.param(adopt_from_dashboard, [700], 0, [], id="dashboard refund"),
]


@pytest.mark.parametrize(("flow", "refunds", "notes", "credits_given"), FLOWS)
def test_a_death_anywhere_changes_nothing_at_the_end(
    flow: Callable[[Life], None], refunds: list[int], notes: int, credits_given: list[int]
) -> None:
    unharmed = Life(services_with_annual_plan())
    flow(unharmed)
    outcome = at_the_end(unharmed)
    assert outcome == (refunds, notes, credits_given, [], outcome[4])
    died = Counter[str]()
    for at in range(1, len(unharmed.calls) + 1):
        for when in ("before", "after"):
            life = Life(services_with_annual_plan(), at, when)
            flow(life)
            assert at_the_end(life) == outcome, f"{when} call {at}: {unharmed.calls[at - 1]}"
            died[unharmed.calls[at - 1]] += 1
    assert died == {name: 2 * count for name, count in Counter(unharmed.calls).items()}


def at_the_end(life: Life) -> tuple[list[int], int, list[int], list[str], list[str]]:
    """What is at Stripe, what differs from it here, and how the cancellations stand."""
    services = life.services
    services.clock.advance(days=1)
    billing = services.billing
    given_back = [one.amount for one in billing.refunds.values() if one.status != "failed"]
    credit = [amount for _, amount, _, _ in billing.account_credits.values()]
    differing = [one.divergence.detail for one in reconcile(services, Scope()).findings]
    return given_back, len(billing.credit_notes), credit, differing, states(services)


def states(services: FakeServices) -> list[str]:
    known = services.store.all_of(Cancellation, CUSTOMER)
    shown = [
        show_cancellation(services, customer=CUSTOMER, cancellation=one.record.id) for one in known
    ]
    return [one["state"] for one in shown]
