"""The whole API in one process: every route of the template, on fakes of every port."""

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.handlers.events import http_event
from tests.infrastructure import cloudformation

TEMPLATE = cloudformation.load()
_FUNCTIONS = cloudformation.functions(TEMPLATE)
HANDLERS = {
    f"{method} {path}": cloudformation.folder(_FUNCTIONS[name])
    for (method, path), name in cloudformation.routes(TEMPLATE).items()
}


def call(route: str, **event: Any) -> tuple[int, Any, Mapping[str, str]]:
    """Answer of a route: status, body, headers."""
    module = importlib.import_module(f"functions.{HANDLERS[route]}.handler")
    answer = module.lambda_handler(http_event(route, **event), None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def parameters(route: str) -> Iterator[str]:
    """The names in a route's path."""
    for part in route.split("/"):
        if part.startswith("{"):
            yield part.strip("{}")
