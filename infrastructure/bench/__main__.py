"""``make bench-quote``: decisions a second on one core, and a million cases in a stream.

What a decision costs is measured side by side with the bare arithmetic, in turns and in CPU time,
so that a busy machine slows both alike.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from statistics import median
from typing import Any

from infrastructure.bench.bare import bare_refund
from infrastructure.cli.quote_command import decide
from shared.adapters.policy_files import load_policy_for
from shared.domain.case import parse_case
from shared.domain.refund import decide_refund, quote_document

LINES = {"il_1": (120000, 22800), "il_2": (36000, 6840), "il_3": (24000, 4561)}
PAID = sum(net + tax for net, tax in LINES.values())
YEAR = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
NOW = "2026-03-10T12:00:00Z"
DOCUMENT: dict[str, Any] = {
    "policy": "voip",
    "now": NOW,
    "invoices": [
        {
            "currency": "usd",
            "lines": [
                {"id": name, "kind": "subscription", "amount": net, "tax": tax, "period": YEAR}
                for name, (net, tax) in LINES.items()
            ],
            "payments": [{"id": "pi_1", "amount": PAID}],
        }
    ],
    "request": {"ground": "unused_period"},
}
ROUNDS, CALLS = 15, 1000
FEW = 10_000  # enough for every cache to be full
KIBIBYTE = 1 if sys.platform == "linux" else 1024  # in which ru_maxrss counts


def main() -> int:
    """Measures and prints; exit status 1 where the figures are not even right."""
    case = parse_case(DOCUMENT)
    policy = load_policy_for(case)
    start, end, at = map(datetime.fromisoformat, (YEAR["start"], YEAR["end"], NOW))
    amounts = list(LINES.values())
    decision = decide_refund(policy, case)
    if decision.total != bare_refund(amounts, start, end, at, PAID)[0]:
        print("the decision and the bare arithmetic differ", file=sys.stderr)
        return 1
    costs = in_turns(
        {
            "bare Fraction arithmetic": lambda: bare_refund(amounts, start, end, at, PAID),
            "decision with its trace": lambda: decide_refund(policy, case),
            "… and the quote's document": lambda: quote_document(decide_refund(policy, case)),
            "… and reading the case": lambda: quote_document(decide(DOCUMENT)),
        }
    )
    bare = costs["bare Fraction arithmetic"]
    print(f"three lines with tax, {len(decision.trace)} entries in the trace, one core")
    for name, cost in costs.items():
        print(f"  {name:28}{cost * 1e6:8.1f} µs {1 / cost:10,.0f}/s   {cost / bare:5.1f} × bare")
    stream(int(os.environ.get("CASES") or 1_000_000))
    return 0


def in_turns(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds a call of each, measured in turns."""
    rounds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            begun = time.process_time()
            for _ in range(CALLS):
                work()
            rounds[name].append((time.process_time() - begun) / CALLS)
    return {name: median(seconds) for name, seconds in rounds.items()}


def stream(cases: int) -> None:
    """A batch of few cases and one of many: the many must need no more memory."""
    print("fairexit quote --batch")
    for count in (min(FEW, cases), cases):
        seconds, peak = batch(count)
        print(f"  {count:9,} cases {seconds:7.1f} s {count / seconds:8,.0f}/s  {peak:7,.0f} KiB")


def batch(cases: int) -> tuple[float, float]:
    """The seconds and the peak memory, in KiB, of a batch through the command's own process."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "infrastructure.cli", "quote", "--batch", "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = threading.Thread(target=feed, args=(process.stdin, cases))
    feeder.start()
    answers = sum(b'"outcome":"granted"' in answer for answer in process.stdout)
    feeder.join()
    _, status, usage = os.wait4(process.pid, 0)
    if status or answers != cases:
        raise SystemExit(f"{answers} of {cases} cases were granted; the command ended {status}")
    return time.perf_counter() - begun, usage.ru_maxrss / KIBIBYTE


def feed(stdin: Any, cases: int) -> None:
    """Writes the cases, no two in a row the same."""
    with stdin:
        for number in range(cases):
            DOCUMENT["invoices"][0]["number"] = f"A-{number}"
            stdin.write(json.dumps(DOCUMENT).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
