"""A deployed stack as the command line sees it, under the caller's own AWS identity."""

from functools import cached_property
from typing import Any, cast

from shared import personal_ports, ports
from shared.adapters import policy_files
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.adapters.sqs_queues import SqsEffectWaker
from shared.adapters.system_clock import SystemClock
from shared.adapters.ulid_ids import UlidIds
from shared.domain.effects import Lane


def aws_client(service: str) -> Any:
    """A client under the caller's own AWS identity."""
    import boto3  # noqa: PLC0415 - a third of a second that deciding a case need not wait for

    return boto3.client(service)


class Deployed:
    """The few ports that operators' commands need, and who is asking."""

    def __init__(self, stack: str) -> None:
        """Know the stack's name; AWS is asked at the first use."""
        self._name = stack
        self.clock = SystemClock()
        self.ids = UlidIds()

    @cached_property
    def _stack(self) -> dict[str, Any]:
        found = aws_client("cloudformation").describe_stacks(StackName=self._name)
        return cast("dict[str, Any]", found["Stacks"][0])

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters that the stack was deployed with."""
        known = self._stack.get("Parameters", [])
        return {one["ParameterKey"]: one["ParameterValue"] for one in known}

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return {one["OutputKey"]: one["OutputValue"] for one in self._stack["Outputs"]}

    def resources(self) -> list[dict[str, Any]]:
        """The stack's resources, by logical and physical id."""
        pages = aws_client("cloudformation").get_paginator("list_stack_resources")
        return [
            one
            for page in pages.paginate(StackName=self._name)
            for one in page["StackResourceSummaries"]
        ]

    @cached_property
    def store(self) -> ports.Store:
        """The stack's table."""
        return DynamoDBStore(
            aws_client("dynamodb"),
            self.outputs["TableName"],
            incarnation=self.incarnation,
            livemode=self.livemode,
        )

    @cached_property
    def sqs(self) -> Any:
        """A client of SQS."""
        return aws_client("sqs")

    @cached_property
    def waker(self) -> ports.EffectWaker:
        """The stack's effects queues."""
        urls = {lane: self.outputs[f"{lane.title()}EffectsQueueUrl"] for lane in Lane}
        return SqsEffectWaker(self.sqs, urls)

    @cached_property
    def billing(self) -> ports.Billing:
        """Stripe, with the stack's own reading key: no command changes anything there."""
        # The SDK takes a while to import, which the other commands need not wait for.
        from shared.adapters.stripe_billing import StripeBilling  # noqa: PLC0415
        from shared.adapters.stripe_client import stripe_client  # noqa: PLC0415

        arn = self.parameters["StripeReadKeySecretArn"]
        key = aws_client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return StripeBilling(stripe_client(key, self.parameters["StripeApiBase"]))

    @cached_property
    def vault(self) -> personal_ports.Vault:
        """The stack's vault."""
        from shared.adapters.kms_vault import KmsVault  # noqa: PLC0415 - few commands need it

        return KmsVault(
            aws_client("kms"),
            aws_client("dynamodb"),
            table=self.outputs["VaultTableName"],
            key=self.outputs["VaultKeyArn"],
            environment=self.environment,
        )

    @property
    def policies(self) -> ports.Policies:
        """The policy packs beside this command."""
        return policy_files

    @property
    def policy(self) -> str:
        """The policy pack in force."""
        return self.parameters["Policy"]

    @property
    def environment(self) -> str:
        """Part of every idempotency key."""
        return self.parameters["Environment"]

    @property
    def livemode(self) -> bool:
        """Whether the stack has to do with live money."""
        return self.parameters.get("Livemode", "false") == "true"

    @property
    def incarnation(self) -> int:
        """The life of the table that the stack was deployed with."""
        return int(self.parameters.get("Incarnation", "1"))

    @cached_property
    def services(self) -> ports.Services:
        """What the operators' use cases ask for: they send no mails and publish nothing."""
        return cast("ports.Services", self)

    def caller(self) -> str:
        """The ARN of whoever runs the command; it stands in the audit trail."""
        return str(aws_client("sts").get_caller_identity()["Arn"])
