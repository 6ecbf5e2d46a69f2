"""Cancellation terms: from when on the service is no longer owed.

No instant is both given back and usable: access ends where the refunded span begins.
"""

from shared.domain.decision import CancellationTerms
from shared.domain.facts import Ground
from shared.domain.formulas import Shares
from shared.domain.situation import Situation


def cancellation_terms(s: Situation, shares: Shares, *, ends_now: bool) -> CancellationTerms | None:
    """When a cancellation takes effect; None where the request is not about one.

    ``ends_now``: something is given back for the time from ``effective_at`` on. Otherwise the
    service goes on to the end of the cycle that is paid.
    """
    request, cycle_end = s.case.request, s.cycle_end
    if not ends_now and request.ground is not Ground.UNUSED_PERIOD:
        return None
    renewal_avoided = cycle_end is not None and request.received_at < cycle_end
    if not ends_now:
        end = max(request.effective_at, cycle_end or request.effective_at)
        return CancellationTerms(end, end, renewal_avoided)
    starts = [x.refunded_from for x in shares if x.fraction and x.refunded_from is not None]
    access_until = min(starts, default=request.effective_at)
    return CancellationTerms(request.effective_at, access_until, renewal_avoided)
