"""Reasons that a customer can read, in more than one language."""

from string import Formatter

import pytest

from shared.adapters.policy_files import load_policy_for
from shared.domain.case import parse_case
from shared.domain.explanation import explain
from shared.domain.refund import decide_refund
from shared.domain.words import ENGLISH, Words
from shared.domain.words_german import GERMAN
from tests.unit.domain.cases import case


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_every_template_is_translated_and_tells_the_same() -> None:
    assert ENGLISH.templates.keys() == GERMAN.templates.keys()
    for name, template in ENGLISH.templates.items():
        assert fields(template) == fields(GERMAN.templates[name]), name


LATE_IN_GERMAN = (
    "Die Erstattung wird nicht gewährt. Die Anfrage kam an Tag 68; der letzte Tag war Tag 15."
)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ENGLISH,
            "The refund is not granted. The request came on day 68; the last day was day 15.",
        ),
        (
            GERMAN,
            LATE_IN_GERMAN,
        ),
    ],
)
def test_a_denial_says_why(words: Words, text: str) -> None:
    facts = parse_case(case("rtc", request={"evidence": ["log"]}))

    assert explain(decide_refund(load_policy_for(facts), facts), words) == text


def test_a_grant_says_of_what() -> None:
    facts = parse_case(case())

    assert explain(decide_refund(load_policy_for(facts), facts)) == (
        "The refund is granted. Of line il_1, 593/730 is not used and can go back."
    )
