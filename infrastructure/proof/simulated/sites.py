"""Which places in our code have called a port, and at which of them a worker has died."""

from infrastructure.proof.simulated.faults import Fault


class Sites:
    """Port calls by their place in the code, with the number of the first call from there."""

    def __init__(self) -> None:
        self.reached: dict[str, int] = {}
        self.before: set[str] = set()
        self.after: set[str] = set()

    def reach(self, site: str, fault: Fault | None, number: int) -> None:
        """A port is called, and `fault` will befall the call."""
        self.reached.setdefault(site, number)
        if fault is Fault.CRASH_BEFORE:
            self.before.add(site)

    def died_after(self, site: str) -> None:
        """The call had its effect, and its caller did not live to hear of it."""
        self.after.add(site)

    def add(self, other: "Sites") -> None:
        """Both together."""
        self.reached |= other.reached
        self.before |= other.before
        self.after |= other.after
