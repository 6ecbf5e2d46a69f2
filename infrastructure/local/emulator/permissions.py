"""IAM: two rights that MiniStack asks for under other names than AWS, and TLS that it lacks."""

# ruff: noqa: SLF001 -- a shim reaches for private names by its nature; the version is asserted

import json
from typing import Any

from ministack.core import iam_actions, iam_evaluator

SEND_MAIL = "/v2/email/outbound-emails"


def install() -> None:
    """Make the shims; the functions are looked up by name at each call."""
    iam_evaluator.pin_request_origin = over_tls(iam_evaluator.pin_request_origin)
    iam_actions.extract_iam_action = single_action(iam_actions.extract_iam_action)
    iam_actions.extract_resource_arn = sending_identity(iam_actions.extract_resource_arn)
    iam_evaluator._resolve_condition_key = as_if_encrypted(iam_evaluator._resolve_condition_key)


def over_tls(pin: Any) -> Any:
    """Let a request over the loopback interface count as encrypted, as every one on AWS is.

    A bucket's policy that denies what is not (`aws:SecureTransport`) would deny everything here.
    """

    def wrapped(source_ip: str, _secure_transport: bool) -> None:  # noqa: FBT001 - as there
        pin(source_ip, True)  # noqa: FBT003 - as there

    return wrapped


def single_action(action_of: Any) -> Any:
    """Ask `sqs:SendMessage` for SendMessageBatch, and so on: there is no action for a batch.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
    """

    def wrapped(*request: Any) -> str | None:
        action: str | None = action_of(*request)
        if action and action.startswith("sqs:"):
            return action.removesuffix("Batch")
        return action

    return wrapped


def sending_identity(resource_of: Any) -> Any:
    """Authorise a mail on the identity that it is sent from, not on all resources.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsesv2.html
    """

    def wrapped(*request: Any) -> str:
        service, _, path, _, body, _, region, account = request
        if service == "ses" and path == SEND_MAIL:
            sender = json.loads(body)["FromEmailAddress"]
            return f"arn:aws:ses:{region}:{account}:identity/{sender}"
        resource: str = resource_of(*request)
        return resource

    return wrapped


def as_if_encrypted(resolve: Any) -> Any:
    """Let requests pass that a bucket refuses unless they are encrypted: loopback needs no TLS."""

    def wrapped(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else resolve(key, context)

    return wrapped
