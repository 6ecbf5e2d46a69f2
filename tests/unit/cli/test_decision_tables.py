"""What each pack makes of everyday situations, as its author reads it.

After a deliberate change: ``fairexit policy table PACK > tests/unit/cli/golden/PACK.md``.
"""

from pathlib import Path

import pytest

from infrastructure.cli.__main__ import main
from shared.adapters.policy_files import pack_files

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("pack", sorted({name.partition("@")[0] for name in pack_files()}))
def test_a_packs_decision_table_is_as_it_was(pack: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "table", pack]) == 0
    assert capsys.readouterr().out == (GOLDEN / f"{pack}.md").read_text(encoding="utf-8")
