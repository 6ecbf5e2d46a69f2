"""All that the verifier may look at: the public API with tokens handed to it, and Stripe's own."""

from fnmatch import fnmatchcase
from typing import Any

import requests

Json = dict[str, Any]

TIMEOUT_SECONDS = 60
PAGE = 100


class Reader:
    """Reads; changes nothing. Raises requests.HTTPError for what cannot be read."""

    def __init__(self, *, api: str, stripe: str, stripe_key: str, service_token: str) -> None:
        """Know the two addresses, and the token of one of the company's services."""
        self._api, self._stripe = api, stripe
        self._stripe_key, self._service_token = stripe_key, service_token

    def api(self, path: str, token: str) -> Json:
        """A document of the public API, as the bearer of `token` sees it."""
        return self._get(self._api + path, token, {})

    def access(self, customer: str) -> Json:
        """What the company's own service is told about a customer."""
        return self.api(f"/v1/access/{customer}", self._service_token)

    def stripe(self, path: str, **params: Any) -> Json:
        """An object at Stripe."""
        return self._get(f"{self._stripe}/v1/{path}", self._stripe_key, params)

    def stripe_list(self, path: str, **params: Any) -> list[Json]:
        """All objects of a list at Stripe, the newest first."""
        found: list[Json] = []
        page = self.stripe(path, limit=PAGE, **params)
        found += page["data"]
        while page["has_more"]:
            page = self.stripe(path, limit=PAGE, starting_after=found[-1]["id"], **params)
            found += page["data"]
        return found

    def requests_made(self, method: str, path: str) -> list[Json]:
        """The requests that Stripe has carried out, replays and refusals left out.

        `path` may hold wildcards.
        """
        log = requests.get(f"{self._stripe}/_local/requests", timeout=TIMEOUT_SECONDS).json()
        return [
            entry
            for entry in log
            if entry["method"] == method
            and fnmatchcase(entry["path"], path)
            and entry["status"] == requests.codes.ok
            and not entry["replayed"]
        ]

    @staticmethod
    def _get(url: str, token: str, params: Json) -> Json:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(url, params=params, headers=headers, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        document: Json = answer.json()
        return document
