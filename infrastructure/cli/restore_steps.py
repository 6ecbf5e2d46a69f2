"""What a restore does to a stack, step by step; each may be done again without harm."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from infrastructure.cli.deployed import Deployed, aws_client
from shared.application.reconcile import Report, reconcile
from shared.application.reconcile_lists import Scope
from shared.application.turn_switch import turn_switch
from shared.domain.effects import SETTLE_TIME

Say = Callable[[str], None]

# It only puts events into their queue, which keeps them until there is a consumer again.
KEEPS_RUNNING = "ReceiveStripeWebhook"
# Stripe and we do not have the same clock, and a backup is not taken in one instant.
MARGIN = timedelta(days=1)
_SLICE_SECONDS = 15
_PER_BATCH = 25
_STACK_SECONDS = 1800


class RestoreError(Exception):
    """The restore cannot go on; the message says why, and nothing is half done."""


@dataclass(slots=True)
class Progress:
    """What is kept between two runs: `done` has the instant of each finished step."""

    stack: str
    to: datetime
    reason: str
    source: str | None = None
    incarnation: int = 0
    paused_at: datetime | None = None
    longest_seconds: int = 0
    mappings: list[str] = field(default_factory=list)
    functions: dict[str, int | None] = field(default_factory=dict)
    done: dict[str, datetime] = field(default_factory=dict)


def note_stack(deployed: Deployed, progress: Progress, say: Say) -> None:
    """Remember what runs, before anything is changed."""
    client = aws_client("lambda")
    names = [
        one["PhysicalResourceId"]
        for one in deployed.resources()
        if one["ResourceType"] == "AWS::Lambda::Function"
        and not one["LogicalResourceId"].startswith(KEEPS_RUNNING)
    ]
    for name in names:
        known = client.get_function(FunctionName=name)
        reserved = known.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        progress.functions[name] = reserved
        seconds = known["Configuration"]["Timeout"]
        progress.longest_seconds = max(progress.longest_seconds, seconds)
    progress.mappings = [
        one["UUID"]
        for page in client.get_paginator("list_event_source_mappings").paginate()
        for one in page["EventSourceMappings"]
        if any(f":{name}" in one["FunctionArn"] for name in names)
    ]
    progress.incarnation = deployed.incarnation
    counts = f"{len(names)} functions, {len(progress.mappings)} consumers"
    say(f"{counts}, incarnation {progress.incarnation}")


def stop_money(deployed: Deployed, progress: Progress, say: Say) -> None:
    """The switch: from the next second on no call that moves money begins."""
    turn_switch(deployed.services, money_moves=False, reason=progress.reason, by=deployed.caller())
    say("no call that moves money begins any more")


def pause(deployed: Deployed, progress: Progress, say: Say) -> None:
    """Nobody writes to the table: consumers off, functions without a worker."""
    client = aws_client("lambda")
    for mapping in progress.mappings:
        client.update_event_source_mapping(UUID=mapping, Enabled=False)
    for name in progress.functions:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    progress.paused_at = deployed.clock.now()
    say("the API answers 503, queues keep their messages, Stripe's events are still taken")


def drain(deployed: Deployed, progress: Progress, say: Say) -> None:
    """Whoever was at work has finished or was ended by its time-out."""
    _wait_for_consumers(progress, "Disabled")
    _wait_until(deployed, progress, timedelta(seconds=progress.longest_seconds), say)


def copy_back(deployed: Deployed, progress: Progress, say: Say) -> None:
    """The restored table's items replace those of the stack's table."""
    client, table = aws_client("dynamodb"), deployed.outputs["TableName"]
    assert progress.source is not None
    restored = set[tuple[str, str]]()
    for items in _batches(_items(client, progress.source)):
        _write(client, table, [{"PutRequest": {"Item": item}} for item in items])
        restored |= {_key(item) for item in items}
        if len(restored) % 1000 < _PER_BATCH:
            say(f"{len(restored)} items copied")
    younger = [item for item in _items(client, table) if _key(item) not in restored]
    for items in _batches(younger):
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in items]
        _write(client, table, [{"DeleteRequest": {"Key": key}} for key in keys])
    say(f"{len(restored)} items are back, {len(younger)} that are younger are gone")


def raise_incarnation(deployed: Deployed, progress: Progress, say: Say) -> None:
    """From now on an effect that was not sent in this life of the table is looked up first."""
    wanted = str(progress.incarnation + 1)
    if deployed.parameters.get("Incarnation", "1") != wanted:
        client = aws_client("cloudformation")
        client.update_stack(
            StackName=progress.stack,
            UsePreviousTemplate=True,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": wanted}
                if name == "Incarnation"
                else {"ParameterKey": name, "UsePreviousValue": True}
                for name in {"Incarnation", *deployed.parameters}
            ],
        )
        _wait_for_stack(client, progress.stack)
    behind = [name for name in progress.functions if _incarnation_of(name) != wanted]
    if behind:
        names = ", ".join(sorted(behind))
        raise RestoreError(f"these functions do not run with incarnation {wanted}: {names}")
    say(f"incarnation {wanted} in all {len(progress.functions)} functions")


def take_in(deployed: Deployed, progress: Progress, say: Say) -> Report:
    """Refunds, disputes, credit notes and subscriptions that the backup does not know."""
    reach = deployed.clock.now() - progress.to + MARGIN
    scope = Scope(
        money_days=math.ceil(reach / timedelta(days=1)), grace=timedelta(0), everyone=True
    )
    report = reconcile(deployed.services, scope, progress=say)
    say(f"{report.compared} customers compared, {len(report.findings)} divergences")
    return report


def settle(deployed: Deployed, progress: Progress, say: Say) -> None:
    """What was on its way to Stripe when it was paused has arrived or never will."""
    _wait_until(deployed, progress, timedelta(seconds=progress.longest_seconds) + SETTLE_TIME, say)


def resume(_deployed: Deployed, progress: Progress, say: Say) -> None:
    """Everything as it was before the pause; money is still stopped."""
    client = aws_client("lambda")
    for name, reserved in progress.functions.items():
        if reserved is None:
            client.delete_function_concurrency(FunctionName=name)
        else:
            client.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=reserved
            )
    for mapping in progress.mappings:
        client.update_event_source_mapping(UUID=mapping, Enabled=True)
    _wait_for_consumers(progress, "Enabled")
    say("API and consumers are back")


def open_money(deployed: Deployed, progress: Progress, say: Say) -> None:
    """What waited goes on: found at Stripe it is adopted, not found it is sent."""
    turn_switch(deployed.services, money_moves=True, reason=progress.reason, by=deployed.caller())
    say("money moves again")


# ------------------------------------------------------------------ waiting


def _wait_until(deployed: Deployed, progress: Progress, after: timedelta, say: Say) -> None:
    assert progress.paused_at is not None
    while (left := (progress.paused_at + after - deployed.clock.now()).total_seconds()) > 0:
        say(f"{math.ceil(left)} s left")
        deployed.clock.wait(min(left, _SLICE_SECONDS * 4))


def _wait_for_consumers(progress: Progress, state: str) -> None:
    client = aws_client("lambda")
    for mapping in progress.mappings:
        _patiently(
            f"consumer {mapping} to be {state}",
            lambda mapping=mapping: (  # type: ignore[misc]
                client.get_event_source_mapping(UUID=mapping)["State"] == state
            ),
        )


def _wait_for_stack(client: Any, stack: str) -> None:
    def is_updated() -> bool:
        status = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if status.endswith("FAILED") or "ROLLBACK" in status:
            raise RestoreError(f"the stack could not be updated: {status}")
        return bool(status == "UPDATE_COMPLETE")

    _patiently("the stack's update", is_updated)


def _patiently(what: str, has_come: Callable[[], bool]) -> None:
    deadline, pause_seconds = time.monotonic() + _STACK_SECONDS, 0.1
    while not has_come():
        if time.monotonic() > deadline:
            raise RestoreError(f"waited {_STACK_SECONDS} s for {what}")
        time.sleep(pause_seconds)
        pause_seconds = min(_SLICE_SECONDS, pause_seconds * 2)


# ------------------------------------------------------------------ AWS in small pieces


def _incarnation_of(function: str) -> str | None:
    client = aws_client("lambda")
    known = client.get_function_configuration(FunctionName=function, Qualifier="live")
    value: str | None = known["Environment"]["Variables"].get("INCARNATION")
    return value


def _items(client: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(items)
    while batch := list(islice(rest, _PER_BATCH)):
        yield batch


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _write(client: Any, table: str, requests: Iterable[dict[str, Any]]) -> None:
    left = {table: list(requests)}
    while left:
        left = client.batch_write_item(RequestItems=left).get("UnprocessedItems", {})
