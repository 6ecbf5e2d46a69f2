"""The engine knows no pack by name: one copied under another id decides the same."""

import re

from infrastructure.cli.decision_table import decision_table
from shared.adapters.policy_files import library
from shared.domain.policy import parse_policy


def decides_alike_renamed(text: str, name: str, new: str) -> bool:
    """Whether a pack's decision table is the same, save for names, under the id ``new``.

    Args:
        text: the pack.
        name: ``id@version``.
        new: another id.
    """
    old = name.partition("@")[0]
    copied = re.sub(rf'"{old}(["@.])', rf'"{new}\1', text)
    before, after = (
        decision_table(parse_policy(each, name=name, library=library())) for each in (text, copied)
    )
    return before != after and re.sub(rf"\b{old}\b", new, before) == after
