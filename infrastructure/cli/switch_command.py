"""``fairexit switch``, ``caps`` and ``limits``: the levers of a deployed stack's money path."""

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from infrastructure.cli.deployed import Deployed
from shared.application.turn_switch import set_caps, set_limits, turn_switch
from shared.domain.approval_limits import DEFAULT_LIMITS, AmountLimits, ApprovalLimits
from shared.domain.controls import OPERATIONS, Controls, RefundCap, Scope, Window

F = TypeVar("F")
Count = Annotated[int, msgspec.Meta(ge=0)]
Currency = Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]


class CapEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A ``[[cap]]`` of a caps file: at most ``count`` refunds and ``amounts`` a window."""

    scope: Scope
    window: Window
    count: Count
    amounts: dict[Currency, Count] = {}


class CapsFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A caps file."""

    cap: list[CapEntry] = []


class LimitsEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An ``[amounts.<currency>]`` of a limits file, in minor units; see ``AmountLimits``."""

    automatic: Count
    second_person: Count
    hard: Count
    person_day: Count

    def __post_init__(self) -> None:
        if not self.automatic <= self.second_person <= self.hard:
            raise ValueError("automatic, second_person and hard have to rise")


class LimitsFile(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A limits file."""

    amounts: dict[Currency, LimitsEntry]
    automatic_count: Count = DEFAULT_LIMITS.automatic_count
    hourly_count: Count = DEFAULT_LIMITS.hourly_count


def add_to(commands: Any) -> None:
    """Adds the commands to the command line."""
    parser = commands.add_parser("switch", help="stop or open the money path of a stack")
    parser.add_argument("turn", choices=["show", "open", "stop"])
    parser.set_defaults(run=_switch)
    _common(parser)
    parser = commands.add_parser("caps", help="set how fast refunds may leave a stack")
    parser.add_argument("file", help="a TOML file with [[cap]] scope, window, count, amounts")
    parser.set_defaults(run=_caps)
    _common(parser)
    parser = commands.add_parser("limits", help="set whose consent discretionary money needs")
    parser.add_argument(
        "file",
        help="a TOML file with [amounts.CURRENCY] automatic, second_person, hard, person_day",
    )
    parser.set_defaults(run=_limits)
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
    wanted = _read(options, CapsFile)
    if wanted is None:
        return 2
    deployed = Deployed(options.stack)
    caps = [
        RefundCap(cap.scope, cap.window, cap.count, tuple(sorted(cap.amounts.items())))
        for cap in wanted.cap
    ]
    set_caps(deployed.services, caps=caps, reason=options.reason, by=deployed.caller())
    return _show(deployed)


def _limits(options: argparse.Namespace) -> int:
    wanted = _read(options, LimitsFile)
    if wanted is None:
        return 2
    deployed = Deployed(options.stack)
    amounts = {
        currency: AmountLimits(own.automatic, own.second_person, own.hard, own.person_day)
        for currency, own in wanted.amounts.items()
    }
    limits = ApprovalLimits(
        tuple(sorted(amounts.items())), wanted.automatic_count, wanted.hourly_count
    )
    set_limits(deployed.services, limits=limits, reason=options.reason, by=deployed.caller())
    return _show(deployed)


def _read(options: argparse.Namespace, form: type[F]) -> F | None:
    """The file as `form`; None after saying what is wrong with it, or that a reason is missing."""
    try:
        text = Path(options.file).read_text(encoding="utf-8")
        wanted = msgspec.convert(tomllib.loads(text), form)
    except (OSError, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return None
    if not options.reason:
        print("--reason: a change of the levers needs one", file=sys.stderr)
        return None
    return wanted


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
    for currency, own in known.limits.amounts:
        print(
            f"limits in {currency}: {own.automatic} without a person, {own.second_person} by one, "
            f"{own.hard} by two, above that an admin; {own.person_day} a person and day"
        )
    print(f"{known.limits.automatic_count} without a person a customer in 30 days")
    print(f"{known.limits.hourly_count} larger ones a person and hour alone")
    return 0
