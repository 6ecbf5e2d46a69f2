"""API Gateway and SQS events as AWS sends them, with keyword defaults."""

import base64
import json
from typing import Any

ISSUER = "https://issuer.example"


def claims(**change: Any) -> dict[str, str]:
    return {
        "iss": ISSUER,
        "sub": "user-1",
        "token_use": "access",
        "scope": "openid customer",
    } | change


def http_event(
    route: str,
    *,
    body: Any = None,
    raw: bytes | None = None,
    headers: dict[str, str] | None = None,
    path: dict[str, str] | None = None,
    jwt: dict[str, str] | None = None,
    encoded: bool = False,
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    content = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
    text = base64.b64encode(content).decode() if encoded else content.decode("utf-8", "replace")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "headers": headers or {},
        "requestContext": {"routeKey": route},
        "body": text,
        "isBase64Encoded": encoded,
    }
    if query:
        event["queryStringParameters"] = query
    if path:
        event["pathParameters"] = path
    if jwt is not None:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": jwt, "scopes": None}}
    return event


class Context:
    """What Lambda tells of an invocation, as far as a handler asks; a minute is left."""

    def __init__(self, *remaining_seconds: float) -> None:
        self._remaining = [seconds * 1000 for seconds in remaining_seconds] or [60_000]

    def get_remaining_time_in_millis(self) -> int:
        """What was given, one value a time, the last one for ever."""
        return int(self._remaining.pop(0) if len(self._remaining) > 1 else self._remaining[0])


def sqs_event(*bodies: Any, received: int = 1) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(received), "SentTimestamp": "0"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
