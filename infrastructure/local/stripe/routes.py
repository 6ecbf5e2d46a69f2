"""Which function answers which endpoint, checked against the endpoints that the SDK declares."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from infrastructure.local.stripe.errors import Refusal, unmodelled
from infrastructure.local.stripe.sdk import Endpoint, Node, Page, Sdk
from infrastructure.local.stripe.state import Json, Store

Answer: TypeAlias = Callable[..., Json]
PLACEHOLDER = re.compile(r"\{[^}]*\}")
LIST_PARAMS = {"limit", "starting_after", "ending_before"}

_answers: dict[tuple[str, str], tuple[Answer, frozenset[str]]] = {}


def endpoint(method: str, path: str, takes: str = "") -> Callable[[Answer], Answer]:
    """Registers `answer(store, params, *ids)` for an SDK path; `takes` are the modelled parameters.

    A parameter that Stripe knows and `takes` does not list is refused as not modelled.
    """

    def register(answer: Answer) -> Answer:
        _answers[method, PLACEHOLDER.sub("{}", path)] = (answer, frozenset(takes.split()))
        return answer

    return register


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint of this server: how its path is recognized, and the SDK's types for it."""

    endpoint: Endpoint
    pattern: re.Pattern[str]
    answer: Answer
    takes: frozenset[str]
    modelled: bool

    def execute(self, store: Store, params: Json, ids: tuple[str, ...]) -> Json:
        """Runs the answer once its parameters are all ones that it models."""
        known = self.takes | {"expand"}
        if isinstance(self.endpoint.result, Page):
            known |= LIST_PARAMS
        for name in params.keys() - known:
            raise unmodelled(f"{name} of {self.endpoint.method} {self.endpoint.path}")
        return self.answer(store, {k: v for k, v in params.items() if k != "expand"}, *ids)

    @property
    def result(self) -> Node:
        """The SDK's type of the answer."""
        return self.endpoint.result


def _not_here(method: str, path: str) -> Answer:
    def refuse(_store: Store, _params: Json, *_ids: str) -> Json:
        raise unmodelled(f"{method} {path.replace('{}', '{id}')}")

    return refuse


class Router:
    """All endpoints of the families; an answer to a path that the SDK lacks is refused at start.

    What is declared and has no answer here is checked like the rest, then refused as not modelled.
    """

    def __init__(self, sdk: Sdk, services: tuple[str, ...]) -> None:
        declared = sdk.endpoints(services)
        by_shape = {(m, PLACEHOLDER.sub("{}", path)): e for (m, path), e in declared.items()}
        unknown = _answers.keys() - by_shape.keys()
        if unknown:
            raise RuntimeError(f"the stripe package declares no such endpoints: {sorted(unknown)}")
        # A literal segment wins over a placeholder: /credit_notes/preview is not an id.
        self.routes = [
            Route(
                by_shape[key],
                re.compile(re.escape(key[1]).replace(r"\{\}", "([^/]+)")),
                *_answers.get(key, (_not_here(*key), frozenset())),
                key in _answers,
            )
            for key in sorted(by_shape, key=lambda key: key[1].count("{}"))
        ]

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]]:
        """The route and the identifiers in the path, or Stripe's 404 (recorded)."""
        for route in self.routes:
            found = route.pattern.fullmatch(path)
            if found is not None and route.endpoint.method == method:
                return route, found.groups()
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or"
            " we can help at https://support.stripe.com/.",
            executed=False,
        )
