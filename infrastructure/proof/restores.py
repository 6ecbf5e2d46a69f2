"""Q15: tables set back at a thousand random moments to a thousand others."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace

from infrastructure.proof.goals import Result
from infrastructure.proof.lifetimes import Tally
from infrastructure.proof.pool import in_parallel
from infrastructure.proof.simulated.faults import Drawn
from infrastructure.proof.simulated.hub import DAY, HOUR, MINUTE
from infrastructure.proof.simulated.lifetime import Lifetime
from infrastructure.proof.simulated.script import Script, Step, draw_script

RESTORES, PARTS = 1000, 20
TROUBLES = ("backup", "restore", "outage", "stripe_outage")


def script_of(seed: str) -> Script:
    """A lifetime whose table is set back, from just after somebody cancelled as often as not."""
    script, rng = draw_script(seed), random.Random(f"restore {seed}")  # noqa: S311 - a seed
    steps = [step for step in script.steps if step.what not in TROUBLES]
    cancelled = next(step.at for step in steps if step.what == "cancel")
    near = cancelled + rng.randrange(3000)
    then = rng.choice((near, near, rng.randrange(HOUR, 11 * DAY)))
    back = then + rng.choice((MINUTE, HOUR, 26 * HOUR, rng.randrange(MINUTE, 3 * DAY)))
    steps += [Step(then, "backup"), Step(back, "restore")]
    return replace(script, steps=tuple(sorted(steps, key=lambda step: step.at)))


def restore_some(part: int) -> Tally:
    """One part of them."""
    tally = Tally()
    for number in range(RESTORES // PARTS):
        seed = f"restore {part} {number}"
        lived = Lifetime(seed, script_of(seed), Drawn(seed)).live()
        tally.seeds += 1
        tally.faults += lived.faults
        if lived.violations:
            tally.failing.append((seed, *lived.violations[0]))
    return tally


def restore_many() -> Result:
    """All of them."""
    begun, tally = time.monotonic(), Tally()
    for part in in_parallel(restore_some, range(PARTS), what="restores"):
        tally.add(part)
    failures = [f"seed {seed!r}: {name} {detail}" for seed, name, detail in tally.failing]
    restored = tally.faults["restore"]
    return Result(
        "Q15 restore",
        f"{RESTORES:,} restores: 0 double, all orphans imported",
        f"{restored:,} restores in {tally.seeds:,} lifetimes, {len(failures)} violations",
        not failures and restored >= RESTORES,
        time.monotonic() - begun,
        tally.seeds,
        Counter(tally.faults),
        failures,
    )
