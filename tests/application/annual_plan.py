"""The customer on an annual plan who cancels now: quote, confirm, and what has gone back."""

import json
from typing import Any

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import Answer, ClientCall
from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Cancellation, CancellationState, Timing
from shared.domain.records import Quote
from shared.domain.refund_operation import RefundOperation
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
)
from tests.fakes.services import FakeServices

REFUND = 97479  # 1,200.00 × 593/730, half up


def quoted(services: FakeServices, timing: Timing = Timing.IMMEDIATELY) -> dict[str, Any]:
    return quote_cancellation(services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=timing)


def confirm(services: FakeServices, quote_id: str, key: str = "key-1") -> Answer:
    call = ClientCall("POST /v1/cancellations", key, quote_id)
    return cancel_subscription(
        services, customer=CUSTOMER, request=ConfirmQuote(quote_id), call=call
    )


def granted(refund: RefundOperation) -> tuple[Cancellation, Quote]:
    """What a refund that stands alone rests on: its cancellation, and the quote that granted it."""
    name, at = refund.cancellation or "", refund.reserved_at
    now = Timing.IMMEDIATELY
    cancellation = Cancellation(
        *(name, refund.customer, SUBSCRIPTION, f"q{name}", now, CancellationState.EXECUTING),
        *(at, at, ()),
        refunds=(refund.id,),
    )
    back = {"invoice": refund.invoice, "refunds": {refund.payment: refund.amount}, "credit": 0}
    document, returns = json.dumps({"outcome": "granted"}), json.dumps([back])
    quote = Quote(
        *(cancellation.quote, refund.customer, SUBSCRIPTION, now, at, at, "d", "{}"),
        *(document, returns),
        used_by=name,
    )
    return cancellation, quote


def refunded(services: FakeServices) -> int:
    return sum(refund.amount for refund in services.billing.refunds.values())
