"""``fairexit terms``, ``purge``, ``erasures``, ``looks``: notices, terms, a restore, accesses."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from infrastructure.cli.deployed import Deployed
from shared.adapters.policy_files import pack_files
from shared.application.privacy.announce_terms import (
    PRIVACY_TERMS,
    announce_terms,
    progress_of,
)
from shared.application.privacy.purge_records import LARGEST_SHARE, MOST, purge_records
from shared.application.privacy.reapply_erasures import reapply_erasures
from shared.domain.controls import OPERATIONS
from shared.domain.errors import ConflictError
from shared.domain.privacy_records import AccessEntry, Announcement


def add_to(commands: Any) -> None:
    """Adds the commands to the command line."""
    terms = commands.add_parser("terms", help="tell customers of a new version of terms")
    actions = terms.add_subparsers(required=True, metavar="ACTION")
    announce = actions.add_parser("announce", help="begin to tell everybody concerned")
    # What is announced is mailed to everybody: a slip of the pen must not be.
    packs = {name.partition("@")[0] for name in pack_files()}
    announce.add_argument("subject", choices=[*sorted(packs), PRIVACY_TERMS])
    announce.add_argument("version")
    announce.add_argument("--from", dest="wanted_from", required=True, help="a date, in UTC")
    announce.add_argument("--summary", required=True, help="what changes; it stands in the mail")
    announce.set_defaults(run=_announce)
    show = actions.add_parser("show", help="how far the notices are, and from when each holds")
    show.set_defaults(run=_show)
    purge = commands.add_parser("purge", help="delete what is past its term")
    purge.add_argument("--dry-run", action="store_true", help="count, delete nothing")
    purge.add_argument("--most", type=int, default=MOST, help="records a run")
    purge.add_argument("--largest-share", type=int, default=LARGEST_SHARE, help="percent")
    purge.set_defaults(run=_purge)
    erasures = commands.add_parser("erasures", help="erase again in a table from a backup")
    erasures.add_argument("reapply", choices=["reapply"])
    erasures.set_defaults(run=_reapply)
    looks = commands.add_parser("looks", help="who of the staff has looked at whom")
    looks.add_argument("of", help="a customer's id, or a member of staff: staff:ISSUER#SUBJECT")
    looks.set_defaults(run=_looks)
    for parser in (announce, show, purge, erasures, looks):
        parser.add_argument("--stack", default="fairexit", help="the deployed stack's name")


def _announce(options: argparse.Namespace) -> int:
    try:
        wanted_from = datetime.fromisoformat(options.wanted_from).replace(tzinfo=UTC)
    except ValueError as error:
        print(f"--from: {error}", file=sys.stderr)
        return 2
    deployed = Deployed(options.stack)
    try:
        begun = announce_terms(
            deployed.services,
            subject=options.subject,
            version=options.version,
            wanted_from=wanted_from,
            summary=options.summary,
            by=deployed.caller(),
        )
    except ConflictError as error:
        print(error.detail, file=sys.stderr)
        return 2
    print(_line(begun))
    return 0


def _show(options: argparse.Namespace) -> int:
    for stored in Deployed(options.stack).store.all_of(Announcement, OPERATIONS):
        print(_line(stored.record))
    return 0


def _line(announcement: Announcement) -> str:
    shown = progress_of(announcement)
    how_far = f"{shown['announcement']}: {shown['told']} told since {shown['begun_at']}"
    if shown["effective_at"] is None:
        return f"{how_far}, goes on"
    return f"{how_far}, finished {shown['finished_at']}, holds from {shown['effective_at']}"


def _purge(options: argparse.Namespace) -> int:
    report = purge_records(
        Deployed(options.stack).services,
        dry_run=options.dry_run,
        most=options.most,
        largest_share=options.largest_share,
    )
    for kind, count in report.kinds:
        print(f"{kind}: {count} past their term")
    print(
        f"{report.looked_at} looked at, {report.past_term} past their term, {report.held} kept by "
        f"a legal hold, {report.deleted} deleted{' (dry run)' if report.dry_run else ''}"
    )
    if report.refused:
        print("refused: more than its share of the table", file=sys.stderr)
    return 1 if report.refused else 0


def _reapply(options: argparse.Namespace) -> int:
    done = reapply_erasures(Deployed(options.stack).services, print)
    print(f"{done.erased} erased before, {done.found_again} of them erased again")
    return 0


def _looks(options: argparse.Namespace) -> int:
    for stored in Deployed(options.stack).store.all_of(AccessEntry, options.of):
        one = stored.record
        customer = one.looked_at if one.found else f"{one.looked_at} (nobody)"
        print(f"{one.at:%Y-%m-%dT%H:%M:%SZ}  {one.actor}  {customer}  {one.what}  {one.reason}")
    return 0
