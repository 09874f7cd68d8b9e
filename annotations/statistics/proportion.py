"""How sure a share can be that was found among a few people."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


def wilson_interval(share: float, n: int, *, confidence: float = 0.95) -> Interval | None:
    """The score interval of a share found among `n` people, within 0..1; None without people.

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
    A share of 0 or 1 has an interval, too, unlike with the usual formula.

    >>> [round(end, 2) for end in wilson_interval(0.5, 20)]
    [0.3, 0.7]
    """
    if not 0 <= share <= 1:
        raise ValueError("a share is from 0 to 1")
    if n < 1:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z**2 / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((middle + sign * reach) / (1 + z**2 / n) for sign in (-1, 1))
    return Interval(max(low, 0.0), min(high, 1.0))
