"""The edge of inbound mail: what SES tells a function about each message that it received."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.mail_verdict import MailReceipt, Verdict
from shared.runtime.observability import count
from shared.runtime.sqs import quietly


def mails(
    metric: str, work: Callable[[MailReceipt], str]
) -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """A Lambda handler for SES's receipts; a failure is raised, so that Lambda tries again."""

    @quietly
    def handle(event: dict[str, Any], _context: Any) -> dict[str, int]:
        outcomes: dict[str, int] = {}
        for record in event["Records"]:
            outcome = "failed"
            try:
                outcome = work(receipt_of(record["ses"]))
            finally:
                count(metric, outcome=outcome)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        return outcomes

    return handle


def receipt_of(told: Mapping[str, Any]) -> MailReceipt:
    """SES's members as a receipt; a verdict that it does not name proves nothing."""
    mail, receipt = told["mail"], told["receipt"]
    return MailReceipt(
        message=mail["messageId"],
        envelope_from=mail.get("source") or "",
        spf=_verdict(receipt, "spf"),
        dkim=_verdict(receipt, "dkim"),
        dmarc=_verdict(receipt, "dmarc"),
        spam=_verdict(receipt, "spam"),
        virus=_verdict(receipt, "virus"),
    )


def _verdict(receipt: Mapping[str, Any], name: str) -> Verdict:
    status = (receipt.get(f"{name}Verdict") or {}).get("status")
    known = set(Verdict)
    return Verdict(status) if status in known else Verdict.PROCESSING_FAILED
