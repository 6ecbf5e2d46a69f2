"""The command line on terms: what would be mailed to everybody is checked before anything is."""

import pytest

from infrastructure.cli.__main__ import main


@pytest.mark.parametrize("subject", ["privacy-term", "voip@2025-01-06", ""])
def test_terms_that_are_nobodys_are_not_announced(
    subject: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["terms", "announce", subject, "2", "--from", "2026-01-01", "--summary", "new"])
    assert refused.value.code == 2
    assert "privacy-terms" in capsys.readouterr().err
