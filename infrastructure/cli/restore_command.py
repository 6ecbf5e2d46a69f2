"""``fairexit restore``: put a backup of the table back so that nothing leaves twice.

Resumable: what is done stands in a file beside the command, and running it again goes on there.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from infrastructure.cli import restore_steps as steps
from infrastructure.cli.deployed import Deployed, aws_client
from infrastructure.cli.reconcile_command import told
from infrastructure.cli.restore_steps import Progress, RestoreError, Say
from shared.application.reconcile import Outcome, Report
from shared.domain.errors import FairexitError

Step = Callable[[Deployed, Progress, Say], Report | None]

# Before the operator restores the backup into a table of its own, and after that.
BEFORE: tuple[tuple[str, Step], ...] = (
    ("note what runs", steps.note_stack),
    ("stop money", steps.stop_money),
    ("pause", steps.pause),
    ("drain", steps.drain),
)
AFTER: tuple[tuple[str, Step], ...] = (
    ("copy back", steps.copy_back),
    ("stop money again", steps.stop_money),  # the backup holds an older record of the switch
    ("raise the incarnation", steps.raise_incarnation),
    ("take in what Stripe knows", steps.take_in),
    ("settle", steps.settle),
    ("resume", steps.resume),
    ("open money", steps.open_money),
)


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "restore",
        help="put a backup of a stack's table back; resumable",
        description="Exit status 3 when it waits for the restored table, 1 when something needs a"
        " person. Run it again with the same state file to go on.",
    )
    parser.add_argument("--stack", default="fairexit", help="the deployed stack's name")
    parser.add_argument("--to", required=True, type=_instant, help="the instant of the backup")
    parser.add_argument(
        "--from-table", metavar="TABLE", help="the restored table, once it is there"
    )
    parser.add_argument("--reason", required=True, help="why; it stands in the audit trail")
    parser.add_argument("--state", type=Path, help="default: restore-STACK.json")
    parser.set_defaults(run=_run)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError("an instant needs its zone, for example Z")
    return at.astimezone(UTC)


def _run(options: argparse.Namespace) -> int:
    file = options.state or Path(f"restore-{options.stack}.json")
    progress = _known(file) or Progress(options.stack, options.to, options.reason)
    if (progress.stack, progress.to) != (options.stack, options.to):
        message = f"{file} belongs to a restore of {progress.stack} to {progress.to}"
        print(message, file=sys.stderr)
        return 2
    progress.source = options.from_table or progress.source
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s    {text}", file=sys.stderr, flush=True)

    try:
        _do(BEFORE, progress, file, say)
        if progress.source is None or not _is_there(progress.source):
            print(_what_to_restore(progress))
            return 3
        findings = _do(AFTER, progress, file, say)
    except (RestoreError, FairexitError) as error:
        print(f"stopped: {error}; run it again to go on", file=sys.stderr)
        return 2
    print(f"restored to {progress.to}, incarnation {progress.incarnation + 1}")
    return 1 if findings else 0


def _do(wanted: tuple[tuple[str, Step], ...], progress: Progress, file: Path, say: Say) -> int:
    """Do what is not done yet, keeping each step; how many findings need a person."""
    findings = 0
    for number, (name, step) in enumerate(wanted, start=1):
        if name in progress.done:
            continue
        say(f"{number}/{len(wanted)} {name} ...")
        # Asked anew each time: a step may have changed the stack's parameters.
        deployed = Deployed(progress.stack)
        report = step(deployed, progress, say)
        if report is not None:
            findings += sum(one.outcome is Outcome.NEEDS_PERSON for one in report.findings)
            print("\n".join(told(report)))
        progress.done[name] = deployed.clock.now()
        _keep(file, progress)
    return findings


def _known(file: Path) -> Progress | None:
    return msgspec.json.decode(file.read_bytes(), type=Progress) if file.exists() else None


def _keep(file: Path, progress: Progress) -> None:
    unfinished = file.with_suffix(".new")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(progress)))
    unfinished.rename(file)


def _is_there(table: str) -> bool:
    client = aws_client("dynamodb")
    try:
        status = client.describe_table(TableName=table)["Table"]["TableStatus"]
    except client.exceptions.ResourceNotFoundException:
        return False
    return bool(status == "ACTIVE")


def _what_to_restore(progress: Progress) -> str:
    source = Deployed(progress.stack).outputs["TableName"]
    name = progress.source or f"{source}-restored"
    return (
        "The stack is paused and drained. Restore the backup into a table of its own now:\n\n"
        "  aws dynamodb restore-table-to-point-in-time --source-table-name"
        f" {source} \\\n    --target-table-name {name} --restore-date-time {progress.to:%FT%TZ}\n\n"
        f"When it is ACTIVE run this command again with --from-table {name}"
    )
