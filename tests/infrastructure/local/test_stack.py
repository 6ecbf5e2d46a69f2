"""The stack that `make run` starts and the tests share, seen through what it offers them."""

import base64
import json
import subprocess
import sys
from datetime import timedelta
from urllib.request import urlopen

import pytest

from infrastructure.local.processes import ROOT
from infrastructure.local.stack import MAIL_FROM

pytestmark = pytest.mark.stack


def claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return decoded


def test_a_login_gives_an_access_token_for_customers_and_an_id_token(stack):
    stack.logins.create("stack-test@example.com")
    tokens = stack.sign_in("stack-test@example.com")
    assert claims(tokens.access)["token_use"] == "access"
    assert claims(tokens.access)["iss"] == stack.outputs["Issuer"]
    assert claims(tokens.access)["scope"] == "aws.cognito.signin.user.admin"
    assert claims(tokens.id)["token_use"] == "id"


def test_staff_carry_their_group(stack):
    stack.logins.create("stack-agent@example.com", "agent")
    assert claims(stack.sign_in("stack-agent@example.com").access)["cognito:groups"] == ["agent"]


def test_the_service_token_carries_the_service_scope(stack):
    assert claims(stack.service_token())["scope"] == "fairexit/access"


def test_the_clock_moves_forward_for_stripe_and_the_functions_alike(stack):
    before = stack.now()
    stack.advance(timedelta(days=2))
    assert timedelta(days=2) <= stack.now() - before < timedelta(days=2, minutes=5)
    customer = stack.stripe.v1.customers.create({"name": "Made now"})
    assert abs(customer.created - stack.now().timestamp()) < 60


def test_the_schedule_can_be_fired_now(stack):
    stack.fire_schedule()


def test_all_quiet_is_recognised_and_what_waits_is_named(stack):
    stack.settle(60)
    queue = stack.outputs["StripeEventsQueueUrl"]
    stack.aws("sqs").send_message(QueueUrl=queue, MessageBody="{}", DelaySeconds=600)
    try:
        assert stack.waiting() == {"StripeEventsQueue delayed": 1}
        with pytest.raises(TimeoutError, match="StripeEventsQueue delayed: 1"):
            stack.settle(0.1)
    finally:
        stack.aws("sqs").purge_queue(QueueUrl=queue)
    stack.settle(60)


def test_a_mail_that_was_sent_can_be_read_at_the_page(stack):
    stack.aws("sesv2").send_email(
        FromEmailAddress=MAIL_FROM,
        Destination={"ToAddresses": ["someone@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": "A test of the mail page"},
                "Body": {"Text": {"Data": "plain <text>"}},
            }
        },
    )
    assert [mail.text for mail in stack.mails() if mail.subject == "A test of the mail page"] == [
        "plain <text>"
    ]
    with urlopen(stack.mail_url) as page:  # noqa: S310 -- loopback
        assert b"plain &lt;text&gt;" in page.read()


def test_a_second_launcher_on_the_same_ports_says_so_and_leaves_the_first_alone(stack):
    ports = ",".join(url.rstrip("/").rsplit(":", 1)[1] for url in addresses(stack))
    second = subprocess.run(
        [sys.executable, "-m", "infrastructure.local", "run"],
        cwd=ROOT,
        env={"PORTS": ports, "ONCE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.startswith("Port ")
    assert second.stderr.count("\n") == 1
    stack.check()


def addresses(stack) -> tuple[str, str, str]:
    return stack.aws_endpoint, stack.stripe_url, stack.mail_url
