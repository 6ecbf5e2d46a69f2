"""Where a local function dies: before or after one of its calls over the wire, or its answer.

Loaded by the Lambda host alone, from beside it; no packaged code knows of it. The plans are files
in one folder, so that workers which are warm see a plan from the moment it is written: a plan is
`<name>.json` with

    function  the function's folder, as its log group names it; absent: any
    call      what is sent ("TransactWriteItems", "POST /v1/refunds", "answer"); absent: any change
    about     texts of which the request must hold one: ids of a customer and its objects
    holding   a text that it must hold as well; absent: none
    nth       which of the matching calls it is, counted over all workers from 1; 0 only counts
    when      "before" the request leaves, or "after" the response has come and before it is read

and counts its matches in `<name>.count`, one byte each.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from urllib3.connectionpool import HTTPConnectionPool

ANSWER = "answer"
READINGS = frozenset({"GetItem", "Query", "GetSecretValue"})

Die = Callable[[], None]


def name_of(method: str, url: str, headers: Any) -> str:
    """Name a request: the operation of an AWS service, or method and path."""
    target = dict(headers or {}).get("X-Amz-Target", "")
    if isinstance(target, bytes):
        target = target.decode()
    operation: str = target.rpartition(".")[2]
    return operation or f"{method} {url.partition('?')[0]}"


def changes_something(call: str) -> bool:
    """Whether a call of this name may change the world."""
    return call not in READINGS and not call.startswith("GET ")


class CrashPoints:
    """The plans of a folder, as one worker follows them."""

    def __init__(self, folder: Path, die: Die = lambda: os._exit(137)) -> None:
        self._folder = folder
        self._die = die
        self._function = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "").rpartition("/")[2]

    def pass_by(self, call: str, text: str) -> list[str]:
        """Count a call that is about to be made; the moments at which one has to die of it."""
        moments = []
        for file, plan in self._plans():
            if self._matches(plan, call, text) and self._count(file) == plan["nth"]:
                moments.append(str(plan["when"]))
        return moments

    def answers(self, event: str, answer: str) -> list[str]:
        """The same for an answer that is about to be given; who only reads loses nothing by it."""
        reads = str(json.loads(event or "{}").get("routeKey", "")).startswith("GET ")
        return self.pass_by(f"GET {ANSWER}" if reads else ANSWER, f"{event} {answer}")

    def die_if(self, moment: str, moments: list[str]) -> None:
        """Die at this moment, if one has to."""
        if moment in moments:
            self._die()

    def _plans(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for file in self._folder.glob("*.json"):
            yield file, json.loads(file.read_text())

    def _matches(self, plan: dict[str, Any], call: str, text: str) -> bool:
        return (
            plan.get("function") in (None, self._function)
            and (changes_something(call) if plan.get("call") is None else plan["call"] == call)
            and any(name in text for name in plan["about"])
            and plan.get("holding", "") in text
        )

    @staticmethod
    def _count(file: Path) -> int:
        """Count one more; appending gives each worker a place of its own."""
        counter = os.open(file.with_suffix(".count"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(counter, b".")
            return os.lseek(counter, 0, os.SEEK_CUR)
        finally:
            os.close(counter)


def install(folder: Path) -> CrashPoints:
    """Let every request of boto3 and of Stripe's SDK pass by the crash points."""
    points, send = CrashPoints(folder), HTTPConnectionPool.urlopen

    def urlopen(self: Any, method: str, url: str, body: Any = None, *rest: Any, **more: Any) -> Any:
        headers = rest[0] if rest else more.get("headers")
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
        moments = points.pass_by(name_of(method, url, headers), f"{url} {text}")
        points.die_if("before", moments)
        answer = send(self, method, url, body, *rest, **more)
        points.die_if("after", moments)
        return answer

    HTTPConnectionPool.urlopen = urlopen  # type: ignore[method-assign]
    return points
