"""What a customer and the staff are told of a case, once the change is committed."""

from collections.abc import Mapping

from shared.application.change import Change
from shared.domain.decision import Decision
from shared.domain.effects import EffectKind
from shared.domain.explanation import explain
from shared.domain.money_text import money_text
from shared.domain.refund_case import RefundCase
from shared.domain.words import ENGLISH
from shared.domain.words_german import GERMAN

# Values that are sentences come in every language; `name@de` stands in for `name` in German.
LANGUAGES = (ENGLISH, GERMAN)


def tell_customer(
    change: Change,
    case: RefundCase,
    template: str,
    values: Mapping[str, str] | None = None,
    *,
    note: str | None = None,
) -> None:
    """A mail to the customer; the text of `note` is read when the mail is written."""
    params = {"template": template, "values": {"case": case.id} | dict(values or {})}
    change.effect(EffectKind.SEND_MAIL, params | ({"note": note} if note else {}))


def tell_staff(
    change: Change, case: RefundCase, template: str, values: Mapping[str, str] | None = None
) -> None:
    """A mail to the staff's second address. It names the case, and nothing about the person."""
    known = {"case": case.id, "customer": case.customer, "state": case.state.value}
    params = {"template": template, "to": "staff", "values": known | dict(values or {})}
    change.effect(EffectKind.SEND_MAIL, params)


def in_every_language(name: str, decision: Decision) -> dict[str, str]:
    """What a decision comes to, in plain sentences."""
    return {
        name if words is ENGLISH else f"{name}@{words.language}": explain(decision, words)
        for words in LANGUAGES
    }


def amount_of(case: RefundCase) -> str:
    """The amount of a case, for people."""
    if case.amount is None or case.currency is None:
        return "-"
    return money_text(case.amount, case.currency)
