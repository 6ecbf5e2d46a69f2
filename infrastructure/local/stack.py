"""The whole local stack: embedded AWS, local Stripe, mail page, and the real template deployed.

`make run` and the tests' session fixture start it in the same way and use it through `Stack`.
"""

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import stripe

from infrastructure.local.deploy import deploy
from infrastructure.local.embedded_aws import aws_client, start_emulator
from infrastructure.local.errors import LaunchError
from infrastructure.local.logins import Logins, Tokens
from infrastructure.local.mails import Mail, MailPage, read_mails
from infrastructure.local.ports import HOST, Ports
from infrastructure.local.processes import ROOT, Server
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.adapters.stripe_events import HANDLED
from shared.domain.controls import OPERATIONS, Controls
from shared.domain.effects import Lane
from shared.ports import Put

STRIPE_KEY = "sk_test_local"
STRIPE_READ_KEY = "rk_test_local_read_only"
MAIL_FROM = "billing@example.com"
ESCALATION_TO = "desk@example.com"

# The clock runs on while the stack starts, and never goes back: an hour leaves every test and the
# world free to begin at the first second of 2026.
CLOCK_STARTS = datetime(2025, 12, 31, 23, tzinfo=UTC)

EFFECTS_QUEUES = tuple(f"{lane.title()}EffectsQueue" for lane in Lane)
QUEUES = ("StripeEventsQueue", "MailFeedbackQueue", *EFFECTS_QUEUES)

Progress = Callable[[str], None]


class Stack:
    """A running local stack; every address is on the loopback interface."""

    def __init__(self, ports: Ports, directory: Path, policy: str = "voip") -> None:
        """Know the addresses; `start_stack` brings the servers up."""
        self.policy = policy
        self.directory = directory
        self.aws_endpoint = f"http://{HOST}:{ports.aws}"
        self.api_url = f"{self.aws_endpoint}/_aws/execute-api/api"
        self.webhook_url = f"{self.api_url}/webhooks/stripe"
        self.stripe_url = f"http://{HOST}:{ports.stripe}"
        self.mail_url = f"http://{HOST}:{ports.mail}/"
        self.outputs: dict[str, str] = {}
        self.webhook_secret = ""  # with which the local Stripe signs
        self._ports = ports
        self._clients: dict[str, Any] = {}
        self._servers: list[Server] = []
        self._mail_page: MailPage | None = None

    # ------------------------------------------------------------------ clients

    def aws(self, service: str) -> Any:
        """Return a client of an AWS service, with the rights of the account's root."""
        if service not in self._clients:
            self._clients[service] = aws_client(service, self.aws_endpoint)
        return self._clients[service]

    @functools.cached_property
    def stripe(self) -> stripe.StripeClient:
        """Return a real Stripe client that talks to the local Stripe."""
        return stripe.StripeClient(STRIPE_KEY, base_addresses={"api": self.stripe_url})

    @functools.cached_property
    def logins(self) -> Logins:
        """Return the deployed user pool."""
        token_url = f"{self.aws_endpoint}/oauth2/token"
        return Logins(self.aws("cognito-idp"), self.outputs, token_url)

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request to the deployed API, `body` as JSON."""
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        return requests.request(method, self.api_url + path, json=body, headers=sent, timeout=60)

    # ------------------------------------------------------------------ who may sign in

    def sign_in(self, email: str) -> Tokens:
        """Sign a login in."""
        return self.logins.sign_in(email)

    def service_token(self) -> str:
        """Return an access token of the company's own service."""
        return self.logins.service_token()

    def add_customer_login(self, email: str, customer_id: str) -> None:
        """Create a login and link it to a Stripe customer, as the company's server would."""
        link = {
            "issuer": self.outputs["Issuer"],
            "subject": self.logins.create(email),
            "customer": customer_id,
        }
        response = self.call("POST", "/v1/identities", token=self.service_token(), body=link)
        if response.status_code not in {200, 201}:
            raise LaunchError(f"Linking {email} answered {response.status_code}: {response.text}")

    # ------------------------------------------------------------------ time

    def set_clock(self, now: datetime) -> None:
        """Move the local clock forward to `now`; Stripe does all that becomes due on the way."""
        self._control("POST", "clock", {"now": now.isoformat()})

    def advance(self, by: timedelta) -> None:
        """Move the local clock forward by a span."""
        self._control("POST", "clock", {"advance_seconds": by.total_seconds()})

    def now(self) -> datetime:
        """Return the local clock's instant."""
        return datetime.fromisoformat(self._control("GET", "clock")["now"])

    def fire_schedule(self, work: str = "due") -> None:
        """Do at once what the EventBridge schedule for some work does each time: invoke its target.

        Raises LaunchError when the target failed, or when there is no such schedule.
        """
        events = self.aws("events")
        rules = [each for each in events.list_rules()["Rules"] if "ScheduleExpression" in each]
        fired = 0
        for rule in rules:
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                payload = target.get("Input", "{}").encode()
                if json.loads(payload).get("work") != work:
                    continue
                fired += 1
                result = self.aws("lambda").invoke(FunctionName=target["Arn"], Payload=payload)
                if "FunctionError" in result:
                    raise LaunchError(f"{rule['Name']} failed: {result['Payload'].read().decode()}")
        if not fired:
            raise LaunchError(f"The deployed stack has no schedule for {work} work.")

    # ------------------------------------------------------------------ what has happened

    def mails(self) -> list[Mail]:
        """Return the mails that the system sent, oldest first."""
        return read_mails(self.aws_endpoint)

    def waiting(self) -> dict[str, int]:
        """Return what is still under way, by where it waits; empty when all is quiet."""
        return dict(self._still_waiting())

    def _still_waiting(self) -> Iterator[tuple[str, int]]:
        """Look at one place after the other, so that the first which is busy may be enough."""
        counts = {"webhook deliveries": int(self._control("GET", "deliveries")["pending"])}
        yield from ((where, count) for where, count in counts.items() if count)
        for queue in QUEUES:
            attributes = self.aws("sqs").get_queue_attributes(
                QueueUrl=self.outputs[f"{queue}Url"], AttributeNames=["All"]
            )["Attributes"]
            counts = {
                queue: int(attributes["ApproximateNumberOfMessages"]),
                f"{queue} in flight": int(attributes["ApproximateNumberOfMessagesNotVisible"]),
                f"{queue} delayed": int(attributes["ApproximateNumberOfMessagesDelayed"]),
            }
            yield from ((where, count) for where, count in counts.items() if count)

    def settle(self, timeout: float = 60) -> None:
        """Wait until nothing is under way; raise TimeoutError with what still is."""
        deadline, quiet = time.monotonic() + timeout, 0
        while quiet < 2:  # noqa: PLR2004 -- twice, since a thing may pass from one place to the next
            quiet = 0 if any(self._still_waiting()) else quiet + 1
            if time.monotonic() > deadline:
                self.check()
                rest = ", ".join(f"{where}: {count}" for where, count in self._still_waiting())
                raise TimeoutError(
                    f"still under way after {timeout:g} s: {rest} (logs: {self.directory}/logs)"
                )
            time.sleep(0.05)

    def check(self) -> None:
        """Raise LaunchError when one of the servers has died."""
        for server in self._servers:
            server.check()

    def _control(self, method: str, name: str, body: object = None) -> dict[str, Any]:
        """Call the local Stripe's control plane."""
        response = requests.request(
            method, f"{self.stripe_url}/_local/{name}", json=body, timeout=300
        )
        if not response.ok:
            raise LaunchError(f"The local Stripe refused {name}: {response.text}")
        document: dict[str, Any] = response.json()
        return document

    # ------------------------------------------------------------------ life

    def start(self, progress: Progress, template: Path) -> None:
        """Bring everything up; on any failure stop what was started and raise."""
        try:
            self._start_servers(progress)
            progress("deploying template.yaml")
            parameters = self._prepare()
            self.outputs = deploy(self.aws, template, parameters)
            progress("opening the money path and asking the webhook for its first answer")
            self._open()
            self._canary()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every server."""
        if self._mail_page:
            self._mail_page.stop()
            self._mail_page = None
        while self._servers:
            self._servers.pop().stop()

    def _start_servers(self, progress: Progress) -> None:
        logs, clock = self.directory / "logs", self.directory / "clock.json"
        clock.unlink(missing_ok=True)
        progress("starting the embedded AWS and the local Stripe")
        emulator = start_emulator(self._ports.aws, self.directory, clock)
        self._servers.append(emulator)
        options = ["--port", str(self._ports.stripe), "--clock", str(clock)]
        options += ["--start", CLOCK_STARTS.isoformat()]
        local_stripe = Server(
            "The local Stripe",
            ["infrastructure.local.stripe", *options],
            python=Path(sys.executable),
            environment={},
            log=logs / "stripe.log",
        )
        self._servers.append(local_stripe)
        self._mail_page = MailPage(self._ports.mail, self.aws_endpoint)
        emulator.wait_until_ready(f"{self.aws_endpoint}/_ministack/health")
        local_stripe.wait_until_ready(f"{self.stripe_url}/_local/health")

    def _prepare(self) -> dict[str, str]:
        """Make what stands outside the template; return the template's parameters."""
        # The SDK types both as closed sets of literals, which no variable can be.
        events: Any = sorted(HANDLED)
        version: Any = stripe.api_version
        endpoint = self.stripe.v1.webhook_endpoints.create(
            {"url": self.webhook_url, "enabled_events": events, "api_version": version}
        )
        secrets = self.aws("secretsmanager")
        self.webhook_secret = str(endpoint.secret)
        signing = json.dumps({"secrets": [self.webhook_secret]})
        api_key = secrets.create_secret(Name="stripe-api-key", SecretString=STRIPE_KEY)
        read_key = secrets.create_secret(Name="stripe-read-key", SecretString=STRIPE_READ_KEY)
        webhook = secrets.create_secret(Name="stripe-webhook-secrets", SecretString=signing)
        self.aws("ses").verify_email_identity(EmailAddress=MAIL_FROM)
        return {
            "Environment": "local",
            "Livemode": "false",
            "StripeApiKeySecretArn": api_key["ARN"],
            "StripeReadKeySecretArn": read_key["ARN"],
            "StripeWebhookSecretArn": webhook["ARN"],
            "StripeApiBase": self.stripe_url,
            "StripeCallsPerSecond": "200",  # the local Stripe limits nothing unless it is asked to
            "MailFrom": MAIL_FROM,
            "EscalationTo": ESCALATION_TO,
            "Policy": self.policy,
        }

    def _open(self) -> None:
        """Turn the switch: where nobody has, no money moves."""
        store = DynamoDBStore(
            self.aws("dynamodb"), self.outputs["TableName"], incarnation=1, livemode=False
        )
        controls = Controls(
            OPERATIONS,
            money_moves=True,
            reason="a local stack",
            changed_by="launcher",
            changed_at=CLOCK_STARTS,
        )
        store.commit([Put(controls, 0)])

    def _canary(self) -> None:
        """Post an unsigned event: only a stack that works from end to end distrusts it."""
        response = self.call("POST", "/webhooks/stripe", body={"id": "evt_canary"})
        if response.status_code != requests.codes.bad_request:
            raise LaunchError(
                f"The deployed webhook answered {response.status_code} to an unsigned event, "
                f"not 400: see {self.directory}/logs."
            )


def start_stack(
    *,
    ports: Ports | None = None,
    directory: Path,
    progress: Progress = lambda _: None,
    template: Path = ROOT / "template.yaml",
    policy: str = "voip",
) -> Stack:
    """Start and deploy a stack whose files live in `directory`; free ports unless given.

    `progress` hears of each step. Raises LaunchError with one sentence; nothing is left running.
    """
    # A developer's proxy must not be asked for addresses of this machine.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = HOST
    ports = ports or Ports.free()
    ports.check()
    stack = Stack(ports, directory, policy)
    stack.start(progress, template)
    return stack
