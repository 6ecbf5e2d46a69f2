"""SES: a role may send from the identities that its policy names."""

# ruff: noqa: SLF001 -- a shim reaches for private names by its nature; the version is asserted

import json

from ministack.core import iam_actions

SEND = "/v2/email/outbound-emails"


def install() -> None:
    """Authorise SendEmail on the sender's identity.

    AWS names the identity of the from-address as the resource; MiniStack names "*", which no
    policy with an identity's ARN allows.
    """
    known = iam_actions._ses_v2_resource_arn

    def resource(method: str, path: str, body: bytes, region: str, account_id: str) -> str:
        if path.rstrip("/") != SEND:
            return str(known(method, path, body, region, account_id))
        sender = json.loads(body).get("FromEmailAddress", "")
        return f"arn:aws:ses:{region}:{account_id}:identity/{sender}"

    iam_actions._ses_v2_resource_arn = resource
