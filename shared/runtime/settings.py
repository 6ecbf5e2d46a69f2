"""Settings: the only place that reads the environment.

Each part is a small frozen class; a function names the parts it needs, and they are read at its
first invocation, with every fault reported at once.
"""

import os
from dataclasses import dataclass, fields
from typing import TypeVar, cast

P = TypeVar("P")


class SettingsError(Exception):
    """Settings are missing or malformed; the message names all of them."""


@dataclass(frozen=True, slots=True)
class Common:
    """Every function's."""

    environment: str
    livemode: bool
    incarnation: int
    policy: str


@dataclass(frozen=True, slots=True)
class Table:
    """The table."""

    table_name: str


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects queues, one a lane."""

    money_effects_queue_url: str
    cancellation_effects_queue_url: str
    notification_effects_queue_url: str
    privacy_effects_queue_url: str
    evidence_effects_queue_url: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How many changes a second a function's workers together may send, and how many there are."""

    stripe_calls_per_second: int
    workers: int

    @property
    def seconds_per_change(self) -> float:
        """How far apart the changes of one worker are at least."""
        return self.workers / self.stripe_calls_per_second


@dataclass(frozen=True, slots=True)
class Stripe:
    """Stripe's API."""

    stripe_api_key_arn: str
    stripe_api_base: str


@dataclass(frozen=True, slots=True)
class Vault:
    """Where content is sealed: the table of wrapped data keys, and the KMS key that wraps them."""

    vault_table_name: str
    vault_key_arn: str


@dataclass(frozen=True, slots=True)
class Files:
    """Customers' files: what they sent, what is on its way in, and archives for export."""

    content_bucket: str
    incoming_bucket: str
    archive_bucket: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """The bucket into which SES puts mails, and the address that our own come from."""

    inbound_bucket: str
    own_address: str


@dataclass(frozen=True, slots=True)
class SignIns:
    """The stack's own user pool and its issuer; ``none`` where it has no pool."""

    own_issuer: str
    user_pool_id: str


@dataclass(frozen=True, slots=True)
class Uploads:
    """The bucket that customers' files are uploaded to, and the one that they are kept in."""

    upload_bucket: str
    sealed_bucket: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """The webhook's way in."""

    stripe_events_queue_url: str
    parked_events_queue_url: str
    stripe_webhook_secret_arn: str


@dataclass(frozen=True, slots=True)
class Messages:
    """Mails and domain events."""

    event_bus_name: str
    mail_from: str
    mail_configuration_set: str
    escalation_to: str


@dataclass(frozen=True, slots=True)
class CustomerApi:
    """The scope that a customer's access token must have."""

    customer_scope: str


@dataclass(frozen=True, slots=True)
class ServiceApi:
    """The scope that a service's access token must have."""

    service_scope: str


@dataclass(frozen=True, slots=True)
class StaffApi:
    """The claim of an access token that lists the groups of a member of staff."""

    groups_claim: str


class Settings:
    """The parts that a function has asked for."""

    def __init__(self, parts: dict[type, object]) -> None:
        self._parts = parts

    def has(self, part: type) -> bool:
        """Whether the function asked for it."""
        return part in self._parts

    def get(self, part: type[P]) -> P:
        """The part of that type.

        Raises:
            SettingsError: the function did not ask for it.
        """
        if part not in self._parts:
            raise SettingsError(f"this function does not name {part.__name__} among its settings")
        return cast("P", self._parts[part])


def read_settings(*parts: type) -> Settings:
    """The parts, from the environment.

    Raises:
        SettingsError: with all that is missing or malformed.
    """
    faults: list[str] = []
    read = {part: _read(part, faults) for part in parts}
    if faults:
        raise SettingsError("; ".join(faults))
    return Settings({part: part(**values) for part, values in read.items()})


def _read(part: type, faults: list[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for field in fields(part):
        name = field.name.upper()
        text = os.environ.get(name, "")
        if not text:
            faults.append(f"{name} is not set")
        elif field.type is bool and text not in ("true", "false"):
            faults.append(f"{name} is {text!r}, not true or false")
        elif field.type is int and not text.isdecimal():
            faults.append(f"{name} is {text!r}, not a whole number")
        else:
            values[field.name] = _typed(field.type, text)
    return values


def _typed(kind: object, text: str) -> object:
    if kind is bool:
        return text == "true"
    return int(text) if kind is int else text
