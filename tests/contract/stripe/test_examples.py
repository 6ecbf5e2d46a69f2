"""Every request example of this product's families in stripe's own source distribution.

They are routed and accepted; the same requests are refused once something is wrong with them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.local.stripe import parameters
from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.exchange import Request
from infrastructure.local.stripe.families import SERVICES
from infrastructure.local.stripe.routes import Router
from infrastructure.local.stripe.sdk import Reference

FILE = Path(__file__).with_name("examples.txt")
EXAMPLES: list[tuple[str, str, str]] = [
    (line.split(" ")[0], line.split(" ")[1], " ".join(line.split(" ")[2:]))
    for line in FILE.read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def named(example: Any) -> str:
    return " ".join(example)


@pytest.fixture(scope="module")
def router(sdk):
    return Router(sdk, SERVICES)


def accept(sdk: Any, router: Any, example: tuple[str, str, str]) -> tuple[Any, Any]:
    method, path, text = example
    route, _ = router.find(method, path)
    decoded = parameters.from_json(text) if path.startswith("/v2/") else parameters.decode(text)
    return route, parameters.check(sdk, route.endpoint.params, decoded)


def with_bogus_parameter(example: tuple[str, str, str]) -> tuple[str, str, str]:
    method, path, text = example
    if path.startswith("/v2/"):
        return method, path, json.dumps({**json.loads(text or "{}"), "bogus": "1"})
    return method, path, f"{text}&bogus=1"


def test_the_examples_are_of_the_pinned_package(sdk):
    assert f"stripe {sdk.version} " in FILE.read_text(encoding="utf-8").splitlines()[0]
    assert len(EXAMPLES) > 100


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_an_example_is_routed_and_accepted(sdk, router, example):
    accept(sdk, router, example)


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_with_a_bogus_parameter_it_is_refused(sdk, router, example):
    with pytest.raises(Refusal) as caught:
        accept(sdk, router, with_bogus_parameter(example))
    assert caught.value.error["code"] == "parameter_unknown"


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_at_a_bogus_path_it_is_refused(sdk, router, example):
    method, path, text = example
    with pytest.raises(Refusal) as caught:
        accept(sdk, router, (method, f"{path}/bogus/bogus", text))
    assert caught.value.status == 404


def test_without_what_is_required_it_is_refused(sdk, router):
    refused = 0
    for method, path, text in EXAMPLES:
        route, _ = router.find(method, path)
        assert isinstance(route.endpoint.params, Reference)
        fields = sdk.record(route.endpoint.params)
        for name in [name for name, field in fields.items() if field.required]:
            kept = "&".join(p for p in text.split("&") if not p.startswith(name))
            if path.startswith("/v2/"):
                continue
            with pytest.raises(Refusal) as caught:
                accept(sdk, router, (method, path, kept))
            assert caught.value.error["code"] == "parameter_missing"
            refused += 1
    assert refused > 20


def test_what_is_declared_and_not_modelled_says_so(shop):
    request = Request(
        "POST", "/v1/invoices/create_preview", "", b"", {"authorization": "Bearer sk_test_x"}
    )
    response = shop.server.service.answer(request)
    assert response.status == 400
    assert b"local_stripe_unmodelled" in response.body
