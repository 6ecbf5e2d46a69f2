"""Mails through SES, written from the templates in `shared/mails`, as text and as HTML.

A folder is a language; where a template is not translated, the English one is sent. The HTML is
made of the text, every sign of it escaped, so that both say the same and no value becomes markup.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from shared.adapters.aws_errors import translated
from shared.domain.errors import BrokenInvariantError
from shared.domain.mail_trouble import address_digest

_MAILS = Path(__file__).parent.parent / "mails"
_SUBJECT = "Subject: "
DEFAULT = "en"
# What SES takes as the value of a tag; whoever's id is none of these is nobody's mail to it.
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as it goes out."""

    language: str
    subject: str
    text: str
    html: str


def render(template: str, values: Mapping[str, str], language: str | None = None) -> Rendered:
    """A mail in the language asked for (`de`, `de-AT`), if there is one, else in English.

    A value `name@de` stands in for `name` in German. A line `Label: $name` whose value is empty is
    left out.

    Raises:
        BrokenInvariantError: there is no such template, or it wants a value that is missing.
    """
    spoken = _language(template, language)
    known = {name: value for name, value in values.items() if "@" not in name}
    known |= {
        name.partition("@")[0]: v for name, v in values.items() if name.endswith(f"@{spoken}")
    }
    try:
        head, body = (_MAILS / spoken / f"{template}.txt").read_text("utf-8").split("\n\n", 1)
        lines = [line for line in body.splitlines() if not _is_empty(line, known)]
        subject = Template(head.removeprefix(_SUBJECT)).substitute(known)
        text = Template("\n".join(lines) + "\n").substitute(known)
    except (OSError, KeyError, ValueError) as error:
        raise BrokenInvariantError(f"mail {template}: {error}") from error
    return Rendered(spoken, " ".join(subject.split()), text, _page(spoken, subject, text))


def _language(template: str, wanted: str | None) -> str:
    short = (wanted or DEFAULT).partition("-")[0].lower()
    there = short.isalpha() and (_MAILS / short / f"{template}.txt").is_file()
    return short if there else DEFAULT


def _is_empty(line: str, values: Mapping[str, str]) -> bool:
    label, _, name = line.partition(": $")
    return label.isprintable() and name.isidentifier() and values.get(name) == ""


def _page(language: str, subject: str, text: str) -> str:
    paragraphs = "".join(
        "<p>" + "<br>".join(html.escape(line) for line in part.splitlines()) + "</p>"
        for part in text.split("\n\n")
        if part.strip()
    )
    layout = Template((_MAILS / "layout.html").read_text("utf-8"))
    return layout.substitute(language=language, subject=html.escape(subject), body=paragraphs)


class SesMailer:
    """`shared.ports.Mailer` on SES v2; the message id travels as a header.

    It travels as a tag too, with the customer and a digest of the address: SES's events of the
    configuration set carry the tags, so that nothing else of such an event has to be kept.
    """

    def __init__(self, client: Any, sender: str, configuration_set: str) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(
        self,
        *,
        to: str,
        template: str,
        values: Mapping[str, str],
        message_id: str,
        customer: str,
        language: str | None = None,
    ) -> None:
        """See `Mailer`."""
        mail = render(template, values, language)
        with translated("mail"):
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to]},
                ConfigurationSetName=self._configuration_set,
                EmailTags=[
                    {"Name": name, "Value": value if _TAG.fullmatch(value) else NOBODY}
                    for name, value in (
                        ("customer", customer),
                        ("message", message_id),
                        ("address", address_digest(customer, to)),
                    )
                ],
                Content={
                    "Simple": {
                        "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                        "Body": {
                            "Text": {"Data": mail.text, "Charset": "UTF-8"},
                            "Html": {"Data": mail.html, "Charset": "UTF-8"},
                        },
                        "Headers": [{"Name": "X-Fairexit-Message", "Value": message_id}],
                    }
                },
            )
