"""How a customer is reached; kept at the billing system and read when it is needed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """A mail address, the language that the customer prefers, the country; None where unknown."""

    email: str | None
    language: str | None = None
    country: str | None = None
