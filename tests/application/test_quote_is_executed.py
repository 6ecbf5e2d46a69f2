"""What is quoted, what is stored and what is executed are the same amounts, whatever the case."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters import policy_files
from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.quote_cancellation import quote_cancellation
from shared.application.show_cancellation import show_cancellation
from shared.domain.cancellation import Timing
from shared.domain.case import parse_case
from shared.domain.invoice import PaymentFacts
from shared.domain.records import Quote
from shared.domain.refund import decide_refund, quote_document
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    YEAR_START,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices

YEAR_SECONDS = int((YEAR_END - YEAR_START).total_seconds())


def world(amount: int, tax: int, parts: list[int], refunded: int, second: int) -> FakeServices:
    """An invoice of `amount` and `tax` paid in parts, some of it refunded, at an instant."""
    services = services_with_annual_plan()
    services.clock.instant = YEAR_START + timedelta(seconds=second)
    total = amount + tax
    cuts = sorted({min(total, part) for part in parts} | {0, total})
    payments = tuple(
        PaymentFacts(f"pi_{place}", end - start, 0, 0, 0, True, "card", end - start)
        for place, (start, end) in enumerate(itertools.pairwise(cuts))
    )
    first = payments[0]
    payments = (replace(first, refunded=min(refunded, first.amount)), *payments[1:])
    invoice = replace(paid_invoice(amount=amount, tax=tax), payments=payments)
    services.billing.invoices["in_1"] = invoice
    return services


@settings(max_examples=120, deadline=None)
@given(
    amount=st.integers(1, 10_000_000),
    tax=st.integers(0, 3_000_000),
    parts=st.lists(st.integers(1, 13_000_000), max_size=3),
    refunded=st.integers(0, 10_000_000),
    second=st.integers(0, YEAR_SECONDS - 1),
)
def test_the_quote_the_stored_decision_and_the_money_are_one(
    amount: int, tax: int, parts: list[int], refunded: int, second: int
) -> None:
    """quote = decision recomputed from the stored case = refunds at Stripe = credit note."""
    services = world(amount, tax, parts, refunded, second)
    shown = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    stored = services.store.get(Quote, CUSTOMER, shown["id"])
    assert stored is not None
    case = parse_case(json.loads(stored.record.case))
    policy = policy_files.load_policy_for(case)
    assert quote_document(decide_refund(policy, case)) == shown["quote"]

    answer = cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(shown["id"]),
        call=ClientCall("r", "k", "b"),
    )
    services.run_effects()
    total = shown["quote"]["total"]
    assert sum(refund.amount for refund in services.billing.refunds.values()) == total
    assert 0 <= total <= amount + tax
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert done["state"] == "executed"
    credited = sum(
        line.amount + sum(part.amount for part in line.taxes)
        for note in services.billing.credit_notes.values()
        for line in note["lines"]
    )
    assert credited == total
