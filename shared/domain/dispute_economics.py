"""Fight, accept or refund: what each is worth, in expectation, from figures that can be shown.

The fee of receiving a dispute is gone either way and decides nothing, and so is its place in the
network's ratio: a win takes no chargeback out of it. Contesting risks the fee for countering, which
a win brings back. Giving an inquiry's payment back saves the fee of the chargeback that it would
become, and what the network takes for one case more where its limit is reached.
"""

from dataclasses import dataclass
from fractions import Fraction

from shared.domain.money import Rounding, round_to_grain

# Before anything was decided a case is as good as lost or won; each result counts once more.
PRIOR_WINS, PRIOR_CASES = 1, 2
# How many early fraud warnings become chargebacks when nothing is done
# (https://docs.stripe.com/disputes/how-disputes-work, early fraud warnings).
SUSPICIONS_DISPUTED = Fraction(4, 5)


@dataclass(frozen=True, slots=True)
class Record:
    """The company's own past on disputes of one kind."""

    won: int = 0
    lost: int = 0

    @property
    def rate(self) -> Fraction:
        """How likely a win is: the past, with one case of each added."""
        return Fraction(self.won + PRIOR_WINS, self.won + self.lost + PRIOR_CASES)


@dataclass(frozen=True, slots=True)
class Stakes:
    """What is in it, minor units of `currency`.

    `case_cost` is what the network takes for one chargeback more, once its limit is reached.
    """

    currency: str
    amount: int
    received_fee: int
    countering_fee: int
    is_inquiry: bool
    case_cost: int = 0


@dataclass(frozen=True, slots=True)
class Weighing:
    """What each way is worth compared with doing nothing (minor units), and the figures behind."""

    stakes: Stakes
    record: Record
    contest: int
    accept: int
    refund: int | None

    @property
    def fight_pays(self) -> bool:
        """Whether contesting is worth more than giving up."""
        return self.contest > self.accept

    @property
    def best(self) -> str:
        """The way that is worth most; contesting where they are equal."""
        ways = {"contest": self.contest, "accept": self.accept}
        if self.refund is not None:
            ways["refund"] = self.refund
        return max(ways, key=lambda way: (ways[way], way == "contest"))


def weigh_stakes(stakes: Stakes, record: Record) -> Weighing:
    """The arithmetic: exact fractions, rounded once, half up, in each figure that is shown."""
    win, lose = record.rate, 1 - record.rate
    if stakes.is_inquiry:
        # Unanswered it becomes a chargeback, which takes the amount, a fee, and a place among those
        # that the network counts; answering is free, and giving the amount back saves the rest.
        saved = stakes.received_fee + stakes.case_cost
        contest = _rounded(win * (stakes.amount + saved))
        return Weighing(stakes, record, contest, 0, saved)
    contest = _rounded(win * stakes.amount - lose * stakes.countering_fee)
    return Weighing(stakes, record, contest, 0, None)


def worth_of_refunding(stakes: Stakes, record: Record) -> int:
    """What giving a suspected payment back is worth compared with waiting (minor units).

    Waiting loses, four times of five, the amount and a fee, less what contesting it would bring.
    """
    contest = record.rate * stakes.amount - (1 - record.rate) * stakes.countering_fee
    cost = stakes.received_fee + stakes.case_cost
    lost = stakes.amount + cost - max(Fraction(0), contest)
    waiting = SUSPICIONS_DISPUTED * lost
    return _rounded(waiting - stakes.amount)


def _rounded(value: Fraction) -> int:
    size = round_to_grain(abs(value), 1, Rounding.HALF_UP)
    return size if value >= 0 else -size
