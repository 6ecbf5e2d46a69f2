"""Staff, mails and outages for the scenarios: what comes in by other ways than the portal."""

import json
import os
import sys
import time
import uuid
from typing import Any

from infrastructure.local.stack import Stack

Json = dict[str, Any]
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAQAAAP//AwAABgAFV7+r1AAAAABJRU5E"
    "rkJggg=="
)
# `make outage` sets it to 500; the tests of every change make do with fewer.
OUTAGE_SIZE = int(os.environ.get("OUTAGE", "20"))
# How often a long wait is looked at, and how often in a row nothing may have moved.
_GLANCE_SECONDS, _STANDSTILL_GLANCES = 10, 12

_HEARD_WITHIN_SECONDS = 30


def staff_token(stack: Stack, role: str) -> str:
    """The access token of a new member of staff."""
    email = f"{role}-{uuid.uuid4().hex[:8]}@vendor.example"
    stack.logins.create(email, role)
    return stack.sign_in(email).access


def mail(
    sender: str, subject: str, text: str = "I was charged twice, see the screenshot."
) -> bytes:
    """A mail as a client writes it, with a screenshot."""
    lines = [
        f"From: Customer <{sender}>",
        "To: refunds@vendor.example",
        f"Subject: {subject}",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b1"',
        "",
        "--b1",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
        "--b1",
        "Content-Type: image/png",
        'Content-Disposition: attachment; filename="statement.png"',
        "Content-Transfer-Encoding: base64",
        "",
        PNG,
        "--b1--",
        "",
    ]
    return "\r\n".join(lines).encode()


def deliver_mail(stack: Stack, raw: bytes, sender: str, **verdicts: str) -> Json:
    """What SES does with a message: into the bucket, then the function; what came of it."""
    message = uuid.uuid4().hex
    bucket = stack.outputs["InboundBucketName"]
    stack.aws("s3").put_object(Bucket=bucket, Key=f"inbound/{message}", Body=raw)
    names = ("spf", "dkim", "dmarc", "spam", "virus")
    receipt = {f"{name}Verdict": {"status": verdicts.get(name, "PASS")} for name in names}
    told = {"mail": {"messageId": message, "source": sender}, "receipt": receipt}
    event = {"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": told}]}
    answer = stack.aws("lambda").invoke(
        FunctionName=stack.outputs["ReceiveMailFunctionName"], Payload=json.dumps(event).encode()
    )
    outcome: Json = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, outcome
    return outcome


def report_on_the_bus(stack: Stack, report: Json) -> None:
    """What the company's monitoring does: an event on the bus, from which an incident comes."""
    entry = {
        "EventBusName": stack.outputs["EventBusName"],
        "Source": "company.monitoring",
        "DetailType": "IncidentReported",
        "Detail": json.dumps(report),
    }
    assert stack.aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    token = staff_token(stack, "agent")
    for _ in range(_HEARD_WITHIN_SECONDS):
        path = f"/v1/staff/incidents/{report['reference']}"
        if stack.call("GET", path, token=token).ok:
            return
        time.sleep(1)
    raise TimeoutError(f"no incident came of the event (logs: {stack.directory}/logs)")


def subscribe_many(stack: Stack, count: int, amount: int) -> tuple[str, list[str]]:
    """A product, and as many customers who pay for it monthly from now on."""
    api: Any = stack.stripe.v1
    product = api.products.create({"name": "Calls"}).id
    price = api.prices.create(
        {
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": "month"},
            "product": product,
        }
    )
    customers = []
    for _ in range(count):
        customer = api.customers.create(
            {
                "email": f"{uuid.uuid4().hex}@example.com",
                "payment_method": "pm_card_visa",
                "invoice_settings": {"default_payment_method": "pm_card_visa"},
            }
        )
        api.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
        customers.append(customer.id)
    return str(product), customers


def settle_in_sight(stack: Stack, what: str) -> None:
    """Wait until nothing is under way, however long, as long as something still moves.

    `make outage` shows how far it is; a standstill raises TimeoutError with what is stuck.
    """
    begun, before, still = time.monotonic(), dict[str, int](), 0
    while True:
        try:
            stack.settle(_GLANCE_SECONDS)
        except TimeoutError:
            waiting = stack.waiting()
            still = still + 1 if waiting == before else 0
            if still == _STANDSTILL_GLANCES:
                raise
            before = waiting
            rest = ", ".join(f"{where}: {count}" for where, count in waiting.items())
            _tell(f"{what}, {time.monotonic() - begun:.0f} s: {rest}")
        else:
            _tell(f"{what}: done in {time.monotonic() - begun:.0f} s")
            return


def _tell(progress: str) -> None:
    sys.stderr.write(f"\n  {progress}")
    sys.stderr.flush()


def refunds_of(stack: Stack, customers: list[str]) -> dict[str, list[int]]:
    """What has gone back to each of these customers, as Stripe has it."""
    api: Any = stack.stripe.v1
    found: dict[str, list[int]] = {customer: [] for customer in customers}
    for refund in api.refunds.list({"limit": 100}).auto_paging_iter():
        charge = api.charges.retrieve(refund.charge)
        if charge.customer in found and refund.status == "succeeded":
            found[charge.customer].append(refund.amount)
    return found


def plan_death(stack: Stack, customer: str, **where: Any) -> None:
    """A worker dies once, at a call about this customer."""
    plan = stack.directory / "crashes" / f"outage_{uuid.uuid4().hex[:8]}.json"
    document = {"about": [customer], "nth": 1, "holding": "", "when": "after", **where}
    unfinished = plan.with_suffix(".new")
    unfinished.write_text(json.dumps(document))
    unfinished.rename(plan)
