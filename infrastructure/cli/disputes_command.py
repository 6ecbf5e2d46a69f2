"""``fairexit disputes``: how they went, and what customers owe after those that were lost."""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infrastructure.cli.deployed import Deployed
from infrastructure.cli.dispute_plot import plot
from infrastructure.cli.dispute_report import by_network, by_reason, told
from shared import ports
from shared.application.reconcile_lists import REQUESTS_PER_SECOND, Reader
from shared.application.weigh_dispute import counted_months
from shared.domain.account import Account
from shared.domain.controls import OPERATIONS
from shared.domain.dispute import Dispute, DisputeFacts, Stance
from shared.domain.dispute_months import by_month
from shared.domain.dispute_result import DisputeResult
from shared.domain.receivable import Receivable
from shared.domain.reconciliation import MovementFacts

# What Stripe calls the movement of a payment (reporting category).
_PAYMENT = "charge"
_COLUMNS = ("customer", "currency", "owed", "in_dispute", "lost_disputes", "asked_for", "invoice")


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser("disputes", help="how disputes went, and what is owed for them")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    report = actions.add_parser("report", help="count, amounts, win rate, response time, ratio")
    report.add_argument("--stack", default="fairexit", help="the deployed stack's name")
    report.add_argument(
        "--payments",
        action="store_true",
        help="count the payments at Stripe too, for the ratio; a request for each hundred",
    )
    report.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the ratio by month")
    report.set_defaults(run=_report)
    export = actions.add_parser(
        "receivables", help="what customers owe after lost disputes, as CSV to be handed over"
    )
    export.add_argument("--stack", default="fairexit", help="the deployed stack's name")
    export.set_defaults(run=_receivables)


def _report(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    results = [s.record for s in deployed.store.all_of(DisputeResult, OPERATIONS)]
    payments = _payments(deployed.services, results) if options.payments else {}
    months = by_month(results, payments)
    networks = by_network(counted_months(deployed.services))
    for line in (*told(months), "", *networks, "", *by_reason(results)):
        print(line)
    if options.plot:
        plot(months, options.plot)
        print(f"\n{options.plot}")
    return 0


def _payments(services: ports.Services, results: list[DisputeResult]) -> dict[str, int]:
    """How many payments each month had, since the first dispute's."""
    if not results:
        return {}
    first = min(one.opened_at for one in results)
    since = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    counts: Counter[str] = Counter()
    for movement in Reader(services, REQUESTS_PER_SECOND).all_of(MovementFacts, since):
        if movement.category == _PAYMENT:
            counts[f"{movement.created_at:%Y-%m}"] += 1
    return dict(counts)


def _receivables(options: argparse.Namespace) -> int:
    writer = csv.writer(sys.stdout)
    writer.writerow(_COLUMNS)
    for row in receivables(Deployed(options.stack).services):
        writer.writerow(row)
    return 0


def receivables(services: ports.Services) -> Iterator[tuple[str | int, ...]]:
    """A row for each balance that a lost dispute has left; amounts in minor units.

    Customers are found from Stripe's disputes: the table is never scanned.
    """
    reader = Reader(services, REQUESTS_PER_SECOND)
    listed = reader.all_of(DisputeFacts, None)
    lost = {one.customer for one in listed if one.customer and one.stance is Stance.LOST}
    for customer in sorted(lost):
        stored = services.store.get(Account, customer)
        if stored is None:
            continue
        mine = [s.record for s in services.store.all_of(Dispute, customer)]
        names = " ".join(one.id for one in mine if one.stance is Stance.LOST)
        asked = {r.record.currency: r.record for r in services.store.all_of(Receivable, customer)}
        for balance in stored.record.balances:
            if balance.owed:
                one = asked.get(balance.currency)
                yield (
                    customer,
                    balance.currency,
                    balance.owed,
                    balance.in_dispute,
                    names,
                    one.state.value if one else "",
                    (one.invoice or "") if one else "",
                )
