"""What a statistic returns: a number or the reason there is none, its interval, and what it rests on."""

import math
from dataclasses import dataclass, replace
from typing import TypedDict


class RestsOn(TypedDict, total=False):
    """The numbers a statistic was made from, as `Estimate` takes them."""

    n_items: int
    n_annotators: int
    n_ratings: int


@dataclass(frozen=True)
class Interval:
    """Low and high with their method and seed; both None, with a reason, when there is no interval."""

    low: float | None
    high: float | None
    ci_method: str
    seed: int
    undefined_reason: str | None = None

    def __post_init__(self) -> None:
        _refuse_nonfinite(self.low, self.high)
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has both ends or neither")
        if (self.low is None) != (self.undefined_reason is not None):
            raise ValueError("an interval has a reason exactly when it has no ends")


@dataclass(frozen=True)
class Estimate:
    """A statistic's value with its interval, the numbers of items, annotators and ratings used, and the seed.

    Undefined is None with a reason, never 0 or NaN (the constructor refuses anything else).

    >>> Estimate.undefined("no unit has two values").value is None
    True
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    ci_method: str | None = None
    n_items: int | None = None
    n_annotators: int | None = None
    n_ratings: int | None = None
    seed: int | None = None
    undefined_reason: str | None = None

    def __post_init__(self) -> None:
        _refuse_nonfinite(self.value, self.low, self.high)
        if (self.value is None) != (self.undefined_reason is not None):
            raise ValueError("an estimate has a reason exactly when it has no value")

    @classmethod
    def undefined(
        cls,
        reason: str,
        *,
        n_items: int | None = None,
        n_annotators: int | None = None,
        n_ratings: int | None = None,
    ) -> "Estimate":
        """An estimate without a value, keeping what it would have rested on."""
        return cls(
            None, n_items=n_items, n_annotators=n_annotators, n_ratings=n_ratings, undefined_reason=reason
        )

    def with_interval(self, interval: Interval) -> "Estimate":
        """The same estimate with this interval; an undefined interval leaves low and high None."""
        return replace(
            self, low=interval.low, high=interval.high, ci_method=interval.ci_method, seed=interval.seed
        )


def _refuse_nonfinite(*numbers: float | None) -> None:
    if any(number is not None and not math.isfinite(number) for number in numbers):
        raise ValueError("undefined is None with a reason, never NaN or infinity")
