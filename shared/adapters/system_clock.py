"""The clock of production: the system's, and nothing else."""

from datetime import UTC, datetime


class SystemClock:
    """`shared.ports.Clock` on the system's time."""

    def now(self) -> datetime:
        """The present as an aware UTC instant."""
        return datetime.now(UTC)
