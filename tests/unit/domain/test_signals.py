"""Signals say what they rest on, and nothing else follows from them."""

from datetime import UTC, datetime, timedelta

from shared.domain.signals import SignalKind, signals_of

NOW = datetime(2026, 3, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def kinds(**changes: object) -> list[SignalKind]:
    facts = {"paid_out_at": (), "activated_at": None, "country": None, "card_countries": ()}
    return [signal.kind for signal in signals_of(NOW, **(facts | changes))]  # type: ignore[arg-type]


def test_each_signal_appears_at_its_bound_and_not_before():
    assert kinds() == []
    assert kinds(paid_out_at=(NOW - DAY,)) == []
    assert kinds(paid_out_at=(NOW - DAY, NOW - 180 * DAY)) == [SignalKind.REPEAT_REFUNDER]
    assert kinds(paid_out_at=(NOW - DAY, NOW - 181 * DAY)) == []
    assert kinds(activated_at=NOW - 30 * DAY) == [SignalKind.FRESH_ACCOUNT]
    assert kinds(activated_at=NOW - 31 * DAY) == []
    assert kinds(country="FR", card_countries=("FR", "US")) == [SignalKind.COUNTRY_MISMATCH]
    assert kinds(country="FR", card_countries=("FR",)) == []
    assert kinds(country=None, card_countries=("US",)) == []


def test_a_signal_names_its_fact():
    (signal,) = signals_of(
        NOW, paid_out_at=(), activated_at=None, country="FR", card_countries=("US",)
    )
    assert signal.fact == "the customer is in FR, a card that paid is from US"
