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
    if path:
        event["pathParameters"] = path
    if jwt is not None:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": jwt, "scopes": None}}
    return event


def sqs_event(*bodies: Any) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0"},
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }
