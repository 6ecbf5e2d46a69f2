"""``fairexit reconcile``: hold Stripe's lists against a deployed stack's records, now."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from infrastructure.cli.deployed import Deployed
from shared.application.reconcile import Finding, Outcome, Report, reconcile
from shared.application.reconcile_lists import GRACE, MONEY_DAYS, REQUESTS_PER_SECOND, Scope
from shared.domain.errors import FairexitError
from shared.domain.money_text import money_text

_MINUTE_SECONDS = 60


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "reconcile",
        help="compare a stack's records with Stripe, repair what missed events have left undone",
        description="Moves no money. Exit status 1 when something needs a person.",
    )
    parser.add_argument("--stack", default="fairexit", help="the deployed stack's name")
    parser.add_argument("--look", action="store_true", help="repair nothing")
    parser.add_argument("--everyone", action="store_true", help="compare all customers in full")
    parser.add_argument(
        "--days", type=_positive, default=MONEY_DAYS, help="how far back refunds are listed"
    )
    parser.add_argument(
        "--grace",
        type=int,
        default=int(GRACE.total_seconds()) // _MINUTE_SECONDS,
        metavar="MINUTES",
        help="what is younger may be under way and is left alone",
    )
    parser.add_argument(
        "--rate",
        type=_positive,
        default=REQUESTS_PER_SECOND,
        help="requests a second that Stripe may be asked",
    )
    parser.set_defaults(run=_run)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _run(options: argparse.Namespace) -> int:
    scope = Scope(
        money_days=options.days,
        grace=timedelta(minutes=options.grace),
        requests_per_second=options.rate,
        everyone=options.everyone,
    )
    deployed, say = Deployed(options.stack), _progress(time.monotonic())
    try:
        report = reconcile(deployed.services, scope, repair=not options.look, progress=say)
    except FairexitError as error:
        # What was repaired until then stays repaired; the next run takes up the rest.
        print(f"broken off: {error}", file=sys.stderr)
        return 2
    for line in told(report):
        print(line)
    unsettled = any(one.outcome is Outcome.NEEDS_PERSON for one in report.findings)
    return 1 if unsettled or report.unread else 0


def _progress(begun: float) -> Callable[[str], None]:
    def say(step: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {step}", file=sys.stderr, flush=True)

    return say


def told(report: Report) -> Iterable[str]:
    """The report, line by line."""
    yield (
        f"Since {report.since:%Y-%m-%d}: {report.compared} customers compared, {report.busy} left"
        f" alone with something under way, {report.requests} requests."
    )
    for outcome, title in (
        (Outcome.NEEDS_PERSON, "For a person"),
        (Outcome.REPAIRED, "Repaired"),
    ):
        mine = [one for one in report.findings if one.outcome is outcome]
        yield f"{title}: {len(mine)}"
        yield from (_line(one) for one in sorted(mine, key=_place))
    for customer, reason in report.unread:
        yield f"Could not be compared: {customer}: {reason}"
    for _, day in sorted(report.cleared.items()):
        there, rest = money_text(day.stripe, day.currency), money_text(day.rest, day.currency)
        word = f"{rest} NOT CLEARED" if day.rest else "cleared"
        yield f"{day.day}  {there} moved at Stripe, {word}"


def _place(finding: Finding) -> tuple[str, str, str]:
    one = finding.divergence
    return one.kind.value, one.customer, one.subject


def _line(finding: Finding) -> str:
    one = finding.divergence
    note = f" ({finding.note})" if finding.note else ""
    return f"  {one.kind:<32}{one.customer}  {one.subject}  {one.detail}{note}"
