"""The clock of production: the system's, and nothing else."""

import random
import time
from datetime import UTC, datetime


class SystemClock:
    """`shared.ports.Clock` on the system's time."""

    def now(self) -> datetime:
        """The present as an aware UTC instant."""
        return datetime.now(UTC)

    def pause(self, longest_seconds: float) -> None:
        """See `Clock`."""
        time.sleep(random.uniform(0, longest_seconds))  # noqa: S311 - spread, not secrecy

    def wait(self, seconds: float) -> None:
        """See `Clock`."""
        time.sleep(seconds)
