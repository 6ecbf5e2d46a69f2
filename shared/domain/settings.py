"""Settings: how a pack counts and rounds, and what a case may override for a what-if."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.money import Rounding
from shared.domain.proration import Basis
from shared.domain.scalars import ZONE, choice
from shared.domain.shapes import Member, Nullable, Record


class GatewayFees(StrEnum):
    """How much of the payment provider's fee is kept from a refund."""

    NONE = "none"
    PROPORTIONAL = "proportional"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Proration:
    """What is counted, and in which zone a day begins."""

    basis: Basis
    time_zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Settings:
    """How money and time are counted."""

    proration: Proration
    rounding: Rounding
    gateway_fees: GatewayFees


@dataclass(frozen=True, slots=True)
class ProrationOverrides:
    """None keeps what the pack says."""

    basis: Basis | None = None
    time_zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """None keeps what the pack says."""

    proration: ProrationOverrides = ProrationOverrides()
    rounding: Rounding | None = None
    gateway_fees: GatewayFees | None = None


def overridden(settings: Settings, overrides: Overrides) -> Settings:
    """The settings with what the case overrides."""
    if overrides is NO_OVERRIDES:
        return settings
    ours, theirs = settings.proration, overrides.proration
    return Settings(
        Proration(theirs.basis or ours.basis, theirs.time_zone or ours.time_zone),
        overrides.rounding or settings.rounding,
        overrides.gateway_fees or settings.gateway_fees,
    )


NO_OVERRIDES = Overrides()
BASIS = choice(Basis)
ROUNDING = choice(Rounding)
GATEWAY_FEES = choice(GatewayFees)


def _kept(shape: Any) -> Member:
    return Member(Nullable(shape), None, "default: what the pack says")


OVERRIDES = Record(
    Overrides,
    {
        "proration": Member(
            Record(ProrationOverrides, {"basis": _kept(BASIS), "time_zone": _kept(ZONE)}),
            ProrationOverrides(),
        ),
        "rounding": _kept(ROUNDING),
        "gateway_fees": _kept(GATEWAY_FEES),
    },
    note="What-if: settings of the pack that this case replaces.",
)
