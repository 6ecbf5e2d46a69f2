"""The form of a pack's consequences: what an event leads to, whatever a request is about."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.domain import clauses as c
from shared.domain.facts import Ground
from shared.domain.scalars import COUNT, CURRENCY, FLAG, TEXT, choice, constant, one_of
from shared.domain.shapes import (
    FAULTY,
    Check,
    Fault,
    ListOf,
    Member,
    Nullable,
    OneOf,
    Record,
    Scalar,
    Table,
    no_check,
)

# Statutory withdrawals and goodwill stand outside a pack's ordinary conditions.
ORDINARY = frozenset(Ground) - {Ground.WITHDRAWAL, Ground.GOODWILL}
LIMITS = Table(CURRENCY, COUNT)


@dataclass(frozen=True, slots=True)
class SetOf:
    """A list without an order, read as a frozenset."""

    shape: Scalar

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See ``shapes.Shape``."""
        items = ListOf(self.shape).read(value, path, faults)
        return items if items is FAULTY else frozenset(items)

    def schema(self) -> dict[str, Any]:
        """See ``shapes.Shape``."""
        return ListOf(self.shape).schema() | {"uniqueItems": True}


def clause_form(
    kind: str, build: Any, members: dict[str, Member], check: Check = no_check
) -> Record:
    """The members of one kind of clause, beside those that all have."""
    common = {
        "id": Member(TEXT, note="The id of the sentence that it came from."),
        "kind": Member(constant(kind)),
        "text": Member(TEXT, note="A paraphrase of the sentence."),
    }
    return Record(build, common | members, check)


def _check_cancellation(values: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    if all(values[name] is None for name in CANCELLATION_RULES):
        faults.append(
            Fault(path, "a rule that says nothing", "any of " + ", ".join(CANCELLATION_RULES))
        )


CANCELLATION_RULES = ("service_until", "notice_days", "usage_on_exit")


def _consequence(
    on: c.Event, build: Any, members: dict[str, Member], check: Check = no_check
) -> Record:
    """It follows on an event, whatever a request is about; a cancellation has its own ground."""
    grounds = ORDINARY if on is c.Event.CANCELLATION else frozenset()
    built = partial(build, grounds=grounds)
    return clause_form("consequence", built, {"on": Member(constant(on))} | members, check)


def _duty(on: c.Event) -> Record:
    return _consequence(
        on,
        c.Duty,
        {
            "channels": Member(SetOf(TEXT), frozenset()),
            "subject": Member(Nullable(TEXT), None),
            "days": Member(Nullable(COUNT), None),
        },
    )


def _warning(on: c.Event, build: Any, actions: Scalar) -> Record:
    return _consequence(
        on,
        build,
        {
            "action": Member(actions, c.WarningAction.ASK),
            "refund_at_most": Member(LIMITS, {}),
            "hours": Member(COUNT, 24, "In which a person can overrule a planned refund."),
        },
        _check_warning,
    )


def _check_warning(values: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    refunds = values["action"] is c.WarningAction.REFUND
    if refunds != bool(values["refund_at_most"]):
        expected = "an amount where the action is refund, and only there"
        faults.append(Fault(f"{path}.refund_at_most", str(values["refund_at_most"]), expected))


DUTIES = (c.Event.ACTIVATION, c.Event.INTAKE, c.Event.POLICY_CHANGE)
CONSEQUENCE = OneOf(
    "on",
    {
        c.Event.CHARGEBACK: _consequence(
            c.Event.CHARGEBACK,
            c.ChargebackRule,
            {
                "suspend": Member(FLAG),
                "block_refunds": Member(FLAG),
                "stop_collection": Member(FLAG),
                "amount_becomes_owed_when_lost": Member(FLAG),
                "fees_become_owed_when_lost": Member(FLAG),
                "reinstate_when_paid": Member(FLAG, False),  # noqa: FBT003
            },
        ),
        c.Event.NON_PAYMENT: _consequence(
            c.Event.NON_PAYMENT,
            c.NonPaymentRule,
            {
                "remind_after_days": Member(ListOf(COUNT), ()),
                "suspend_after_days": Member(Nullable(COUNT), None),
                "cancel_after_days": Member(Nullable(COUNT), None),
            },
        ),
        c.Event.CONTEST: _consequence(
            c.Event.CONTEST,
            c.ContestRule,
            {
                "submit": Member(choice(c.SubmitBy), c.SubmitBy.PERSON),
                "margin_hours": Member(COUNT, 48),
                "remind_days": Member(ListOf(COUNT), ()),
                "disclosed": Member(Nullable(TEXT), None),
            },
        ),
        c.Event.COSTS: _consequence(c.Event.COSTS, c.CostsRule, {"owed_when_lost": Member(FLAG)}),
        c.Event.FRAUD_WARNING: _warning(
            c.Event.FRAUD_WARNING,
            c.FraudWarningRule,
            # There is nothing to answer yet.
            one_of([c.WarningAction.ASK, c.WarningAction.REFUND]),
        ),
        c.Event.INQUIRY: _warning(c.Event.INQUIRY, c.InquiryRule, choice(c.WarningAction)),
        c.Event.VIOLATION: _consequence(
            c.Event.VIOLATION,
            c.ViolationRule,
            {
                "suspend": Member(FLAG),
                "stop_collection": Member(FLAG),
                "cancel_without_refund": Member(FLAG),
            },
        ),
        c.Event.CANCELLATION: _consequence(
            c.Event.CANCELLATION,
            c.CancellationRule,
            {
                "service_until": Member(Nullable(choice(c.ServiceUntil)), None),
                "notice_days": Member(
                    Nullable(COUNT), None, "Before the cycle's end, to avoid the renewal's charge."
                ),
                "usage_on_exit": Member(Nullable(choice(c.UsageOnExit)), None),
            },
            _check_cancellation,
        ),
    }
    | {on: _duty(on) for on in DUTIES},
)
