"""Identifiers that sort in the order in which they were made."""

from ulid import ULID


class UlidIds:
    """`shared.ports.Ids` as ULIDs."""

    def new(self) -> str:
        """A fresh ULID."""
        return str(ULID())
