"""What is due now: subscriptions at their end, effects whose next attempt has come.

Trigger: the EventBridge schedule, every minute; firing it twice or late changes nothing.
Returns: how many subscriptions were ended, effects woken, and candidates found unchanged.
"""

from dataclasses import asdict
from typing import Any

from shared.application.do_due_work import do_due_work
from shared.runtime.bootstrap import services_for
from shared.runtime.observability import logger
from shared.runtime.settings import Effects, Table


def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """One run over the due index."""
    report = asdict(do_due_work(services_for(Table, Effects)))
    logger().info("due work done", **report)
    return report
