"""Payment links: a page on which whoever has its address pays, and the checkout that this makes.

The control plane plays the customer, since the page is Stripe's own.
"""

from typing import Any

from infrastructure.local.stripe import payments
from infrastructure.local.stripe.catalogue import create_price
from infrastructure.local.stripe.customers import method_of
from infrastructure.local.stripe.errors import unmodelled
from infrastructure.local.stripe.resources import updated
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store
from infrastructure.local.stripe.views import includable, paged

URL = "/v1/payment_links"
SESSIONS = "/v1/checkout/sessions"
DAY = 24 * 3600


@endpoint("POST", URL, "line_items metadata restrictions payment_intent_data inactive_message")
def create_payment_link(store: Store, params: Json) -> Json:
    """A link for one-time prices; it stays active until told, or until its limit (SDK)."""
    items = [_item(store, given, i) for i, given in enumerate(params["line_items"])]
    data: Json = {
        "capture_method": None,
        "description": None,
        "metadata": {},
        "setup_future_usage": None,
    }
    data |= {"statement_descriptor": None, "statement_descriptor_suffix": None}
    data |= {"transfer_group": None, **params.get("payment_intent_data", {})}
    link = store.add(
        "payment_link",
        active=True,
        after_completion={
            "hosted_confirmation": {"custom_message": None},
            "type": "hosted_confirmation",
        },
        allow_promotion_codes=False,
        automatic_tax={"enabled": False, "liability": None},
        billing_address_collection="auto",
        currency=items[0]["currency"],
        customer_creation="if_required",
        inactive_message=params.get("inactive_message"),
        metadata=params.get("metadata"),
        payment_intent_data=data,
        payment_method_collection="always",
        phone_number_collection={"enabled": False},
        restrictions=_restrictions(params),
        submit_type="auto",
        tax_id_collection={"enabled": False, "required": "never"},
    )
    link["url"] = f"https://buy.stripe.com/test_{link['id'].removeprefix('plink_')}"
    store.private[link["id"]] = items
    store.emit("payment_link.created", link)
    return link


def _restrictions(params: Json) -> Json | None:
    given = params.get("restrictions")
    if not given:
        return None
    limit = given["completed_sessions"]["limit"]
    return {"completed_sessions": {"count": 0, "limit": limit}}


def _item(store: Store, given: Json, index: int) -> Json:
    param = f"line_items[{index}][price]"
    price = (
        create_price(store, given["price_data"])
        if "price_data" in given
        else store.get("price", given.get("price", ""), param)
    )
    if price["recurring"] is not None:
        raise unmodelled("payment links for subscriptions")
    amount, quantity = price["unit_amount"] * given["quantity"], given["quantity"]
    return {
        "id": store.identifier("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": store.get("product", price["product"])["name"],
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


@endpoint("POST", URL + "/{id}", "active metadata inactive_message")
def update_payment_link(store: Store, params: Json, identifier: str) -> Json:
    """An inactive one shows its message instead of a form (SDK)."""
    return updated(store, store.get("payment_link", identifier), "payment_link.updated", params)


@endpoint("GET", URL + "/{id}/line_items")
def list_line_items(store: Store, params: Json, identifier: str) -> Json:
    """What is paid for."""
    store.get("payment_link", identifier)
    return paged(store.private[identifier], params, f"{URL}/{identifier}/line_items")


includable["payment_link", "line_items"] = lambda store, link: list_line_items(
    store, {}, link["id"]
)


def pay_link(
    store: Store, identifier: str, *, method: str = "pm_card_visa", email: str | None = None
) -> Json:
    """Somebody pays on the link's page; ValueError when it takes no payment. The session."""
    link = store.get("payment_link", identifier)
    if not link["active"]:
        message = f"the payment link {identifier} is not active"
        raise ValueError(message)
    total = sum(item["amount_total"] for item in store.private[identifier])
    data = link["payment_intent_data"]
    intent = payments.create_intent(
        store,
        amount=total,
        currency=link["currency"],
        customer=None,
        description=data["description"],
        metadata=data["metadata"],
    )
    if payments.pay_intent(store, intent, method_of(store, method))["status"] == "failed":
        message = "the card was declined, so the page asks for another"
        raise ValueError(message)
    session = store.add("checkout.session", **_session(store, link, intent, total, email))
    limited = link["restrictions"]
    if limited:
        done = {
            **limited["completed_sessions"],
            "count": limited["completed_sessions"]["count"] + 1,
        }
        changes: Json = {"restrictions": {"completed_sessions": done}}
        changes["active"] = done["count"] < done["limit"]
        store.change(link, "payment_link.updated", **changes)
    store.emit("checkout.session.completed", session)
    return session


def _session(
    store: Store, link: Json, intent: Json, total: int, email: str | None
) -> dict[str, Any]:
    amounts = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
    nobody = dict.fromkeys(("address", "business_name", "individual_name", "name", "phone"))
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "currency": link["currency"],
        "customer_details": {**nobody, "email": email, "tax_exempt": "none", "tax_ids": []},
        "expires_at": store.now() + DAY,
        "metadata": link["metadata"],  # those of the link (SDK)
        "mode": "payment",
        "payment_intent": intent["id"],
        "payment_link": link["id"],
        "payment_method_types": ["card"],
        "payment_status": "paid",
        "status": "complete",
        "total_details": amounts,
    }
