"""Indices of inequality that other fields report, beside Gini and Atkinson in `welfare`. Down is better."""

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import as_vector
from annotations.statistics.welfare import gini


def theil_inequality(utilities: npt.ArrayLike) -> float | None:
    """Theil's T, mean of (u/m) ln(u/m) with m the mean (Theil 1967): 0 equal .. ln n one has all.

    0 ln 0 is 0. No juror and mean 0: None. Negative utilities raise ValueError.

    >>> theil_inequality([1, 1])
    0.0
    """
    numbers = as_vector(utilities, "utilities")
    if not np.all(numbers >= 0):
        raise ValueError("utilities: numbers that are not negative, without missing ones")
    if not numbers.size or numbers.sum() == 0:
        return None
    shares = numbers / numbers.mean()
    return float((shares * np.log(shares, out=np.zeros_like(shares), where=shares > 0)).mean())


def gini_of_sample(utilities: npt.ArrayLike) -> float | None:
    """Gini times n / (n - 1), for n jurors drawn from many (Deltas 2003): 1 when one holds all.

    Unlike `gini` it moves when the jury is replicated. Fewer than two jurors and mean 0: None.
    """
    n = as_vector(utilities, "utilities").size
    value = gini(utilities) if n > 1 else None
    return None if value is None else value * n / (n - 1)
