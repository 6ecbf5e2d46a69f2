"""The policy packs as customers know them: a later version holds once they were told of it."""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.controls import OPERATIONS
from shared.domain.facts import Case
from shared.domain.policy import Policy
from shared.domain.privacy_records import Announcement
from shared.ports import Policies, Store


class TermsInForce:
    """`shared.ports.Policies` over the packs that ship and the announcements that were made."""

    def __init__(self, packs: Policies, store: Store) -> None:
        self._packs = packs
        self._store = store

    def load_policy(
        self, reference: str, now: datetime, told: Mapping[str, datetime] | None = None
    ) -> Policy:
        """See `Policies.load_policy`."""
        return self._packs.load_policy(reference, now, self._told() if told is None else told)

    def load_policy_for(self, case: Case, told: Mapping[str, datetime] | None = None) -> Policy:
        """See `Policies.load_policy_for`."""
        return self._packs.load_policy_for(case, self._told() if told is None else told)

    def _told(self) -> dict[str, datetime]:
        """From when each version holds of which everybody concerned was told."""
        stored = self._store.all_of(Announcement, OPERATIONS)
        return {
            one.record.id: one.record.effective_at
            for one in stored
            if one.record.effective_at is not None
        }
