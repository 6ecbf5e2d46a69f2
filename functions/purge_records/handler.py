"""Delete what is past its term, once a night; a legal hold wins over every term.

Trigger: the EventBridge schedule; a run that fails or is missed is made good by the next.
Outcomes: counted in `Purges`: purged, capped (more is left for the next run), nothing, or refused,
when it would have deleted more than its share of the table; a refused run deletes nothing.
"""

from typing import Any

from shared.application.privacy.purge_records import purge_records
from shared.domain.privacy_records import PurgeReport
from shared.runtime.bootstrap import services_for
from shared.runtime.observability import logger
from shared.runtime.settings import Table
from shared.runtime.sqs import each, quietly


@quietly
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """One run; what came of it."""
    services = services_for(Table)
    return each("Purges", [purge_records(services)], tell)


def tell(report: PurgeReport) -> str:
    """Log what a run did; the word under which it is counted."""
    logger().info(
        "records past their term",
        looked_at=report.looked_at,
        past_term=report.past_term,
        deleted=report.deleted,
        held=report.held,
    )
    return report.outcome
