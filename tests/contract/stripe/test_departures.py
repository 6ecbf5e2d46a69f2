"""A customer that goes, what is found by a search, and how a receivable is paid."""

import pytest
import stripe


def test_a_deleted_customer_ends_its_subscriptions_and_keeps_its_payments(shop):
    subscription = shop.subscribe(1000)
    customer = subscription.customer
    charge = shop.payment(subscription.latest_invoice).latest_charge.id
    assert shop.client.v1.customers.delete(customer).deleted
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    gone = shop.client.v1.customers.retrieve(customer)
    assert gone.to_dict() == {"id": customer, "object": "customer", "deleted": True}
    assert shop.client.v1.customers.list().data == []
    assert len(shop.events("customer.deleted")) == 1
    kept = shop.client.v1.charges.retrieve(charge, {"expand": ["customer"]})
    assert kept.customer.deleted
    assert shop.client.v1.refunds.create({"charge": charge}).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.customers.update(customer, {"name": "Bob"})
    assert caught.value.code == "resource_missing"
    shop.wait(90 * 24 * 3600)
    assert len(shop.invoices(subscription.id)) == 1


def test_a_detached_method_is_not_charged_any_more(shop):
    subscription = shop.subscribe(1000)
    customer = subscription.customer
    (method,) = shop.client.v1.customers.payment_methods.list(customer).data
    assert shop.client.v1.payment_methods.detach(method.id).customer is None
    assert shop.client.v1.customers.payment_methods.list(customer).data == []
    settings = shop.client.v1.customers.retrieve(customer).invoice_settings
    assert settings.default_payment_method is None
    shop.until("2026-02-02T00:00:00Z")
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "past_due"


def test_contact_and_language_are_kept_and_corrected(shop):
    customer = shop.customer(email="a@example.com", preferred_locales=["de"], address={"city": "A"})
    now = shop.client.v1.customers.update(
        customer.id,
        {"address": {"line1": "B 1"}, "preferred_locales": ["fr", "de"], "email": "b@x.example"},
    )
    assert (now.address.city, now.address.line1, now.email) == ("A", "B 1", "b@x.example")
    assert now.preferred_locales == ["fr", "de"]


def test_a_receipt_goes_where_the_payment_says(shop):
    intent = shop.client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "receipt_email": "a@example.com",
        }
    )
    charge = shop.client.v1.charges.retrieve(intent.latest_charge)
    assert charge.receipt_email == "a@example.com"
    corrected = shop.client.v1.charges.update(charge.id, {"receipt_email": "b@example.com"})
    assert corrected.receipt_email == "b@example.com"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('email:"A@example.com"', 1),
        ('email~"example" AND name:"Ann"', 2),
        ('email:"a@example.com" OR email:"b@example.com"', 2),
        ('-email:"a@example.com"', 1),
        ('metadata["k"]:"v"', 1),
        ("created>0", 2),
        ("phone:null", 2),
    ],
)
def test_a_search_finds_by_its_query(shop, query, found):
    shop.customer(email="a@example.com", metadata={"k": "v"})
    shop.customer(email="b@example.com")
    assert len(shop.client.v1.customers.search({"query": query}).data) == found


def test_an_invoice_is_found_by_its_number_and_subscription(shop):
    subscription = shop.subscribe(1000)
    shop.subscribe(2000)
    (invoice,) = shop.invoices(subscription.id)
    for query in (f'number:"{invoice.number}"', f'subscription:"{subscription.id}"'):
        (found,) = shop.client.v1.invoices.search({"query": query}).data
        assert found.id == invoice.id


def test_what_is_new_is_found_after_a_while_when_the_settings_say_so(shop):
    shop.local("POST", "settings", search_lag_seconds=60)
    shop.customer(email="a@example.com")
    query = {"query": 'email:"a@example.com"'}
    assert shop.client.v1.customers.search(query).data == []
    shop.wait(61)
    assert len(shop.client.v1.customers.search(query).data) == 1


@pytest.mark.parametrize(
    "query", ["", "what", 'shoe:"1"', 'name:"a" AND email:"b" OR email:"c"', 'name="a"']
)
def test_a_query_that_cannot_be_read_is_refused(shop, query):
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.customers.search({"query": query})


def test_a_link_is_paid_until_its_limit_and_tells_what_for(shop):
    price = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Disputed amount"}}
    link = shop.client.v1.payment_links.create(
        {
            "line_items": [{"price_data": price, "quantity": 2}],
            "metadata": {"receivable": "r1"},
            "restrictions": {"completed_sessions": {"limit": 1}},
            "payment_intent_data": {"metadata": {"receivable": "r1"}},
        }
    )
    (line,) = shop.client.v1.payment_links.line_items.list(link.id).data
    assert (line.amount_total, line.quantity) == (1400, 2)
    shop.local("POST", f"payment_links/{link.id}", email="a@example.com")
    (event,) = shop.events("checkout.session.completed")
    session = event.data.object
    assert (session.payment_link, session.metadata.receivable) == (link.id, "r1")
    intent = shop.client.v1.payment_intents.retrieve(session.payment_intent)
    assert (intent.amount_received, intent.metadata.receivable) == (1400, "r1")
    now = shop.client.v1.payment_links.retrieve(link.id, {"expand": ["line_items"]})
    assert (now.active, now.restrictions.completed_sessions.count) == (False, 1)
    assert "not active" in shop.refused("POST", f"payment_links/{link.id}")
    (listed,) = shop.client.v1.checkout.sessions.list({"payment_link": link.id}).data
    assert listed.id == session.id


def test_a_link_is_switched_off_and_a_declined_card_pays_nothing(shop):
    price = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Owed"}}
    link = shop.client.v1.payment_links.create(
        {"line_items": [{"price_data": price, "quantity": 1}]}
    )
    path = f"payment_links/{link.id}"
    assert "declined" in shop.refused("POST", path, method="pm_card_visa_chargeDeclined")
    assert not shop.client.v1.payment_links.update(link.id, {"active": False}).active
    assert "not active" in shop.refused("POST", path)
