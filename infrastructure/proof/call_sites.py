"""Where our use cases call a port, read from their source."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = ROOT / "shared" / "application"
PORTS = ("store", "billing", "waker", "mailer", "bus")
# What lifetimes do not come to, by module or by module and function, with the reason.
ABSENT: dict[str, str] = {
    function: reason
    for reason, functions in tomllib.loads(
        (Path(__file__).parent / "absent.toml").read_text(encoding="utf-8")
    ).items()
    for function in functions
}


def call_sites() -> Iterator[tuple[str, str]]:
    """Each place, as `application/file.py:line`, and the function that it stands in."""
    for path in sorted(APPLICATION.rglob("*.py")):
        name = path.relative_to(ROOT / "shared").as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and _is_port(node.func):
                    yield f"{name}:{node.lineno}", f"{name}:{function.name}"


def _is_port(function: ast.expr) -> bool:
    """`….billing.refund`: a method of something that is named like a port."""
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Attribute)
        and function.value.attr in PORTS
    )
