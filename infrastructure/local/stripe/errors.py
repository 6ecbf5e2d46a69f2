"""Stripe's refusals: what the body holds and whether the answer is remembered for the key."""

from http import HTTPStatus
from typing import Any


class Refusal(Exception):  # noqa: N818 -- Stripe refuses; nothing here went wrong
    """An answer other than 2xx.

    `executed` is false for what Stripe finds before it runs an endpoint (validation,
    authentication): such answers are not remembered for an idempotency key (documentation).
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        executed: bool = True,
        **more: Any,
    ) -> None:
        """`kind` is the body's `type`; `more` are further members of the error object."""
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.headers: dict[str, str] = {}
        self.error: dict[str, Any] = {"message": message, "type": kind, **more}
        if code is not None:
            self.error |= {"code": code, "doc_url": _doc_url(code)}
        if param is not None:
            self.error["param"] = param

    def body(self, request: str) -> dict[str, Any]:
        """The JSON answer; real bodies carry a link to the request's log (recorded)."""
        log = f"https://dashboard.stripe.com/test/logs/{request}"
        return {"error": dict(sorted((self.error | {"request_log_url": log}).items()))}


def _doc_url(code: str) -> str:
    return f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Refusal:
    """A 400 found while executing."""
    return Refusal(HTTPStatus.BAD_REQUEST, message, param=param, code=code)


# How 404s spell what they miss, where it is not the object's own name (probe).
SPELLINGS = {"balance_transaction": "balance transaction", "invoiceitem": "Invoice Item"}


def missing(kind: str, identifier: str, param: str = "id") -> Refusal:
    """A 404 `resource_missing` (recorded)."""
    return Refusal(
        HTTPStatus.NOT_FOUND,
        f"No such {SPELLINGS.get(kind, kind)}: '{identifier}'",
        param=param,
        code="resource_missing",
    )


def unmodelled(what: str) -> Refusal:
    """This server's own refusal of what Stripe can do and it cannot: better loud than different."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        f"The local Stripe does not model {what}.",
        code="local_stripe_unmodelled",
        executed=False,
    )
