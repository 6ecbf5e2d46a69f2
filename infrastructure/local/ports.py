"""The three addresses of the local stack, all on the loopback interface."""

import socket
from dataclasses import dataclass
from typing import Self

from infrastructure.local.errors import LaunchError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the embedded AWS, the local Stripe and the mail page listen."""

    aws: int = 4566
    stripe: int = 4567
    mail: int = 4568

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `5566,5567,5568`; empty means the defaults. Raise LaunchError otherwise."""
        if not text:
            return cls()
        parts = [part.strip() for part in text.split(",")]
        numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
        usable = all(0 < number < 2**16 for number in numbers)
        if len(parts) != 3 or len(set(numbers)) != 3 or not usable:  # noqa: PLR2004 -- three servers
            raise LaunchError(
                f"PORTS takes three different port numbers like 5566,5567,5568 "
                f"(for AWS, Stripe, mails), not {text!r}."
            )
        return cls(*numbers)

    @classmethod
    def free(cls) -> Self:
        """Take three ports that nobody listens on."""
        sockets = [socket.socket() for _ in range(3)]
        try:
            for each in sockets:
                each.bind((HOST, 0))
            return cls(*(each.getsockname()[1] for each in sockets))
        finally:
            for each in sockets:
                each.close()

    def check(self) -> None:
        """Raise LaunchError when somebody already listens on one of them."""
        names = {"AWS": self.aws, "Stripe": self.stripe, "the mail page": self.mail}
        for name, port in names.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError:
                    raise LaunchError(
                        f"Port {port} (for {name}) is in use: stop what listens there, or choose "
                        f"others with PORTS=5566,5567,5568."
                    ) from None
