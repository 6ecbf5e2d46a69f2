"""The checked story: the five flows on the running stack, then expected against observed."""

from datetime import datetime, timedelta
from random import Random

import requests
import stripe

from infrastructure.local.at_stripe import control
from infrastructure.local.errors import LaunchError
from infrastructure.local.stack import Stack
from infrastructure.local.story_cancel import (
    BILLED_BY_THEN,
    cancel_at_the_end,
    cancel_now,
    pass_the_end,
)
from infrastructure.local.story_case import claim_overcharge
from infrastructure.local.story_disputes import (
    escalate_and_win,
    lose,
    open_chargeback,
    open_inquiry,
)
from infrastructure.local.story_privacy import ask_for_a_copy
from infrastructure.local.story_tools import Scene, reader_for, sales_of
from infrastructure.local.story_voice import Voice
from infrastructure.local.world import World

CUT_ANSWERS = 3  # the SDK's own retry is cut off too, and the first attempt after it
DUPLICATES = 0.1
A_WHILE = timedelta(minutes=30)  # more than the part before the clock moves takes

# What a part of the story meets when the parts before it did not happen; the table says so.
BROKEN_OFF = (LaunchError, stripe.StripeError, requests.RequestException, ValueError, LookupError)


def play(stack: Stack, world: World, *, seed: int | None, faults: bool) -> bool:
    """Play all flows, print the verifier's table, and return whether all of it is equal."""
    scene = Scene(stack, Voice(stack.now), reader_for(stack))
    if faults:
        make_faults(stack)
    try:
        play_all(scene, world, None if seed is None else Random(seed))  # noqa: S311 -- repeatable
    except BROKEN_OFF as trouble:
        scene.voice.trouble(f"{type(trouble).__name__}: {trouble}")
        scene.table.expect("the story", "ends", "at its end", "early")
    if faults:
        count_faults(scene)
    return show_verdict(scene)


def play_all(scene: Scene, world: World, chance: Random | None) -> None:
    """Everybody's part, in the order of time."""
    keep_clear_of_renewals(scene, world)
    cancel_now(scene, world.ann)
    claim_overcharge(scene, world, world.ann)
    ask_for_a_copy(scene, world.ann)
    ending = cancel_at_the_end(scene, world.ben, chance)
    cancel_now(scene, world.chiyo)
    lost = open_chargeback(scene, world.dev)
    won = open_inquiry(scene, world.eve)
    pass_the_end(scene, ending)
    pass_renewals(scene, world)
    lose(scene, lost)
    escalate_and_win(scene, won)


def keep_clear_of_renewals(scene: Scene, world: World) -> None:
    """Move on where a renewal is near, so that none is half-way billed when somebody acts."""
    sales = [sale for person in world.customers() for sale in sales_of(person)]
    while True:
        now = scene.stack.now()
        periods = [sale.period(now) for sale in sales]
        near = [begun for begun, _ in periods if now - begun < BILLED_BY_THEN]
        near += [end for _, end in periods if end - now < A_WHILE]
        if not near:
            return
        move_to(scene, max(near) + BILLED_BY_THEN)


def pass_renewals(scene: Scene, world: World) -> None:
    """Let every subscription of those with disputes come to its next renewal."""
    sales = [sale for person in (world.dev, world.eve) for sale in sales_of(person)]
    scene.voice.heading("The clock passes the next renewals of Dev and Eve")
    now = scene.stack.now()
    move_to(scene, max(sale.period(now)[1] for sale in sales) + BILLED_BY_THEN)
    keep_clear_of_renewals(scene, world)
    scene.voice.step("the renewals are over")


def move_to(scene: Scene, instant: datetime) -> None:
    """Move the clock on."""
    scene.stack.set_clock(instant)
    scene.settle()


def make_faults(stack: Stack) -> None:
    """Refunds are committed and their answers cut off; some webhooks come twice."""
    cut = {"kind": "commit_then_cut", "method": "POST", "path": "/v1/refunds"}
    control(stack, "POST", "faults", cut | {"times": CUT_ANSWERS})
    twice = {"kind": "duplicate_deliveries", "probability": DUPLICATES, "seed": 1}
    control(stack, "POST", "faults", twice)


def count_faults(scene: Scene) -> None:
    """A fault that never struck has proved nothing."""
    fired = {fault["kind"]: fault["fired"] for fault in control(scene.stack, "GET", "faults")}
    cut, twice = fired["commit_then_cut"], fired["duplicate_deliveries"]
    scene.voice.heading(f"Faults: {cut} answers cut off, {twice} webhooks delivered twice")
    scene.table.expect("faults", "answers to refunds cut off", CUT_ANSWERS, cut)
    scene.table.expect("faults", "webhooks came twice", "yes", "yes" if twice else "no")


def show_verdict(scene: Scene) -> bool:
    """Print the table and the verdict."""
    table, voice = scene.table, scene.voice
    voice.heading("Expected by the verifier, and observed")
    for line in table.lines(colour=voice.colour):
        voice.plain(line)
    differing = table.differing()
    for row in differing:
        voice.trouble(f"{row.who}: {row.what}: expected {row.expected}, observed {row.observed}")
    text = f"{len(differing)} of them different" if differing else "all equal"
    voice.verdict(f"{len(table.rows)} figures, {text}.", good=table.passed)
    return table.passed
