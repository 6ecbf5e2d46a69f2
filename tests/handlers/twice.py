"""Whoever repeats a call under its key is given the first answer, and nothing is done again."""

import json
from typing import Any

from tests.infrastructure.openapi import DOCUMENT

_KEY = {"$ref": "#/components/parameters/IdempotencyKey"}
KEYED = {
    f"{method.upper()} {path}"
    for path, methods in DOCUMENT["paths"].items()
    for method, one in methods.items()
    if method != "parameters" and _KEY in one.get("parameters", [])
}


def answer_of(handler: Any, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """What a handler answers; a call under a key, if it is taken, is made twice."""
    answer = handler(event, None)
    if event["routeKey"] in KEYED and answer["statusCode"] < 300:
        again = handler(event, None)
        first = answer["statusCode"], answer["body"]
        assert (again["statusCode"], again["body"]) == first, event["routeKey"]
        assert again["headers"].get("idempotency-replayed") == "true", event["routeKey"]
    return answer["statusCode"], json.loads(answer["body"])
