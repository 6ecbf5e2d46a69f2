"""What the story prints: headings, one line a step with the local clock, figures beneath."""

import sys
from collections.abc import Callable
from datetime import datetime

BOLD, DIM, RED, GREEN, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[0m"
INDENT = " " * 23


class Voice:
    """Plain lines; a little colour where a person watches."""

    def __init__(self, now: Callable[[], datetime], *, colour: bool | None = None) -> None:
        """Know the local clock."""
        self._now = now
        self.colour = sys.stdout.isatty() if colour is None else colour

    def heading(self, text: str) -> None:
        """Begin a part of the story."""
        self._say(f"\n{self._in(BOLD, text)}")

    def step(self, text: str) -> None:
        """Tell what has just been done, at which instant of the local clock."""
        self._say(f"{self._in(DIM, f'{self._now():%Y-%m-%d %H:%M:%S}Z')}   {text}")

    def figure(self, text: str) -> None:
        """Tell a figure that belongs to the step."""
        self._say(f"{INDENT}{text}")

    def trouble(self, text: str) -> None:
        """Tell what did not happen as it should."""
        self._say(f"{INDENT}{self._in(RED, text)}")

    def verdict(self, text: str, *, good: bool) -> None:
        """Say how it went."""
        self._say(f"\n{self._in(GREEN if good else RED, text)}")

    def plain(self, text: str) -> None:
        """Say a line as it is."""
        self._say(text)

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self.colour else text

    @staticmethod
    def _say(text: str) -> None:
        print(text, flush=True)
