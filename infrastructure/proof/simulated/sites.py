"""Which places in our code have called a port, and at which of them a worker has died."""

from infrastructure.proof.simulated.faults import Fault


class Sites:
    """Port calls by their place in the code."""

    def __init__(self) -> None:
        self.reached: set[str] = set()
        self.before: set[str] = set()
        self.after: set[str] = set()

    def reach(self, site: str, fault: Fault | None) -> None:
        """A port is called, and `fault` will befall the call."""
        self.reached.add(site)
        if fault is Fault.CRASH_BEFORE:
            self.before.add(site)

    def died_after(self, site: str) -> None:
        """The call had its effect, and its caller did not live to hear of it."""
        self.after.add(site)
