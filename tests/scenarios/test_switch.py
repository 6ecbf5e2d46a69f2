"""The operator's levers on a deployed stack, through the command line."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infrastructure.cli.__main__ import main
from infrastructure.local.stack import Stack
from shared.domain.controls import OPERATIONS, Controls
from shared.ports import Put
from tests.scenarios.customers import Customer
from tests.scenarios.divergences import Shop

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


CAP = '[[cap]]\nscope = "customer"\nwindow = "day"\ncount = 0\n'
LIMITS = "[amounts.usd]\nautomatic = 1\nsecond_person = 2\nhard = 3\nperson_day = 4\n"


@pytest.fixture
def as_before(operator: Stack) -> Iterator[None]:
    """Puts the levers back, since every test shares them."""
    store = Shop(operator).store
    before = store.get(Controls, OPERATIONS)
    assert before is not None
    yield
    now = store.get(Controls, OPERATIONS)
    assert now is not None
    store.commit([Put(before.record, now.version)])


@pytest.mark.usefixtures("as_before")
def test_caps_and_limits_are_set_and_shown_and_a_quote_tells_of_them(
    newcomer: Callable[..., Customer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    customer, file = newcomer(), tmp_path / "levers.toml"
    file.write_text(LIMITS)
    assert main(["limits", str(file), "--stack", STACK, "--reason", "a pilot"]) == 0
    assert "limits in usd: 1 without a person, 2 by one, 3 by two" in capsys.readouterr().out
    file.write_text(CAP)
    assert main(["caps", str(file), "--stack", STACK, "--reason", "a drill"]) == 0
    assert "cap for customer a day: 0 refunds" in capsys.readouterr().out
    limits = customer.quote()["limits"]
    assert limits["approval"] == "nobody"
    assert [(one["scope"], one["until"]) for one in limits["delays"]] == [("customer", None)]
