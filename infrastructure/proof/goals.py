"""Goals with their figures, and the one table that shows whether they were reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Result:
    """What was measured for a goal; `failures` are what a person has to look at."""

    goal: str
    target: str
    measured: str
    reached: bool
    seconds: float
    seeds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


MOST_FAILURES = 10


def show(results: Sequence[Result]) -> int:
    """Print the table; 1 if any goal falls short, else 0."""
    for result in results:
        for failure in result.failures[:MOST_FAILURES]:
            print(f"FAILED {result.goal}: {failure}")
        if len(result.failures) > MOST_FAILURES:
            print(f"FAILED {result.goal}: and {len(result.failures) - MOST_FAILURES} more")
    rows = [("goal", "target", "measured", "seeds", "seconds", "")]
    for one in results:
        seeds = f"{one.seeds:,}" if one.seeds else ""
        state = "reached" if one.reached else "NOT REACHED"
        rows.append((one.goal, one.target, one.measured, seeds, f"{one.seconds:.0f}", state))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    faults: Counter[str] = sum((one.faults for one in results), Counter())
    if faults:
        print(f"\n{sum(faults.values()):,} faults fired, by kind")
        for name, times in sorted(faults.items(), key=lambda item: -item[1]):
            print(f"  {name:<28}{times:>10,}")
    print(f"\n{sum(one.seconds for one in results):.0f} s in all")
    return 0 if all(one.reached for one in results) else 1
