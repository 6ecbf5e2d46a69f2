"""``make clauses``: prints what proves each row of ``docs/clauses.md``; exit status 1 on a gap.

A gap is a test that fails, a clause of a pack without a test or a row, a mark that names no row, a
row said to be working without proof through a public interface, or a change that nobody notices.
"""

import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.clauses.changes import changes_of, statute_changes
from infrastructure.clauses.proofs import Proof, Proving
from infrastructure.clauses.renaming import decides_alike_renamed
from infrastructure.clauses.rows import Row, read_rows
from shared.adapters.policy_files import pack_files, read_pack

ROOT = Path(__file__).resolve().parent.parent.parent
OPTIONS = ("-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib")


def main() -> int:
    """Proves, prints, returns the exit status."""
    begun = time.monotonic()
    rows = read_rows((ROOT / "docs" / "clauses.md").read_text(encoding="utf-8"))
    packs = [read_pack(path) for path in pack_files().values()]
    changes = [change for pack in packs for change in changes_of(pack)]
    proving = Proving([*changes, *statute_changes(packs[0])])
    pytest.main([*OPTIONS, "-m", "clause", str(ROOT / "tests")], plugins=[proving])
    for row in rows.values():
        print(_line(row, proving))
    written = {change.target for change, _ in proving.noticed}
    gaps = [*_gaps(rows, written, proving), *_renamed()]
    working = sum(row.works for row in rows.values())
    noticed = sum(proof is not None for _, proof in proving.noticed)
    print(
        f"\n{working} of {len(rows)} rows work; {len(proving.proofs)} tests prove clauses; "
        f"{noticed} of {len(proving.noticed)} changes noticed; {time.monotonic() - begun:.0f} s"
    )
    print("\n".join(f"GAP {gap}" for gap in gaps) or "no gaps")
    return 1 if gaps else 0


def _proofs(name: str, proving: Proving) -> list[Proof]:
    return [proof for proof in proving.proofs if name in proof.clauses]


def _killers(name: str, proving: Proving) -> list[tuple[str, Proof]]:
    """The changes to a clause that were noticed, and by which test."""
    return [
        (change.what, proof)
        for change, proof in proving.noticed
        if change.target == name and proof is not None
    ]


def _line(row: Row, proving: Proving) -> str:
    """A row: state, tests, interfaces, and its killers with the test that notices the first."""
    proofs, killers = _proofs(row.id, proving), _killers(row.id, proving)
    seen = ", ".join(sorted({name for proof in proofs for name in proof.interfaces}))
    head = f"{row.id:28}{row.state:20}{len(proofs):3} tests  {seen or '—':16}"
    if not killers:
        return head.rstrip()
    what, proof = killers[0]
    more = f", and {len(killers) - 1} more" if len(killers) > 1 else ""
    return f"{head}  killed by {what}{more}: {proof.name}"


def _gaps(rows: dict[str, Row], written: set[str], proving: Proving) -> Iterator[str]:
    yield from (f"{test} fails" for test in proving.failed)
    marked = {name for proof in proving.proofs for name in proof.clauses}
    yield from (f"{name}: a test's mark names no row" for name in sorted(marked - rows.keys()))
    clauses = {name for name in written if "." in name}
    yield from (f"{name}: no row for a clause" for name in sorted(clauses - rows.keys()))
    yield from (f"{name}: no test for a clause" for name in sorted(clauses - marked))
    for row in rows.values():
        if row.works and not any(proof.interfaces for proof in _proofs(row.id, proving)):
            yield f"{row.id}: working, but seen through no public interface"
        # A row that no clause of a pack decides is behaviour of the system: there is no change.
        if (
            row.works
            and row.id in written
            and not any(proof.interfaces for _, proof in _killers(row.id, proving))
        ):
            yield f"{row.id}: working, but no change shows through a public interface"
    for change, proof in proving.noticed:
        if proof is None:
            yield f"{change.target}: nobody notices {change.what}"


def _renamed() -> Iterator[str]:
    """Packs whose decisions depend on what they are called."""
    for name, path in pack_files().items():
        new = f"pack{secrets.token_hex(4)}"
        if not decides_alike_renamed(path.read_text(encoding="utf-8"), name, new):
            yield f"{name}: decides otherwise when it is called {new}"


if __name__ == "__main__":
    sys.exit(main())
