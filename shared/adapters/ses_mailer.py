"""Mails through SES, written from the templates in `shared/mails`."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from shared.adapters.aws_errors import translated
from shared.domain.errors import BrokenInvariantError

_MAILS = Path(__file__).parent.parent / "mails" / "en"
_SUBJECT = "Subject: "


def render(template: str, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text of a mail.

    Raises:
        BrokenInvariantError: there is no such template, or it wants a value that is missing.
    """
    try:
        head, text = (_MAILS / f"{template}.txt").read_text("utf-8").split("\n\n", 1)
        subject = Template(head.removeprefix(_SUBJECT)).substitute(values)
        return subject, Template(text).substitute(values)
    except (OSError, KeyError, ValueError) as error:
        raise BrokenInvariantError(f"mail {template}: {error}") from error


class SesMailer:
    """`shared.ports.Mailer` on SES v2; the message id travels as a header."""

    def __init__(self, client: Any, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, *, to: str, template: str, values: Mapping[str, str], message_id: str) -> None:
        """See `Mailer`."""
        subject, text = render(template, values)
        with translated("mail"):
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to]},
                Content={
                    "Simple": {
                        "Subject": {"Data": subject},
                        "Body": {"Text": {"Data": text}},
                        "Headers": [{"Name": "X-Fairexit-Message", "Value": message_id}],
                    }
                },
            )
