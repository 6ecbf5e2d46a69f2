"""`make run`: start, deploy, load the world, play the story, then stay up until Ctrl-C."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, Self

from infrastructure.local.errors import LaunchError
from infrastructure.local.logins import PASSWORD
from infrastructure.local.ports import Ports
from infrastructure.local.processes import ROOT
from infrastructure.local.stack import EFFECTS_QUEUES, STRIPE_KEY, Stack, start_stack
from infrastructure.local.story_tools import switch_consumer
from infrastructure.local.world import Person, Staff, World, load_world

SWITCH = {"": False, "0": False, "1": True}


@dataclass(frozen=True, slots=True)
class Options:
    """What the make variables ask for."""

    ports: Ports
    once: bool
    seed: int | None
    faults: bool
    break_effects: bool

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Read ONCE, SEED, FAULTS, BREAK and PORTS; raise LaunchError for what they do not take."""
        given = {key: variables.get(key, "").strip() for key in ("ONCE", "SEED", "FAULTS", "BREAK")}
        for key in ("ONCE", "FAULTS"):
            if given[key] not in SWITCH:
                raise LaunchError(f"{key} takes 1 or nothing, not {given[key]!r}.")
        if given["SEED"] and not (given["SEED"].isascii() and given["SEED"].isdigit()):
            raise LaunchError(f"SEED takes a whole number, not {given['SEED']!r}.")
        if given["BREAK"] not in {"", "effects"}:
            raise LaunchError(f"BREAK takes only `effects`, not {given['BREAK']!r}.")
        return cls(
            ports=Ports.parse(variables.get("PORTS", "").strip()),
            once=SWITCH[given["ONCE"]],
            seed=int(given["SEED"]) if given["SEED"] else None,
            faults=SWITCH[given["FAULTS"]],
            break_effects=given["BREAK"] == "effects",
        )


class Progress:
    """Shows each step with the seconds since the beginning."""

    def __init__(self) -> None:
        """Begin counting."""
        self._begun = time.monotonic()

    def __call__(self, step: str) -> None:
        """Show a step as it begins."""
        print(f"{time.monotonic() - self._begun:6.1f} s  {step}", flush=True)


def end_on_signal(number: int, _frame: object) -> NoReturn:
    """Turn a signal into an ordinary end, so that everything is stopped on the way out."""
    sys.exit(128 + number)


def break_effects(stack: Stack) -> None:
    """Switch the effects' consumers off: what the verifier must notice."""
    for queue in EFFECTS_QUEUES:
        switch_consumer(stack, queue, on=False)


def play(stack: Stack, world: World, options: Options) -> bool:
    """Play the story on the running stack; return whether every figure was as expected."""
    if importlib.util.find_spec("infrastructure.local.story") is None:
        print("There is no story to play yet (infrastructure/local/story.py).")
        return True
    story = importlib.import_module("infrastructure.local.story")
    return bool(story.play(stack, world, seed=options.seed, faults=options.faults))


def show_addresses(stack: Stack, world: World) -> None:
    """Print what there is to open, and how to sign in."""
    people: list[Person | Staff] = [*world.customers(), *world.staff]
    width = max(len(person.email) for person in people)
    print(
        f"""
The stack stays up until Ctrl-C.
  API      {stack.api_url}
  mails    {stack.mail_url}
  AWS      {stack.aws_endpoint} (AWS_ENDPOINT_URL; keys test / test, region us-east-1)
  Stripe   {stack.stripe_url} (key {STRIPE_KEY}; what happened: {stack.stripe_url}/_local/requests)
  logs     {stack.directory.relative_to(ROOT)}/logs
Sign-ins, all with the password {PASSWORD}"""
    )
    for person in people:
        print(f"  {person.email:{width}}  {person.role}")
    wanted = {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": stack.outputs["CustomerClientId"],
        "AuthParameters": {"USERNAME": people[0].email, "PASSWORD": PASSWORD},
    }
    print(
        f"""An access token for the API (Authorization: Bearer …):
  curl -s {stack.aws_endpoint} -H 'Content-Type: application/x-amz-json-1.1' \\
    -H 'X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth' \\
    -d '{json.dumps(wanted)}'""",
        flush=True,
    )


def stay_up(stack: Stack) -> None:
    """Wait for Ctrl-C; raise LaunchError when a server dies meanwhile."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(0.5)
            stack.check()
    print("\nStopped.")


def main() -> int:
    """Do it all; return 0 when the story's figures were as expected, else 1."""
    options = Options.read(os.environ)
    directory = ROOT / ".local" / "run" / str(options.ports.aws)
    signal.signal(signal.SIGTERM, end_on_signal)
    options.ports.check()
    shutil.rmtree(directory, ignore_errors=True)
    progress = Progress()
    stack = start_stack(ports=options.ports, directory=directory, progress=progress)
    try:
        if options.break_effects:
            break_effects(stack)
            progress("the effects' consumers are switched off (BREAK=effects)")
        world = load_world(stack, seed=options.seed, progress=progress)
        passed = play(stack, world, options)
        if not options.once:
            show_addresses(stack, world)
            stay_up(stack)
    except Exception:
        stack.check()  # a dead server is the better explanation of whatever failed
        raise
    finally:
        stack.stop()
    return 0 if passed else 1
