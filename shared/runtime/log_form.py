"""The form of a log line: what is not on the list does not get out.

Fields are ids, codes and counts. Of an exception stand its class, where it was raised, and its
text if it is our own, which names nobody; the text of others may quote whatever they were given.
"""

import json
import logging
import re
import traceback
from typing import Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from shared.domain.errors import FairexitError

_ALWAYS = ("level", "location", "message", "timestamp", "service", "xray_trace_id")
FIELDS = frozenset(
    {
        "currency",
        "customer",
        "day",
        "deleted",
        "detail",
        "held",
        "kind",
        "looked_at",
        "message_id",
        "note",
        "outcome",
        "past_term",
        "reason",
        "rest",
        "route",
        "step",
        "subject",
        "what",
    }
)
# A mail address, and what is too long to be an id or a code.
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_LONGEST = 300
_WITHHELD = "[withheld]"


class AllowList(LambdaPowertoolsFormatter):
    """Powertools' JSON, less everything that is not listed."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        log: dict[str, Any] = json.loads(super().format(record))
        kept = {name: log[name] for name in _ALWAYS if name in log}
        kept |= {name: _safe(log[name]) for name in FIELDS & log.keys()}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            kept |= _of(error)
        return json.dumps(kept)


def _of(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    described = {
        "error": type(error).__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    text = _text_of(error)
    return described | ({"cause": _safe(text)} if text else {})


def _text_of(error: BaseException) -> str | None:
    if isinstance(error, FairexitError):
        return str(error)
    # botocore's: which operation was refused, and by which code.
    response, operation = getattr(error, "response", None), getattr(error, "operation_name", None)
    if isinstance(response, dict) and operation:
        return f"{operation}: {response.get('Error', {}).get('Code')}"
    return None


def _safe(value: Any) -> Any:
    if isinstance(value, str) and (len(value) > _LONGEST or _ADDRESS.search(value)):
        return _WITHHELD
    return value
