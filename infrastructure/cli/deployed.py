"""A deployed stack as the command line sees it: its table, under the caller's own AWS identity."""

from functools import cached_property
from typing import Any, cast

from shared import ports
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.adapters.system_clock import SystemClock
from shared.adapters.ulid_ids import UlidIds


def _client(service: str) -> Any:
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
        found = _client("cloudformation").describe_stacks(StackName=self._name)
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

    @cached_property
    def store(self) -> ports.Store:
        """The stack's table."""
        return DynamoDBStore(
            _client("dynamodb"),
            self.outputs["TableName"],
            incarnation=self.incarnation,
            livemode=self.parameters.get("Livemode", "false") == "true",
        )

    @property
    def incarnation(self) -> int:
        """The life of the table that the stack was deployed with."""
        return int(self.parameters.get("Incarnation", "1"))

    @cached_property
    def services(self) -> ports.Services:
        """What the operators' use cases ask for: they wake no effects and call nobody."""
        return cast("ports.Services", self)

    def caller(self) -> str:
        """The ARN of whoever runs the command; it stands in the audit trail."""
        return str(_client("sts").get_caller_identity()["Arn"])
