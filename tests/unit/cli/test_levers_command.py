"""Files of caps and limits: what is wrong with one is said before anything is asked of AWS."""

from pathlib import Path

import pytest

from infrastructure.cli.__main__ import main

LIMITS = "[amounts.usd]\nautomatic = 1\nsecond_person = 2\nhard = 3\nperson_day = 4\n"


@pytest.mark.parametrize(
    ("command", "text", "fault"),
    [
        ("caps", '[[cap]]\nscope = "customer"\nwindow = "week"\ncount = 1', "$.cap[0].window"),
        ("caps", '[[cap]]\nscope = "agent"\nwindow = "day"\ncount = -1', "$.cap[0].count"),
        ("caps", '[[cap]]\nscope = "agent"\nwindow = "day"\ncount = 1\namount = 3', "amount"),
        (
            "caps",
            '[[cap]]\nscope = "agent"\nwindow = "day"\ncount = 1\namounts = {USD = 3}',
            "amounts",
        ),
        ("limits", LIMITS.replace("hard = 3", "hard = 1"), "have to rise"),
        ("limits", LIMITS.replace("hard = 3", "hard = 20.00"), "$.amounts[...].hard"),
        ("limits", LIMITS.replace("person_day = 4", ""), "person_day"),
        ("limits", "hourly_count = 1", "amounts"),
        ("limits", "hourly_count", "Expected"),
        ("limits", LIMITS, "--reason"),
        ("caps", "", "--reason"),
    ],
)
def test_a_faulty_file_changes_nothing_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, text: str, fault: str
) -> None:
    file = tmp_path / "levers.toml"
    file.write_text(text, encoding="utf-8")
    assert main([command, str(file), "--stack", "nowhere"]) == 2
    assert fault in capsys.readouterr().err
