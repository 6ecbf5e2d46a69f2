"""Reading JSON for a person's eyes: strict, with faults that say where."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shared.domain.shapes import Fault, FaultsError

REFUSED = 2  # the exit status of input that cannot be used


def parse_json(text: str | bytes) -> Any:
    """The JSON value of a text; ``FaultsError`` where it is none, or repeats a key."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise FaultsError((Fault("$", "bytes that are not UTF-8", "JSON in UTF-8"),)) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}: {error.msg}"
        raise FaultsError((Fault("$", where, "JSON"),)) from None
    except RecursionError:
        raise FaultsError((Fault("$", "values nested too deep", "a case"),)) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise FaultsError((Fault("$", str(error), "JSON"),)) from None


def read_bytes(name: str) -> bytes:
    """What a file holds, or standard input for ``-``."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        fault = Fault(name, error.strerror or "unreadable", "a file, or - for standard input")
        raise FaultsError((fault,)) from None


def report(faults: Iterable[Fault]) -> int:
    """Prints every fault on standard error; the exit status."""
    for fault in faults:
        print(fault, file=sys.stderr)
    return REFUSED


def as_data(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Faults as the batch answers them."""
    return [{"path": f.path, "found": f.found, "allowed": f.allowed} for f in faults]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise FaultsError((Fault("$", f'the key "{twice}" twice in one object', "each key once"),))
    return members


def _no_constant(name: str) -> Any:
    raise FaultsError((Fault("$", name, "JSON, which knows no such number"),))
