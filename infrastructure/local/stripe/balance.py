"""Balance transactions: every movement of money, with its fee."""

from fractions import Fraction

from infrastructure.local.stripe.money import ZERO_DECIMAL, half_up
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

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
    store: Store,
    kind: str,
    source: Json,
    amount: int,
    *,
    category: str,
    text: str,
    fee: int = 0,
    settlement: tuple[str, Fraction | None] | None = None,
) -> Json:
    """A movement of `amount` (positive: to us) caused by `source`; net is amount less fee.

    `settlement` is the balance's currency and the rate from the source's, when it is another.
    """
    currency, rate = settlement or (source["currency"], None)
    details = []
    if fee:
        fee_text = "Dispute fee" if category == "dispute" else "Stripe processing fees"
        details = [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": fee_text,
                "type": "stripe_fee",
            }
        ]
    kept = store.private.setdefault("balance", {})
    kept[currency] = kept.get(currency, 0) + amount - fee
    return store.add(
        "balance_transaction",
        amount=amount,
        available_on=(store.now() // DAY + AVAILABLE_DAYS) * DAY,
        balance_type="payments",
        currency=currency,
        exchange_rate=None if rate is None else float(rate),
        description=text,
        fee=fee,
        fee_details=details,
        net=amount - fee,
        reporting_category=category,
        source=source["id"],
        status="pending",
        type=kind,
    )


@endpoint("GET", "/v1/balance")
def retrieve_balance(store: Store, _params: Json) -> Json:
    """What is ours by currency: available, and still on its way (SDK docstrings)."""
    parts: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
    for row in store.rows("balance_transaction"):
        part = parts["available" if row["available_on"] <= store.now() else "pending"]
        part[row["currency"]] = part.get(row["currency"], 0) + row["net"]
    shown = {
        name: [{"amount": amount, "currency": currency} for currency, amount in part.items()]
        for name, part in parts.items()
    }
    return {"object": "balance", "livemode": False, **shown}
