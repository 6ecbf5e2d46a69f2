"""Names and addresses at Stripe, which alone holds them."""

from collections.abc import Mapping
from typing import Any

from shared.adapters.stripe_errors import or_none, translated

_KNOWN = ("name", "email", "phone", "address", "shipping", "preferred_locales", "tax_exempt")


class StripePeople:
    """`shared.personal_ports.People` on Stripe's customers."""

    def __init__(self, api: Any) -> None:
        self._api = api.v1

    def details(self, customer: str) -> Mapping[str, Any]:
        """See `People.details`."""
        raw = or_none(lambda: self._api.customers.retrieve(customer))
        plain = raw.to_dict() if raw else {}
        return {} if plain.get("deleted") else {name: plain.get(name) for name in _KNOWN}

    def correct(self, customer: str, changes: Mapping[str, Any], *, key: str) -> None:
        """See `People.correct`."""
        params: Any = dict(changes)
        translated(lambda: self._api.customers.update(customer, params, {"idempotency_key": key}))
