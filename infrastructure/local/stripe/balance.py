"""Balance transactions: every movement of money, with its fee."""

from fractions import Fraction

from infrastructure.local.stripe.catalogue import half_up
from infrastructure.local.stripe.errors import ZERO_DECIMAL
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store
from infrastructure.local.stripe.views import listing, paged

URL = "/v1/balance_transactions"
DAY = 24 * 3600
AVAILABLE_DAYS = 2  # from the midnight before (probe); T+2 is the usual US speed (documentation)

# US card pricing: 2.9 % + 30 cents; without a minor unit 3.6 % and no fixed part (documentation).
# The settlement currency is the charge's own here; Stripe would convert without such an account.
CHARGE_RATE, CHARGE_FIXED = Fraction(29, 1000), 30
CHARGE_RATE_ZERO_DECIMAL = Fraction(36, 1000)

# Fee of a received dispute: USD and CAD recorded, the others from the pricing pages, unverified.
DISPUTE_FEES = {"usd": 1500, "cad": 1500, "eur": 2000, "gbp": 2000, "jpy": 1300}
DISPUTE_FEE_DEFAULT = 1500


def charge_fee(amount: int, currency: str) -> int:
    """What Stripe keeps of a card payment."""
    if currency in ZERO_DECIMAL:
        return half_up(amount * CHARGE_RATE_ZERO_DECIMAL)
    return half_up(amount * CHARGE_RATE) + CHARGE_FIXED


def dispute_fee(currency: str) -> int:
    """What a received dispute costs; it is never returned (documentation)."""
    return DISPUTE_FEES.get(currency, DISPUTE_FEE_DEFAULT)


def record(
    store: Store, kind: str, source: Json, amount: int, *, category: str, text: str, fee: int = 0
) -> Json:
    """A movement of `amount` (positive: to us) caused by `source`; net is amount less fee."""
    details = []
    if fee:
        fee_text = "Dispute fee" if category == "dispute" else "Stripe processing fees"
        details = [
            {
                "amount": fee,
                "application": None,
                "currency": source["currency"],
                "description": fee_text,
                "type": "stripe_fee",
            }
        ]
    return store.add(
        "balance_transaction",
        "txn",
        {
            "amount": amount,
            "available_on": (store.now() // DAY + AVAILABLE_DAYS) * DAY,
            "balance_type": "payments",
            "currency": source["currency"],
            "description": text,
            "fee": fee,
            "fee_details": details,
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"],
            "status": "pending",
            "type": kind,
        },
    )


@endpoint("GET", URL, "source type currency created")
def list_balance_transactions(store: Store, params: Json) -> Json:
    """By source, type and currency, the newest first.

    A dispute as source finds nothing, though its transactions name it (probe): read them on it.
    """
    if params.get("source", "").startswith("du_"):
        return paged([], params, URL)
    filters = {name: params.get(name) for name in ("source", "type", "currency")}
    return listing(store, "balance_transaction", params, URL, **filters)


@endpoint("GET", URL + "/{id}")
def retrieve_balance_transaction(store: Store, _params: Json, identifier: str) -> Json:
    """One balance transaction."""
    return store.get("balance_transaction", identifier)
