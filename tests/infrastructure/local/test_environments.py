"""Setting up: one sentence for each thing that is missing, and locked sets fit for everybody."""

import builtins
import re
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from infrastructure import environments

ROOT = Path(__file__).resolve().parents[3]
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))
Version = namedtuple("Version", "major minor micro releaselevel serial")  # noqa: PYI024


@pytest.fixture
def nothing_is_made(monkeypatch, tmp_path):
    """Keep a failing expectation from touching the real environments."""
    monkeypatch.setattr(environments, "LOG", tmp_path / "setup.log")
    monkeypatch.setattr(environments, "make", lambda _: pytest.fail("went on to make one"))


@pytest.mark.usefixtures("nothing_is_made")
def test_an_old_python_is_refused_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", Version(3, 10, 4, "final", 0))
    assert environments.main(["setup"]) == 1
    assert re.fullmatch(
        r"Python 3\.11 or newer is needed, but .* is Python 3\.10: .*\n", capsys.readouterr().err
    )


@pytest.mark.usefixtures("nothing_is_made")
@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_its_parts_is_refused_with_what_brings_them(missing, monkeypatch, capsys):
    importing = builtins.__import__

    def without(name: str, *rest: object, **named: object):
        if name == missing:
            raise ImportError(name)
        return importing(name, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    assert environments.main(["setup"]) == 1
    said = capsys.readouterr().err
    assert missing in said
    assert "apt-get install python3" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "output",
    [
        "WARNING: Retrying ... NewConnectionError(...): Failed to establish a new connection",
        "error: Failed to fetch: `…` Caused by: dns error: failed to lookup address information",
        "ERROR: No matching distribution found for uv==0.13.9",
    ],
)
def test_no_registry_is_told_from_other_failures(output):
    assert "registry" in str(environments.fail("Installing uv", output))
    assert "registry" not in str(environments.fail("Installing uv", "hashes do not match"))


def test_an_environment_is_current_only_for_its_own_set_interpreter_and_place(tmp_path):
    path = tmp_path / "venv"
    (path / "bin").mkdir(parents=True)
    made = environments.Environment("it", path, "runtime")
    assert not made.is_current()
    made.python.touch()
    made.stamp.write_text(made.wanted())
    assert made.is_current()
    assert not environments.Environment("it", path, "local").is_current()
    moved = environments.Environment("it", tmp_path / "moved", "runtime")
    path.rename(moved.path)
    assert not moved.is_current()


@pytest.mark.parametrize("locked", LOCKED, ids=lambda path: path.name)
def test_a_locked_set_pins_and_hashes_everything_and_names_no_place(locked):
    lines = [line for line in locked.read_text().splitlines() if not line.lstrip().startswith("#")]
    requirements = [line for line in lines if line and not line.startswith(" ")]
    assert requirements
    assert all(re.match(r"[a-z0-9.-]+==\S+( ;.*)? \\$", line) for line in requirements)
    rest = [line for line in lines if line.startswith(" ")]
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in rest)


def test_the_layer_is_built_from_the_locked_runtime_set():
    runtime = (ROOT / "requirements" / "runtime.txt").read_text()
    assert (ROOT / "shared" / "requirements.txt").read_text() == runtime


def test_what_is_tested_is_what_ships():
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        return set(re.findall(r"^([a-z0-9.-]+==[^\s;]+)", text, re.MULTILINE))

    assert pins("runtime") <= pins("test")
