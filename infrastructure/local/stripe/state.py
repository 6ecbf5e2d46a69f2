"""The state: tables of plain objects, identifiers, what is due, and the events of every change."""

import hashlib
import heapq
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.errors import missing
from infrastructure.local.stripe.sdk import Sdk

Json: TypeAlias = dict[str, Any]

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
EMBEDDED_MAX = 10
# Sent only when there is something to say, or on expansion (recorded); all else is null when unset.
SILENT = {
    "invoice": {"payments", "confirmation_secret", "amount_paid_off_stripe", "status_details"},
    "charge": {"refunds", "level3", "authorization_code", "presentment_details", "transfer"},
    "customer": {"subscriptions", "sources", "tax_ids", "tax", "cash_balance", "discount"},
    "payment_intent": {"hooks", "presentment_details", "payment_details", "managed_payments"},
    "refund": {"failure_reason", "failure_balance_transaction", "instructions_email"},
    "subscription": {"presentment_details", "status_details", "managed_payments"},
    "event": {"account", "context"},
    "webhook_endpoint": {"secret"},
    "payment_link": {"line_items"},
    "checkout.session": {"line_items", "branding_settings"},
}


# How identifiers begin (recorded, probe, documentation); older disputes have dp (recorded).
_PREFIXES = (
    "balance_transaction=txn charge=ch checkout.session=cs_test coupon=coupon credit_note=cn"
    " customer=cus customer_balance_transaction=cbtxn discount=di dispute=du event=evt"
    " file=file invoice=in invoice_payment=inpay invoiceitem=ii payment_intent=pi"
    " payment_link=plink payment_method=pm payment_record=pr price=price product=prod"
    " radar.early_fraud_warning=issfr refund=re subscription=sub subscription_item=si"
    " tax_rate=txr test_helpers.test_clock=clock v2.core.event_destination=ed_test"
    " webhook_endpoint=we"
)
PREFIXES = dict(pair.split("=") for pair in _PREFIXES.split())

# What the dashboard would set: how collection ends, and what Stripe charges and allows.
SETTINGS: dict[str, Any] = {
    "after_retries": "past_due",  # or unpaid, canceled (documentation)
    "counter_fee": False,  # test mode shows none (probe)
    "eventbridge_url": None,  # where events for amazon_eventbridge destinations are posted
    "invoice_after_retries": "open",  # or uncollectible (documentation)
    "overdue_days": None,  # from the due date to invoice.overdue; an automation (changelog)
    "rate_limit": None,  # requests a second; Stripe's sandbox has 25 (documentation)
    "search_lag_seconds": 0,  # until a new object is found by a search; up to 60 (documentation)
    "smart_disputes": False,  # whether Stripe may answer disputes with its own packet (changelog)
    "unanswered_disputes": "wait",  # or lost, at their deadline (documentation)
    "upcoming_days": None,  # from invoice.upcoming to the renewal; a choice of the dashboard
}


class Thing(dict[str, Any]):
    """An object that notes that it was touched, so that what a request changed is known."""

    __slots__ = ("touched",)

    def __init__(self, values: Json, touched: dict[str, "Thing"]) -> None:
        super().__init__(values)
        self.touched = touched
        touched[self["id"]] = self

    def __setitem__(self, name: str, value: Any) -> None:
        self.touched[self["id"]] = self
        super().__setitem__(name, value)

    def __ior__(self, values: Any) -> Self:  # type: ignore[override,misc]
        self.update(values)
        return self

    def update(self, *args: Any, **values: Any) -> None:
        """As dict.update."""
        self.touched[self["id"]] = self
        super().update(*args, **values)


@dataclass(slots=True)
class Cause:
    """The request that events name as their cause; both members are null for the clock's work."""

    request: str | None = None
    idempotency_key: str | None = None


@dataclass(slots=True)
class Delivery:
    """An event on its way to an endpoint."""

    endpoint: str
    url: str
    secrets: tuple[str, ...]  # two while a rolled one still holds
    event: str
    body: bytes


@dataclass(order=True, slots=True)
class Due:
    """Work for an instant; at the same instant the lower rank goes first."""

    at: int
    rank: int
    sequence: int
    task: str = field(compare=False)
    subject: str = field(compare=False)


class Store:
    """Everything the local Stripe knows. Not thread-safe: the server's one lock guards it."""

    def __init__(self, sdk: Sdk, clock: Clock) -> None:
        self.sdk = sdk
        self.clock = clock
        self.cause = Cause()
        self.settings = dict(SETTINGS)
        self.tables: dict[str, dict[str, Json]] = {}
        self.deleted: dict[str, Json] = {}  # customers, as they are shown once they are gone
        self.touched: dict[str, Thing] = {}  # what the request at hand changed
        self.told: dict[str, str] = {}  # each object as its latest event showed it
        self.private: dict[Any, Any] = {}  # what Stripe knows of an object and never shows
        self.outbox: list[Delivery] = []
        self.violations: list[str] = []
        self.on_event: Callable[[Json], None] = lambda _event: None
        self.generates: Callable[[str], bool] = lambda _kind: True
        self._due: list[Due] = []
        self._counters: dict[str, int] = {}

    # -- time

    def now(self) -> int:
        """The virtual instant in whole seconds, as Stripe stamps things."""
        return int(self.clock.now())

    def schedule(self, at: int, task: str, subject: str, *, rank: int = 1) -> None:
        """Asks for `task` on `subject` at an instant; the task checks that it still holds."""
        heapq.heappush(self._due, Due(at, rank, self._count("due"), task, subject))

    def next_due(self, until: float) -> Due | None:
        """Takes the earliest work due at or before `until`."""
        if self._due and self._due[0].at <= until:
            return heapq.heappop(self._due)
        return None

    # -- objects

    def _count(self, name: str) -> int:
        self._counters[name] = self._counters.get(name, 0) + 1
        return self._counters[name]

    def identifier(self, prefix: str) -> str:
        """Stripe's prefix and 24 characters that depend only on how many came before."""
        digest = hashlib.sha256(f"{prefix}{self._count(prefix)}".encode()).digest()
        return f"{prefix}_" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:24])

    def add(self, kind: str, identifier: str | None = None, /, **values: Any) -> Json:
        """Keeps a new object: the SDK's fields as null or empty, then `values`."""
        reference = self.sdk.object_reference(kind)
        fields = self.sdk.record(reference).keys() - SILENT.get(kind, set()) - {"deleted"}
        thing = {
            **{name: empty for name, empty in self.sdk.blank(reference).items() if name in fields},
            "id": identifier or self.identifier(PREFIXES[kind]),
            "object": kind,
            "created": self.now(),
            "livemode": False,
        }
        # InvoiceItem has `date` and Refund no `livemode` (SDK).
        known = {name: value for name, value in thing.items() if name in fields} | values
        if "metadata" in fields:
            known["metadata"] = merge_metadata({}, values.get("metadata"))
        thing = Thing(known, self.touched)
        self.tables.setdefault(kind, {})[thing["id"]] = thing
        return thing

    def get(self, kind: str, identifier: str, param: str = "id") -> Json:
        """The object, or Stripe's 404."""
        found = self.tables.get(kind, {}).get(identifier)
        if found is None:
            raise missing(kind, identifier, param)
        return found

    def find(self, identifier: str) -> Json | None:
        """Any object by its identifier."""
        for table in self.tables.values():
            if identifier in table:
                return table[identifier]
        return None

    def rows(self, kind: str) -> Iterator[Json]:
        """All of a kind, the newest first, which is the order of Stripe's lists (documentation)."""
        return reversed(self.tables.get(kind, {}).values())

    def drop(self, thing: Json) -> Json:
        """Deletes; the answer is what Stripe sends for a deleted object (recorded)."""
        del self.tables[thing["object"]][thing["id"]]
        self.touched.pop(thing["id"], None)
        return {"id": thing["id"], "object": thing["object"], "deleted": True}

    # -- change and events

    def change(self, thing: Json, event: str | None = None, **values: Any) -> Json:
        """Sets fields; when any differs and `event` is named, emits it with the previous values."""
        before = {name: snapshot(thing.get(name)) for name in values}
        thing.update(values)
        previous = difference(before, {name: thing[name] for name in values})
        if event is not None and previous:
            # `charge.refunded` carries them too (older samples of real webhooks).
            told = event.endswith("updated") or event == "charge.refunded"
            self.emit(event, thing, previous if told else None)
        return thing

    def emit(self, kind: str, thing: Json, previous: Json | None = None) -> None:
        """Records an event with a snapshot taken now; a change without an event is a defect."""
        shown = picture(thing)
        self.told[thing["id"]] = json.dumps(shown, sort_keys=True)
        data: Json = {"object": shown}
        if previous is not None:
            data["previous_attributes"] = previous
        if not self.generates(kind):
            return
        event = self.add(
            "event",
            api_version=self.sdk.api_version,
            data=data,
            pending_webhooks=0,
            request={"id": self.cause.request, "idempotency_key": self.cause.idempotency_key},
            type=kind,
        )
        self.on_event(event)


def snapshot(value: Any) -> Any:
    """A deep copy of JSON; faster than copy.deepcopy."""
    return json.loads(json.dumps(value))


def picture(thing: Json) -> Json:
    """A copy as it is shown: only ten lines are embedded, the rest is listed (documentation)."""
    copy: Json = snapshot(thing)
    lines = copy.get("lines")
    if isinstance(lines, dict) and len(lines["data"]) > EMBEDDED_MAX:
        copy["lines"] = {**lines, "data": lines["data"][:EMBEDDED_MAX], "has_more": True}
    return copy


def difference(before: Json, after: Json) -> Json:
    """The earlier values of what changed: hashes member by member, lists whole (SDK, recorded)."""
    previous: Json = {}
    for name, old in before.items():
        new = after.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            previous[name] = difference(old | dict.fromkeys(new.keys() - old.keys()), new)
        else:
            previous[name] = old
    return previous


def merge_metadata(current: Json, given: Json | str | None) -> Json:
    """Keys are set one by one, an empty value unsets, an empty string clears (SDK docstring)."""
    if given is None:
        return current
    if isinstance(given, str):
        return {}
    merged = {**current, **given}
    return {key: value for key, value in merged.items() if value != ""}
