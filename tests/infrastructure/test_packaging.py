"""Each handler imports quietly from its archive and the layer, and nothing local ships."""

import re
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path

import pytest

from infrastructure.local import stage
from tests.infrastructure import cloudformation
from tests.infrastructure.cloudformation import ROOT
from tests.infrastructure.import_probe import Seen, probe

TEMPLATE = cloudformation.load()
FUNCTIONS = cloudformation.functions(TEMPLATE)
PACKAGES = {package.logical_id: package for package in stage.packages(TEMPLATE, ROOT)}
WITHOUT_STRIPE = [
    name
    for name, function in FUNCTIONS.items()
    if "STRIPE_API_KEY_ARN" not in function["Environment"]["Variables"]
]
# What only the local stack may know: the offset of its clock, and where a function dies.
CLOCK_OFFSET = re.compile(
    rb"FAIREXIT_CLOCK|offset_seconds|CLOCK_FILE|FAIREXIT_CRASHES|crash_points", re.IGNORECASE
)


LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def runtime_files() -> Iterator[Path]:
    """Every top-level file or folder of the dependencies that are locked for production."""
    for name in LOCKED.findall((ROOT / "requirements/runtime.txt").read_text()):
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            yield Path(str(package.locate_file(top)))


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every archive in a folder of its logical id, and the locked dependencies in "third_party"."""
    folder = tmp_path_factory.mktemp("staged")
    for logical_id, package in PACKAGES.items():
        package.unpack(folder / logical_id)
    (folder / "third_party").mkdir()
    for file in runtime_files():
        (folder / "third_party" / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="module")
def imported(staged: Path) -> Callable[[str], Seen]:
    """Imports a function's handler as Lambda does: its own code, then the layer; once each."""

    @cache
    def import_(name: str) -> Seen:
        module = FUNCTIONS[name]["Handler"].rpartition(".")[0]
        own = [staged / name, staged / "SharedLayer" / "python"]
        return probe(module, own, staged / "third_party")

    return import_


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_imports_from_its_archive_and_the_layer(
    imported: Callable[[str], Seen], staged: Path, name: str
):
    assert Path(imported(name).file).is_relative_to(staged / name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_importing_a_handler_reads_no_setting_and_opens_nothing(
    imported: Callable[[str], Seen], name: str
):
    seen = imported(name)

    assert (seen.reads, seen.clients, seen.sockets) == ([], [], [])


@pytest.mark.parametrize("name", WITHOUT_STRIPE)
def test_a_function_that_does_not_call_stripe_does_not_import_it(
    imported: Callable[[str], Seen], name: str
):
    assert "stripe" not in imported(name).modules


def test_the_functions_that_do_not_call_stripe_are_these():
    assert sorted(cloudformation.folder(FUNCTIONS[name]) for name in WITHOUT_STRIPE) == [
        "check_access",
        "do_due_work",
        "guard_data",
        "judge_disputes",
        "link_identity",
        "manage_accounts",
        "manage_incidents",
        "pay_owed",
        "privacy_requests",
        "purge_records",
        "receive_stripe_webhook",
        "record_activity",
        "record_mail_feedback",
        "report_breach",
        "report_incidents",
        "review_privacy",
        "show_account",
        "withdraw_cancellation",
    ]


def test_a_handler_does_not_import_without_the_layer(staged: Path):
    module = FUNCTIONS["ShowAccountFunction"]["Handler"].rpartition(".")[0]

    with pytest.raises(AssertionError, match="No module named 'shared'"):
        probe(module, [staged / "ShowAccountFunction"], staged / "third_party")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os\nos.environ.get('TABLE_NAME')", ["TABLE_NAME"]),
        ("import os\nos.getenv('TABLE_NAME')", ["TABLE_NAME"]),
        ("import boto3\nboto3.client('sqs', region_name='us-east-1')", ["sqs"]),
        ("import socket\nsocket.socket().close()", ["socket.__new__"]),
        ("import stripe", ["stripe"]),
    ],
    ids=["environ", "getenv", "client", "socket", "stripe"],
)
def test_the_probe_sees_what_an_import_does(
    staged: Path, tmp_path: Path, source: str, expected: list[str]
):
    (tmp_path / "loud.py").write_text(source)

    seen = probe("loud", [tmp_path], staged / "third_party")

    assert set(expected) <= {*seen.reads, *seen.clients, *seen.sockets, *seen.modules}


def test_the_probe_finds_no_library_that_production_lacks(staged: Path, tmp_path: Path):
    (tmp_path / "greedy.py").write_text("import yaml")

    with pytest.raises(AssertionError, match="No module named 'yaml'"):
        probe("greedy", [tmp_path], staged / "third_party")


@pytest.mark.parametrize("name", PACKAGES)
def test_an_archive_holds_its_own_package_and_no_local_clock(name: str):
    package = PACKAGES[name]
    with zipfile.ZipFile(BytesIO(package.archive())) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    own = (
        "python/shared/"
        if name == "SharedLayer"
        else f"functions/{cloudformation.folder(FUNCTIONS[name])}/"
    )

    assert files
    assert [entry for entry in files if not entry.startswith(own)] == []
    assert [entry for entry, content in files.items() if CLOCK_OFFSET.search(content)] == []


def test_the_layer_has_what_is_locked_for_production():
    assert (ROOT / "shared/requirements.txt").read_bytes() == (
        ROOT / "requirements/runtime.txt"
    ).read_bytes()


def test_nothing_under_shared_takes_the_name_of_a_dependency():
    """SAM would merge the two folders in the layer, and report success."""
    ours = {path.stem for path in (ROOT / "shared").iterdir() if path.stem != "__pycache__"}
    theirs = {path.stem for path in runtime_files()}

    assert ours
    assert "stripe" in theirs
    assert ours & theirs == set()


def test_functions_is_no_package_itself():
    """It would not ship, so nothing may live there."""
    assert not (ROOT / "functions/__init__.py").exists()


def test_every_handler_fits_on_a_screen():
    lines = {
        handler.parent.name: len(handler.read_text().splitlines())
        for handler in ROOT.glob("functions/*/handler.py")
    }

    assert {name: count for name, count in lines.items() if count > 60} == {}
