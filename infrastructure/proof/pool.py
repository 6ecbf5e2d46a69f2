"""Work on both cores: pieces of a generator's work in forked processes, until the time is over."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")

PROCESSES = min(2, os.cpu_count() or 1)


def in_parallel(work: Callable[[A], T], pieces: Sequence[A], *, what: str) -> Iterator[T]:
    """What comes of each piece, in any order, with a line of progress while it lasts."""
    begun, live = time.monotonic(), sys.stderr.isatty()
    context = multiprocessing.get_context("fork")
    with context.Pool(PROCESSES) as pool:
        for number, result in enumerate(pool.imap_unordered(work, pieces), start=1):
            told = f"{what}: {number} of {len(pieces)} parts, {time.monotonic() - begun:.0f} s"
            if live:
                print(f"\r  {told}", end="", file=sys.stderr, flush=True)
            elif number % max(1, len(pieces) // 10) == 0:
                print(f"  {told}", file=sys.stderr, flush=True)
            yield result
    if live:
        print(file=sys.stderr)
