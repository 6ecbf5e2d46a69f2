"""The arithmetic of a pro-rata refund and nothing else: what a decision is measured against."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor

MICROSECOND = timedelta(microseconds=1)
HALF = Fraction(1, 2)


def bare_refund(
    amounts: Sequence[tuple[int, int]], start: datetime, end: datetime, at: datetime, paid: int
) -> tuple[int, list[int], list[int]]:
    """The refund of lines (net, tax) of one period, and each line's parts, in minor units."""
    unused = Fraction((end - at) // MICROSECOND, (end - start) // MICROSECOND)
    nets = _spread([unused * net for net, _ in amounts])
    taxes = _spread([unused * tax for _, tax in amounts])
    return min(sum(nets) + sum(taxes), paid), nets, taxes


def _spread(shares: list[Fraction]) -> list[int]:
    """The rounded sum over its shares, by largest remainder."""
    total = floor(sum(shares) + HALF)
    parts = [floor(share) for share in shares]
    left = total - sum(parts)
    if left:
        order = sorted(range(len(shares)), key=lambda i: parts[i] - shares[i])
        for i in order[:left]:
            parts[i] += 1
    return parts
