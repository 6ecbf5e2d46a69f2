"""The verifier's own arithmetic: exact fractions, rounded once, halves up. It borrows nothing."""

import calendar
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

# https://docs.stripe.com/currencies#zero-decimal
WITHOUT_MINOR_UNIT = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"}
    | {"pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Minor units of one currency: net, and the tax that comes on top of it."""

    net: int
    tax: int

    @property
    def total(self) -> int:
        """What is paid."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Sale:
    """What was sold: `price` minor units an interval, from `start` on; `percent` of tax or none."""

    name: str
    customer: str
    subscription: str
    currency: str
    price: int
    months: int
    start: datetime
    percent: str | None
    inclusive: bool

    def invoiced(self) -> Amounts:
        """What one period costs."""
        if self.percent is None:
            return Amounts(self.price, 0)
        percent = Fraction(self.percent)
        if self.inclusive:
            tax = half_up(self.price * percent / (100 + percent))
            return Amounts(self.price - tax, tax)
        return Amounts(self.price, half_up(self.price * percent / 100))

    def period(self, at: datetime) -> tuple[datetime, datetime]:
        """The half-open period that `at` lies in; every end is counted from the first start."""
        count = 0
        while months_after(self.start, self.months * (count + 1)) <= at:
            count += 1
        begun, ends = (months_after(self.start, self.months * n) for n in (count, count + 1))
        return begun, ends

    def renewals(self, since: datetime, until: datetime) -> int:
        """How many periods begin after `since` and not later than `until`."""
        count, at = 0, self.period(since)[1]
        while at <= until:
            count, at = count + 1, self.period(at)[1]
        return count

    def unused(self, at: datetime) -> Fraction:
        """The exact part of the period that is left at `at`."""
        begun, ends = self.period(at)
        return seconds(at, ends) / seconds(begun, ends)

    def returned(self, at: datetime) -> Amounts:
        """What goes back for the unused part: net and tax each rounded once."""
        paid, unused = self.invoiced(), self.unused(at)
        return Amounts(half_up(paid.net * unused), half_up(paid.tax * unused))


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge that waits for the next invoice: minor units for the time `[start, end)`."""

    what: str
    amount: int
    start: datetime
    end: datetime

    def split(self, at: datetime) -> "list[Charge]":
        """The parts before and after `at`, those that exist; together the whole amount."""
        if self.end <= at or self.start >= at:
            return [self]
        before = half_up(self.amount * seconds(self.start, at) / seconds(self.start, self.end))
        return [
            Charge(self.what, before, self.start, at),
            Charge(self.what, self.amount - before, at, self.end),
        ]


def half_up(exact: Fraction) -> int:
    """The nearest whole number to one that is not negative; a half goes up."""
    doubled = 2 * exact + 1
    return doubled.numerator // (2 * doubled.denominator)


def seconds(start: datetime, end: datetime) -> Fraction:
    """A length of time."""
    span = end - start
    return Fraction(span.days * 86_400 + span.seconds) + Fraction(span.microseconds, 1_000_000)


def months_after(start: datetime, months: int) -> datetime:
    """The same day and time, months later; the month's last day where it has no such day."""
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(years, month + 1)[1])
    return start.replace(year=years, month=month + 1, day=day)


def written(amount: int, currency: str) -> str:
    """An amount for people: `974.79 USD`, `36000 JPY`."""
    if currency in WITHOUT_MINOR_UNIT:
        return f"{amount} {currency.upper()}"
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02} {currency.upper()}"


def stamp(at: datetime) -> str:
    """An instant as the API writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
