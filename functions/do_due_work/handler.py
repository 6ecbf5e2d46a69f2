"""What is due now: subscriptions at their end, effects whose next attempt has come.

Trigger: the EventBridge schedule, every minute; firing it twice or late changes nothing.
Returns: how many pieces were ended, woken, found with nothing to do, or failed; a failed one is
logged, counted in `DueWork`, and due again at the next run.
"""

from functools import partial
from typing import Any

from shared.application.do_due_work import do_due_work, find_due_work
from shared.runtime.bootstrap import services_for
from shared.runtime.settings import Effects, Table
from shared.runtime.sqs import each, quietly


@quietly
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """One run over the due index."""
    services = services_for(Table, Effects)
    return each("DueWork", find_due_work(services), partial(do_due_work, services))
