"""Every port: what the use cases need of the world, as Protocols; personal_ports.py has the rest.

Adapters raise the errors of `shared.domain.errors` and nothing else that a caller could handle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Generic, Protocol, TypeVar

from shared.dispute_ports import DisputeBilling, Renderer
from shared.domain.bill import Bill
from shared.domain.contact import Contact
from shared.domain.effects import Effect
from shared.domain.facts import Case
from shared.domain.invoice import CreditNoteLine, InvoiceFacts, PaymentFacts, PendingCharge
from shared.domain.policy import Policy
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts
from shared.personal_ports import Files, Inbox, People, Scanner, SignIns, Uploads, Vault

R = TypeVar("R")


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """The present as an aware UTC instant."""
        ...

    def pause(self, longest_seconds: float) -> None:
        """Wait for a random time, at most this long, so that rivals come back apart."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait for as long, so that a budget of requests a second is kept."""
        ...


class Ids(Protocol):
    """Fresh identifiers (ULIDs)."""

    def new(self) -> str:
        """An identifier that nobody has used."""
        ...


@dataclass(frozen=True, slots=True)
class Stored(Generic[R]):
    """A record with the version under which it was read; version 0 means absent."""

    record: R
    version: int


@dataclass(frozen=True, slots=True)
class Put:
    """Write `record` if its stored version is still `version` (0: if it is absent)."""

    record: Any
    version: int


@dataclass(frozen=True, slots=True)
class Check:
    """Demand that a record read under `version` has not moved."""

    record: Any
    version: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove `record` if its stored version is still `version`."""

    record: Any
    version: int


Write = Put | Check | Delete


@dataclass(frozen=True, slots=True)
class DueKey:
    """A record whose time has come: which kind it is, whose, and which."""

    kind: type
    customer: str
    id: str


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """A part of a list; `after` is where the next part begins, None when this was the last."""

    rows: tuple[R, ...]
    after: str | None


class Store(Protocol):
    """The table. Reads are strongly consistent, a commit is one transaction."""

    def get(self, kind: type[R], *key: str) -> Stored[R] | None:
        """The record of `kind` under its key parts (customer first), or None."""
        ...

    def get_many(self, kind: type[R], keys: Sequence[tuple[str, ...]]) -> list[Stored[R]]:
        """The records of `kind` that are under these keys (no key twice), in any order.

        Each is read strongly; together they are no snapshot.
        """
        ...

    def all_of(self, kind: type[R], customer: str) -> list[Stored[R]]:
        """All records of `kind` in a customer's partition, in key order."""
        ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Write all or nothing.

        Raises:
            ConflictingWriteError: a version has moved; nothing was written.
            UnavailableError: the table did not take it; nothing was written, as far as is known.
        """
        ...

    def scan(self, after: str | None, *, limit: int) -> "Page[Stored[Any]]":
        """Some records of the whole table, of every kind; dear, and for the purge alone."""
        ...

    def due(self, until: datetime, *, limit: int, part: int = 0, parts: int = 1) -> list[DueKey]:
        """Keys of records due at or before `until` (eventually consistent: candidates only).

        At most `limit` of each shard, of the shards in one of so many equal parts of the index.
        """
        ...

    def queued(self, queue: str, *, limit: int, after: str | None) -> Page[DueKey]:
        """Keys of the records in a queue of people's work, the first due first (likewise).

        Raises:
            InvalidRequestError: `after` is not what a page has named.
        """
        ...


class Billing(DisputeBilling, Protocol):
    """Stripe, read and changed. Mutations take the persisted key of their effect.

    Every method raises UnavailableError, OutcomeUnknownError or RefusedError as it happened.
    """

    def page(self, kind: type[R], *, since: datetime | None, after: str | None) -> Page[R]:
        """One request's worth of all `kind`s that were created from `since` on, the newest first.

        `kind` is one of RefundFacts, DisputeFacts, CreditNoteFacts, SubscriptionFacts (ended ones
        too), MovementFacts, ChargeFacts and ChangeFacts (of the objects whose events we handle).
        """
        ...

    def contact(self, customer: str) -> Contact | None: ...  # noqa: D102
    def subscription(self, subscription: str) -> SubscriptionFacts | None: ...  # noqa: D102
    def subscriptions(self, customer: str) -> list[SubscriptionFacts]: ...  # noqa: D102
    def subscription_invoices(self, subscription: str, after: datetime) -> list[InvoiceFacts]:
        """Invoices of a subscription with a line that ends after `after`, payments included."""
        ...

    def invoice_numbered(self, number: str) -> InvoiceFacts | None:
        """The invoice of that number with its customer, without payments (may lag a minute)."""
        ...

    def paid_invoices(self, customer: str) -> list[InvoiceFacts]:
        """A customer's paid invoices, the first paid first, without payments."""
        ...

    def bill(self, invoice: str) -> Bill | None:
        """An invoice with how its lines were priced and what stands beside it."""
        ...

    def unit_price(self, price: str) -> Fraction | None:
        """A price a unit in exact minor units; None where it depends on how many there are."""
        ...

    def invoice_of(self, customer: str, reference: str) -> InvoiceFacts | None:
        """The customer's finalized invoice with that id or number, payments included."""
        ...

    def open_invoices(self, customer: str) -> list[InvoiceFacts]:
        """Finalized unpaid invoices and drafts of a customer, without payments."""
        ...

    def pending_charges(self, customer: str, subscription: str) -> list[PendingCharge]: ...  # noqa: D102
    def payment(self, payment: str) -> PaymentFacts | None: ...  # noqa: D102
    def refund(self, refund: str) -> RefundFacts | None: ...  # noqa: D102
    def refunds_of(self, payment: str) -> list[RefundFacts]: ...  # noqa: D102
    def credit_note_of(self, invoice: str, operation: str) -> str | None:
        """The credit note that carries `operation` in its metadata, if it exists."""
        ...

    def charge_added(self, customer: str, operation: str) -> str | None:
        """The invoice item that carries `operation` in its metadata, if it exists."""
        ...

    def set_cancel_at_period_end(self, subscription: str, *, cancel: bool, key: str) -> None: ...  # noqa: D102
    def cancel_now(self, subscription: str) -> None: ...  # noqa: D102
    def pause_collection(self, subscription: str, *, key: str) -> None: ...  # noqa: D102
    def resume_collection(self, subscription: str, *, key: str) -> None: ...  # noqa: D102
    def set_auto_advance(self, invoice: str, *, on: bool, key: str) -> None: ...  # noqa: D102
    def void_invoice(self, invoice: str, *, key: str) -> None: ...  # noqa: D102
    def finalize_draft(self, invoice: str, *, key: str) -> None:
        """Finalize a draft without collecting it: Stripe deletes no draft of a subscription."""
        ...

    def remove_charge(self, charge: str) -> None: ...  # noqa: D102
    def add_charge(self, params: Mapping[str, Any], *, operation: str, key: str) -> str: ...  # noqa: D102
    def refund_payment(  # noqa: D102
        self, *, payment: str, amount: int, operation: str, customer: str, key: str
    ) -> RefundFacts: ...
    def issue_credit_note(  # noqa: D102
        self,
        *,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refunds: Sequence[tuple[str, int]],
        credit: int,
        operation: str,
        key: str,
        out_of_band: int = 0,
    ) -> str: ...
    def give_account_credit(
        self, *, customer: str, amount: int, currency: str, operation: str, key: str
    ) -> str:
        """Put `amount` into the customer's balance for future invoices; the entry's id."""
        ...

    def account_credit_of(self, customer: str, operation: str) -> str | None:
        """The balance entry that carries `operation` in its metadata, if it exists."""
        ...

    def preview_credit_note(
        self,
        *,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refund: int,
        credit: int,
        out_of_band: int,
    ) -> int:
        """The total that Stripe would put on such a credit note; nothing is made."""
        ...


class EffectWaker(Protocol):
    """Tells the consumer of each effect's lane that there is work; a lost call costs only time."""

    def wake(self, effects: Sequence[Effect], *, delay_seconds: int = 0) -> None: ...  # noqa: D102


class EventQueue(Protocol):
    """The inbox of Stripe's events, and where events we cannot use are parked."""

    def put(self, envelope: Mapping[str, Any]) -> None: ...  # noqa: D102
    def park(self, envelope: Mapping[str, Any], reason: str) -> None: ...  # noqa: D102


class Mailer(Protocol):
    """Sends one mail from a template; at least once, with a stable message id."""

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
        """Send a mail in the language asked for, where it is translated.

        What comes back of it names `customer`, whose effect it is, and the message.
        """
        ...


class EventBus(Protocol):
    """Publishes a domain event; at least once, with a stable id inside."""

    def publish(self, name: str, detail: Mapping[str, Any]) -> None: ...  # noqa: D102


class Policies(Protocol):
    """The policy packs."""

    def load_policy(
        self, reference: str, now: datetime, told: Mapping[str, datetime] | None = None
    ) -> Policy:
        """The version in force; with `told`, no later version than customers were told of.

        `told` has from when each announced ``id@version`` holds; a pack's first version needs no
        announcement. Without it the packs' own dates decide.
        """
        ...

    def load_policy_for(self, case: Case, told: Mapping[str, datetime] | None = None) -> Policy:
        """The policy that a case names, in the version that the pack's own rule picks."""
        ...


class Services(Protocol):
    """The ports together, as a function's composition root hands them to a use case."""

    @property
    def environment(self) -> str:
        """The environment's name; part of every idempotency key."""
        ...

    @property
    def incarnation(self) -> int:
        """Which life of the table this is; raised by one after each restore from backup."""
        ...

    @property
    def livemode(self) -> bool:
        """Whether this is live money."""
        ...

    @property
    def policy(self) -> str:
        """The policy pack in force."""
        ...

    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def ids(self) -> Ids: ...  # noqa: D102
    @property
    def store(self) -> Store: ...  # noqa: D102
    @property
    def billing(self) -> Billing: ...  # noqa: D102
    @property
    def vault(self) -> Vault: ...  # noqa: D102
    @property
    def people(self) -> People: ...  # noqa: D102
    @property
    def files(self) -> Files: ...  # noqa: D102
    @property
    def mailbox(self) -> Inbox: ...  # noqa: D102
    @property
    def sign_ins(self) -> SignIns: ...  # noqa: D102
    @property
    def uploads(self) -> Uploads: ...  # noqa: D102
    @property
    def scanner(self) -> Scanner: ...  # noqa: D102
    @property
    def waker(self) -> EffectWaker: ...  # noqa: D102
    @property
    def renderer(self) -> Renderer: ...  # noqa: D102
    @property
    def staff_address(self) -> str:
        """Where staff hear of what is late or needs them."""
        ...

    @property
    def mailer(self) -> Mailer: ...  # noqa: D102
    @property
    def bus(self) -> EventBus: ...  # noqa: D102
    @property
    def policies(self) -> Policies: ...  # noqa: D102
