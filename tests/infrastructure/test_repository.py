"""What is committed: nothing of one machine, no module too long, and documents that keep up."""

import re
import subprocess
from pathlib import Path

import pytest

from shared.adapters.stripe_events import API_VERSION, HANDLED
from tests.infrastructure import cloudformation
from tests.infrastructure.cloudformation import ROOT

TEMPLATE = cloudformation.load()
# Put together so that this file does not find itself.
MACHINE_PATH = re.compile("/(?:home|Users|root|wor" + r"k)/\w")
REGISTRY = re.compile(r"https?://[\w.-]*(?:pypi|pythonhosted|npmjs|registry)" + r"[\w.-]*\.\w+")
LIVE_SECRET = re.compile("(?:sk|rk)_liv" + r"e_\w{16}")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
LONGEST_MODULE = 400


def tracked() -> list[Path]:
    """Every file that git knows."""
    run = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git made the clone
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in run.stdout.split("\0") if name and (ROOT / name).is_file()]


FILES = tracked()
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
README = (ROOT / "README.md").read_text()
RUNBOOKS = {path.stem: path.read_text() for path in ROOT.glob("docs/runbooks/*.md")}


def holding(pattern: re.Pattern[str]) -> list[str]:
    """Tracked files in which a pattern occurs."""
    found = []
    for path in FILES:
        match = pattern.search(path.read_text(errors="replace"))
        if match:
            found.append(f"{path.relative_to(ROOT)}: {match[0]}")
    return found


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        (MACHINE_PATH, "/home" + "/ann/src"),
        (REGISTRY, "https://pypi" + ".org/simple"),
        (LIVE_SECRET, "sk_liv" + "e_51HabcdefghIJKLMNOP"),
    ],
    ids=["path of a machine", "address of a registry", "live key"],
)
def test_nothing_committed_holds_a(pattern: re.Pattern[str], example: str):
    assert pattern.search(example)
    assert holding(pattern) == []


def test_no_second_lock_file():
    assert [path for path in FILES if path.name == "uv.lock"] == []


def test_no_module_is_too_long():
    lines = {path: len(path.read_text().splitlines()) for path in FILES if path.suffix == ".py"}

    assert [path.name for path, count in lines.items() if count > LONGEST_MODULE] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_repository_leads_to_a_file(document: Path):
    targets = LINK.findall(document.read_text())

    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", cloudformation.functions(TEMPLATE))
def test_the_readme_says_what_a_function_does(name: str):
    folder = cloudformation.folder(cloudformation.functions(TEMPLATE)[name])

    assert re.search(rf"^\|.*`{folder}`", README, re.MULTILINE)


def test_the_readme_sends_nobody_to_tests_that_are_not_there():
    named = re.findall(r"`(tests/[\w/]+)`", README)

    assert named
    assert [path for path in named if not list((ROOT / path).glob("test_*.py"))] == []


@pytest.mark.parametrize("method_and_path", sorted(cloudformation.routes(TEMPLATE)), ids=" ".join)
def test_the_readme_names_every_route(method_and_path: tuple[str, str]):
    assert f"`{' '.join(method_and_path)}`" in README


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_the_readme_explains_every_setting(name: str):
    assert re.search(rf"^\| `{name}` \|", README, re.MULTILINE)


def test_the_readme_names_the_events_to_subscribe_to_and_no_others():
    named = set(re.findall(r"`((?:customer|charge|refund|invoice|radar)\.[a-z_.]+)`", README))

    assert named == HANDLED
    assert f"`{API_VERSION}`" in README


@pytest.mark.parametrize("name", cloudformation.resources(TEMPLATE, "AWS::CloudWatch::Alarm"))
def test_every_alarm_has_its_runbook(name: str):
    alarm = cloudformation.resources(TEMPLATE, "AWS::CloudWatch::Alarm")[name]
    runbook = alarm["AlarmDescription"].rpartition("Runbook ")[2].rstrip(".")

    assert f"`{name}`" in RUNBOOKS[runbook]


def test_every_runbook_is_reached_from_the_readme():
    assert [name for name in RUNBOOKS if f"(docs/runbooks/{name}.md)" not in README] == []


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted(ROOT.glob("docs/adr/*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("document", sorted(ROOT.glob("docs/adr/*.md")), ids=lambda path: path.name)
def test_a_decision_says_why_and_what_follows(document: Path):
    headings = re.findall(r"^## (.+)$", document.read_text(), re.MULTILINE)

    assert headings[:3] == ["Context", "Decision", "Consequences"]
