"""What every test shares: the one local stack, and the ban on the network beyond it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_socket
from hypothesis import settings

from infrastructure.cli import quote_command
from infrastructure.local.stack import Stack, start_stack
from shared.runtime.http import Request
from tests.fakes.steps import add, unreviewed
from tests.fakes.witness import WATCH, Witness

# The same examples at every run, so that a commit that passed passes again. New ones are searched
# with HYPOTHESIS_PROFILE=search, and what they find becomes a test of its own.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# These stages prove logic and adapters in memory: no socket is opened at all.
SOCKETLESS = ("tests/unit/", "tests/application/")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let no test reach beyond this machine."""
    if item.nodeid.startswith(SOCKETLESS):
        pytest_socket.disable_socket(allow_unix_socket=True)
    else:
        pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


def _route(route: str) -> str:
    return "/".join(route.split("/")[:3])


@pytest.fixture(autouse=True)
def _public_interfaces(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Note the public interfaces that a test uses which proves a clause; see `make clauses`."""

    def note(owner: object, name: str, interface: Callable[..., str]) -> None:
        original = getattr(owner, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            record_property("interface", interface(*args))
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    if request.node.get_closest_marker("clause"):
        note(quote_command, "run", lambda _options: "fairexit quote")
        note(Stack, "call", lambda _stack, method, path: _route(f"{method} {path}"))
        # A handler that is given what the gateway gives it is that route, with fakes behind it.
        note(Request, "__init__", lambda _request, event: _route(event.get("routeKey") or "-"))


# Where every step is looked up in the table. What a property draws may differ from one Python to
# the next, and whoever searches at random may make any step.
WITNESSED = ("tests/application/", "tests/handlers/")
MADE: dict[str, set[str]] = {}
_ADDING = os.environ.get("ADD_STEPS") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hold what the use cases of a test ask and write against the reviewed table."""
    drawn = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    if drawn or not item.nodeid.startswith(WITNESSED) or "test_fuzz" in item.nodeid:
        return (yield)
    WATCH.install()
    witness = WATCH.witness = Witness()
    try:
        outcome = yield
    finally:
        WATCH.witness = None
    if _ADDING:
        for name, steps in witness.steps.items():
            MADE.setdefault(name, set()).update(steps)
    elif stranger := unreviewed(witness.steps):
        pytest.fail(stranger, pytrace=False)
    return outcome


def pytest_sessionfinish() -> None:
    """Add to the table what has been made, where that is asked for."""
    if MADE:
        add(MADE)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The embedded AWS and the local Stripe with the real template deployed, once for all tests."""
    running = start_stack(directory=tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()
