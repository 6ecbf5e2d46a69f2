"""Take one of as many as somebody may have in a span; whoever has them all gets none."""

from datetime import datetime

from shared.application.change import TRIES, pause_before_try
from shared.domain.errors import ConflictingWriteError, UnavailableError
from shared.domain.tally import Tally
from shared.ports import Put, Services


def take(
    services: Services, *, owner: str, name: str, since: datetime, thing: str, limit: int
) -> bool:
    """Whether `thing` is among the first `limit` of its owner since then; counted once.

    Raises:
        UnavailableError: too many at once; nothing was counted.
    """
    for attempt in range(TRIES):
        stored = services.store.get(Tally, owner, name, since.isoformat())
        known = stored.record if stored else Tally(owner, name, since)
        if thing in known.counted:
            return True
        if len(known.counted) >= limit:
            return False
        try:
            services.store.commit([Put(known.plus(thing), stored.version if stored else 0)])
        except ConflictingWriteError:
            pause_before_try(services, attempt)
        else:
            return True
    raise UnavailableError(f"too many at once for {name}")
