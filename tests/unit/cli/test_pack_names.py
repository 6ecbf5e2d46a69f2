"""The engine knows no pack by name."""

import re
from pathlib import Path

import pytest

from infrastructure.clauses.renaming import decides_alike_renamed
from shared.adapters.policy_files import FOLDER, pack_files

PACKS = sorted({name.partition("@")[0] for name in pack_files()})


@pytest.mark.parametrize("name", pack_files())
def test_a_pack_copied_under_another_id_decides_the_same(name: str) -> None:
    assert decides_alike_renamed(pack_files()[name].read_text(encoding="utf-8"), name, "x7f3a9c")


@pytest.mark.parametrize("pack", PACKS)
def test_no_code_names_a_pack(pack: str) -> None:
    sources = list((FOLDER.parent / "domain").glob("*.py"))
    sources += (FOLDER.parent / "adapters").glob("*.py")

    assert [path.name for path in sources if names(pack, path)] == []


def names(pack: str, path: Path) -> bool:
    return re.search(rf"\b{pack}\b", path.read_text(encoding="utf-8")) is not None
