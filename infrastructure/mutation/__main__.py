"""``make mutate``: changes the arithmetic of money a little at a time and lets its tests run.

Prints every change that the tests did not notice, with the reason from ``survivors.toml``; exit
status 1 below the goal, or where a survivor has no reason. Works on a copy of the tree.
"""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COPY = ROOT / ".local" / "mutated"
SURVIVORS = Path(__file__).parent / "survivors.toml"
GOAL = 90  # percent
SURVIVED = 0  # how mutmut stores that the tests still passed


def main() -> int:
    """Runs mutmut on the copy and judges what is left; returns the exit status."""
    copy_tree()
    mutmut = [sys.executable, "-m", "mutmut"]
    ended = subprocess.run([*mutmut, "run"], cwd=COPY, check=False).returncode
    results = dict(read_results())
    if not results:
        print(f"mutmut ended {ended} without a result", file=sys.stderr)
        return 1
    reasons = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))
    unexplained = 0
    survivors = [name for name, code in results.items() if code == SURVIVED]
    for name in survivors:
        show = subprocess.run([*mutmut, "show", name], cwd=COPY, capture_output=True, check=True)
        change = changed_line(show.stdout.decode())
        reason = reasons.get(change)
        unexplained += reason is None
        print(f"{name.partition('__mutmut')[0]}\n    {change}\n    {reason or 'NO REASON'}")
    score = 100 * (len(results) - len(survivors)) / len(results)
    print(f"{len(results) - len(survivors)} of {len(results)} changes noticed: {score:.1f} %")
    return 1 if score < GOAL or unexplained else 0


def copy_tree() -> None:
    """What git knows or would know, as it stands, in an empty folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    shutil.rmtree(COPY, ignore_errors=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, COPY / name)


def read_results() -> Iterator[tuple[str, int | None]]:
    """Each change, by mutmut's name for it, and how the tests ended; None where they did not."""
    for path in COPY.glob("mutants/**/*.meta"):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        yield from codes.items()


def changed_line(diff: str) -> str:
    """The line as it was changed to: what a reason is kept under, since numbers move."""
    added = [line for line in diff.splitlines() if line.startswith("+") and line[:3] != "+++"]
    return " ".join(line[1:].strip() for line in added)


if __name__ == "__main__":
    sys.exit(main())
