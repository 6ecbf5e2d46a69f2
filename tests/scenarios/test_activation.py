"""The first payment: one set-up mail and one event, however often Stripe tells of it."""

from collections.abc import Callable

import pytest

from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import deliver
from tests.scenarios.conftest import Bus
from tests.scenarios.customers import WELCOME, Customer
from tests.verifier.reader import Reader

pytestmark = pytest.mark.stack


@pytest.mark.clause("voip.activation")
def test_the_first_paid_invoice_activates_the_account_once(
    stack: Stack,
    newcomer: Callable[..., Customer],
    settle: Callable[[], None],
    reader: Reader,
    bus: Bus,
):
    customer = newcomer(interval="month", amount=4_900)
    paid = [
        event
        for event in reader.stripe_list("events", type="invoice.paid")
        if event["data"]["object"]["customer"] == customer.id
    ]
    assert len(paid) == 1
    for _ in range(3):
        deliver(stack, paid[0])
    settle()
    assert [mail.splitlines()[0] for mail in customer.all_mails()] == [WELCOME]
    assert bus.about(customer.id, welcome=True) == ["AccountActivated"]
