"""The operator's levers on a deployed stack, through the command line."""

from collections.abc import Iterator

import pytest

from infrastructure.cli.__main__ import main
from infrastructure.local.stack import Stack

STACK = "fairexit"

pytestmark = pytest.mark.stack


@pytest.fixture
def operator(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The environment of whoever runs the command beside the stack; leaves the switch open."""
    for name, value in {
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    yield stack
    assert main(["switch", "open", "--stack", STACK, "--reason", "the drill is over"]) == 0


@pytest.mark.usefixtures("operator")
def test_a_turn_of_the_switch_is_shown_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["switch", "stop", "--stack", STACK, "--reason", "a drill"]) == 0
    assert "stopped since" in capsys.readouterr().out
    assert main(["switch", "show", "--stack", STACK]) == 0
    shown = capsys.readouterr().out
    assert "a drill" in shown
    assert "arn:aws:" in shown


@pytest.mark.usefixtures("operator")
def test_a_turn_without_a_reason_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["switch", "stop", "--stack", STACK]) == 2
    assert main(["switch", "show", "--stack", STACK]) == 0
    assert capsys.readouterr().out.startswith("open since")
