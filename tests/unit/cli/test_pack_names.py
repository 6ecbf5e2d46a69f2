"""The engine knows no pack by name."""

import re
from pathlib import Path

import pytest

from infrastructure.cli.decision_table import decision_table
from shared.adapters.policy_files import FOLDER, library, pack_files
from shared.domain.policy import parse_policy

PACKS = sorted({name.partition("@")[0] for name in pack_files()})


@pytest.mark.parametrize("name", pack_files())
def test_a_pack_copied_under_another_id_decides_the_same(name: str) -> None:
    pack = name.partition("@")[0]
    text = pack_files()[name].read_text(encoding="utf-8")
    copied = re.sub(rf'"{pack}(["@.])', r'"x7f3a9c\1', text)
    assert copied != text

    original, copy = (
        decision_table(parse_policy(each, name=name, library=library())) for each in (text, copied)
    )

    assert original.replace(f"{pack}.", "x7f3a9c.").replace(f"({pack} ", "(x7f3a9c ") == copy


@pytest.mark.parametrize("pack", PACKS)
def test_no_code_names_a_pack(pack: str) -> None:
    sources = list((FOLDER.parent / "domain").glob("*.py"))
    sources += (FOLDER.parent / "adapters").glob("*.py")

    assert [path.name for path in sources if names(pack, path)] == []


def names(pack: str, path: Path) -> bool:
    return re.search(rf"\b{pack}\b", path.read_text(encoding="utf-8")) is not None
