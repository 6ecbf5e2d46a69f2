"""Everything that happens at a time: read what is due, never the whole table.

Ten thousand periods may end in one second. Nobody waits for that, since access is judged by the
stored end; what follows at Stripe is spread, so that whoever cancels now is not behind all of it.
"""

from collections.abc import Iterable, Iterator

from shared.application.cases.strike_clocks import strike_clocks
from shared.application.change import present, wake_stored
from shared.application.defend import watch_evidence
from shared.application.dun import look_at_arrears
from shared.application.early_warnings import act_on_warning
from shared.application.end_subscription import end_subscription
from shared.application.privacy.advance_request import advance_request
from shared.application.privacy.expire_upload import expire_upload
from shared.domain.arrears import Arrears
from shared.domain.early_warning import EarlyWarning
from shared.domain.effects import Effect
from shared.domain.errors import BrokenInvariantError
from shared.domain.evidence import Evidence
from shared.domain.privacy import PrivacyRequest
from shared.domain.refund_case import RefundCase
from shared.domain.subscription import Subscription
from shared.domain.upload import Upload
from shared.ports import DueKey, Services

# A minute's schedule drains 16 shards of this many; what is left is due a minute later still.
PER_SHARD = 80
# How many ends in a second the consumers keep up with: a minute's worth of them takes a minute.
ENDS_A_SECOND = 20


def find_due_work(services: Services, *, part: int = 0, parts: int = 1) -> list[DueKey]:
    """What has come due, in no particular order, in one of so many parts of the index."""
    return services.store.due(present(services), limit=PER_SHARD, part=part, parts=parts)


def spread(
    services: Services, found: Iterable[DueKey], *, parts: int = 1
) -> Iterator[tuple[DueKey, int]]:
    """Each piece, with the seconds until what follows from it is woken: none for the first ends."""
    ends, begun = 0, services.clock.now()
    for due in found:
        passed = int((services.clock.now() - begun).total_seconds())
        yield due, max(0, ends * parts // ENDS_A_SECOND - passed)
        ends += due.kind is Subscription


def do_due_work(services: Services, due: DueKey, wake_in: int = 0) -> str:
    """Do one piece of it; the word under which the metrics count it."""
    if due.kind is Effect:
        wake_stored(services, due.customer, due.id)
        return "woken"
    if due.kind is Evidence:
        return watch_evidence(services, customer=due.customer, dispute=due.id)
    if due.kind is Arrears:
        looked = look_at_arrears(services, customer=due.customer, invoice=due.id)
        return "looked_at" if looked else "nothing_to_do"
    if due.kind is EarlyWarning:
        return act_on_warning(services, customer=due.customer, charge=due.id)
    if due.kind is Subscription:
        ended = end_subscription(
            services, customer=due.customer, subscription=due.id, wake_in=wake_in
        )
        return "ended" if ended else "nothing_to_do"
    if due.kind is Upload:
        return expire_upload(services, customer=due.customer, upload=due.id)
    if due.kind is PrivacyRequest:
        return advance_request(services, customer=due.customer, request=due.id)
    if due.kind is RefundCase:
        return strike_clocks(services, customer=due.customer, case=due.id)
    raise BrokenInvariantError(f"a {due.kind.__name__} is never due")
