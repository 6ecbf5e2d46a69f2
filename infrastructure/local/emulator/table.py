"""DynamoDB: items live by the local clock, so the machine's may not delete them."""

# ruff: noqa: SLF001 -- a shim reaches for private names by its nature; the version is asserted

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb


class Unreaped(AccountRegionScopedDict):  # type: ignore[misc]
    """The tables' expiry settings, kept from the one that walks over all of them."""

    def all_items(self) -> tuple[()]:
        """Show no table."""
        return ()


def install() -> None:
    """Show the reaper of expired items no table to look at.

    It compares `expires_at`, an instant of the local clock, with real time. AWS promises deletion
    only "within a few days" of expiry, so a run in which nothing is deleted is a faithful one.
    """
    dynamodb._ttl_settings = Unreaped()
