"""What is due now: subscriptions at their end, effects whose next attempt has come.

Trigger: the EventBridge schedules, every minute, one for each part of the due index; firing one
twice or late changes nothing.
Returns: how many pieces were ended, woken, found with nothing to do, or failed; a failed one is
logged, counted in `DueWork`, and due again at the next run, as is what was not begun in time.
"""

from itertools import takewhile
from typing import Any

from shared.application.do_due_work import do_due_work, find_due_work, spread
from shared.runtime.bootstrap import services_for
from shared.runtime.settings import Effects, Table
from shared.runtime.sqs import each, quietly

# No piece asks Stripe: it is a few calls on the table and the queues.
ENOUGH_MILLISECONDS = 15_000


@quietly
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """One run over its part of the due index."""
    services = services_for(Table, Effects)
    parts = event.get("parts", 1)
    found = find_due_work(services, part=event.get("part", 0), parts=parts)
    in_time = takewhile(
        lambda _: context.get_remaining_time_in_millis() >= ENOUGH_MILLISECONDS,
        spread(services, found, parts=parts),
    )
    return each("DueWork", in_time, lambda piece: do_due_work(services, *piece))
