"""The edge of mail feedback: what the rules on SES's events leave of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.application.record_mail_trouble import Feedback
from shared.domain.mail_trouble import Trouble

# SES's bounce types; of `Undetermined` it cannot tell whether it is for good.
_BOUNCES = {"Permanent": Trouble.BOUNCED}


def feedback_of(message: Mapping[str, Any]) -> Feedback:
    """A message of the queue, as the rules' templates write it: tags come as lists of one."""
    if message["event"] == "Complaint":
        trouble, detail = Trouble.COMPLAINED, "complaint"
    else:
        trouble = _BOUNCES.get(message["kind"], Trouble.UNDELIVERED)
        detail = f"{message['kind']} {message['detail']}"
    return Feedback(
        customer=message["customer"][0],
        mail=message["message"][0],
        trouble=trouble,
        at=datetime.fromisoformat(message["at"]).replace(microsecond=0),
        detail=detail,
        address=message["address"][0],
    )
