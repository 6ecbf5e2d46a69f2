"""The SDK's source is the schema, and what breaks it is noticed."""

import pytest
import stripe

from infrastructure.local.stripe.checks import violations
from infrastructure.local.stripe.sdk import Reference


def test_the_pinned_package_and_its_api_version_are_read(sdk):
    assert sdk.version == stripe.VERSION
    assert sdk.api_version == stripe.api_version


def test_every_endpoint_of_this_server_is_one_of_the_sdk(shop, sdk):
    for route in shop.server.service.router.routes:
        assert isinstance(route.endpoint.params, Reference)
        unknown = route.takes - sdk.record(route.endpoint.params).keys()
        assert unknown == set(), f"{route.endpoint.method} {route.endpoint.path}"


@pytest.fixture
def broken(shop):
    """A customer whose record breaks the SDK's class; it is mended again for the last check."""
    customer = shop.customer()
    store = shop.server.service.store
    store.tables["customer"][customer.id]["livemode"] = "no"
    yield customer.id
    store.violations.clear()


def test_an_answer_that_breaks_the_schema_is_a_500_and_is_recorded(shop, broken):
    with pytest.raises(stripe.APIError) as caught:
        shop.client.v1.customers.retrieve(broken)
    assert caught.value.http_status == 500
    health = shop.local("GET", "health")
    assert health["status"] == "defective"
    assert health["violations"] == [
        "/v1/customers/{customer}.livemode: 'no' is not bool",
        f"{broken}: livemode changed without an event: False to 'no'",
    ]


def test_an_event_that_breaks_the_schema_is_noticed_in_its_request(shop, broken):
    with pytest.raises(stripe.APIError):
        shop.client.v1.customers.update(broken, {"name": "Ben"})
    assert any(
        fault.startswith("customer.updated") for fault in shop.local("GET", "health")["violations"]
    )


@pytest.mark.parametrize(
    ("kind", "change", "fault"),
    [
        pytest.param("refund", {"amount": "5"}, "'5' is not int", id="type"),
        pytest.param("refund", {"amount": True}, "True is not int", id="bool for int"),
        pytest.param("refund", {"livemode": False}, "not declared by Refund", id="undeclared"),
        pytest.param("invoice", {"status": "done"}, "is none of", id="enumeration"),
        pytest.param("invoice", {"lines": []}, "is not a page", id="list object"),
        pytest.param("invoice", {"parent": {"type": "x"}}, "is none of", id="nested"),
        pytest.param("price", {"unit_amount_decimal": 5}, "is not decimal", id="decimal"),
        pytest.param("charge", {"payment_intent": 7}, "is not a reference", id="expandable"),
        pytest.param("charge", {"metadata": {"a": 1}}, "1 is not str", id="metadata"),
    ],
)
def test_each_way_to_break_an_object_is_a_violation(shop, sdk, kind, change, fault):
    shop.client.v1.refunds.create({"payment_intent": shop.paid().id})
    thing = next(shop.server.service.store.rows(kind))
    node = sdk.object_reference(kind)
    assert list(violations(sdk, node, thing)) == []
    found = list(violations(sdk, node, {**thing, **change}))
    assert len(found) == 1
    assert fault in found[0]


def test_a_missing_member_is_a_violation(shop, sdk):
    shop.customer()
    thing = dict(next(shop.server.service.store.rows("customer")))
    del thing["created"]
    node = sdk.object_reference("customer")
    assert list(violations(sdk, node, thing)) == [".created: missing"]


def test_an_error_of_this_server_is_a_500_and_is_recorded(shop):
    subscription = shop.subscribe(1000)
    store = shop.server.service.store
    del store.tables["customer"][subscription.customer]["balance"]
    with pytest.raises(stripe.APIError) as caught:
        shop.client.v1.invoices.create({"customer": subscription.customer})
    assert caught.value.http_status == 500
    assert "KeyError" in shop.local("GET", "health")["violations"][0]
    store.violations.clear()
