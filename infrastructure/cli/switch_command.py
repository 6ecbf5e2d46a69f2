"""``fairexit switch`` and ``fairexit caps``: the levers of the money path of a deployed stack."""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from infrastructure.cli.deployed import Deployed
from shared.application.turn_switch import set_caps, turn_switch
from shared.domain.controls import OPERATIONS, Controls, RefundCap, Scope, Window


class CapEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A ``[[cap]]`` of a caps file: at most ``count`` refunds and ``amounts`` a window."""

    scope: Scope
    window: Window
    count: int
    amounts: dict[str, int] = {}


class CapsFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A caps file."""

    cap: list[CapEntry] = []


def add_to(commands: Any) -> None:
    """Adds both commands to the command line."""
    parser = commands.add_parser("switch", help="stop or open the money path of a stack")
    parser.add_argument("turn", choices=["show", "open", "stop"])
    parser.set_defaults(run=_switch)
    _common(parser)
    parser = commands.add_parser("caps", help="set how fast refunds may leave a stack")
    parser.add_argument("file", help="a TOML file with [[cap]] scope, window, count, amounts")
    parser.set_defaults(run=_caps)
    _common(parser)


def _common(parser: Any) -> None:
    parser.add_argument("--stack", default="fairexit", help="the deployed stack's name")
    parser.add_argument("--reason", help="why; it stands in the audit trail")


def _switch(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    if options.turn != "show":
        if not options.reason:
            print("--reason: a turn of the switch needs one", file=sys.stderr)
            return 2
        turn_switch(
            deployed.services,
            money_moves=options.turn == "open",
            reason=options.reason,
            by=deployed.caller(),
        )
    return _show(deployed)


def _caps(options: argparse.Namespace) -> int:
    try:
        wanted = msgspec.convert(
            tomllib.loads(Path(options.file).read_text(encoding="utf-8")), CapsFile
        )
    except (OSError, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    if not options.reason:
        print("--reason: a change of caps needs one", file=sys.stderr)
        return 2
    deployed = Deployed(options.stack)
    caps = [
        RefundCap(cap.scope, cap.window, cap.count, tuple(sorted(cap.amounts.items())))
        for cap in wanted.cap
    ]
    set_caps(deployed.services, caps=caps, reason=options.reason, by=deployed.caller())
    return _show(deployed)


def _show(deployed: Deployed) -> int:
    stored = deployed.store.get(Controls, OPERATIONS)
    if stored is None:
        print("stopped: the switch was never turned")
        return 0
    known = stored.record
    word = "open" if known.money_moves else "stopped"
    print(f"{word} since {known.changed_at:%Y-%m-%d %H:%M:%S} UTC: {known.reason}")
    print(f"turned by {known.changed_by}")
    for cap in known.caps:
        limits = "".join(f", {amount} {currency}" for currency, amount in cap.amounts)
        print(f"cap for {cap.scope} a {cap.window}: {cap.count} refunds{limits}")
    return 0
