"""How well the items of one scale hang together: Cronbach's alpha with its interval."""

from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import as_matrix
from annotations.statistics.estimate import Estimate

ALPHA_INTERVAL = "bonett_2002"


def cronbach_alpha(answers: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Alpha of a matrix (people x items) of answers turned the same way; NaN is a missing one.

    alpha = k / (k - 1) * (1 - sum of the items' variances / variance of the sums), with k items and
    variances over n - 1 (Cronbach 1951). People who left an item out are left out. At most 1; below 0 where
    items move against each other.

    Interval, of n people (Bonett 2002): 1 - exp(ln(1 - alpha) - ln(n / (n - 1)) -+ z s), with
    s = sqrt(2 k / ((k - 1)(n - 2))).

    Undefined with fewer than two items or two people, and where all sums are equal. Alpha of exactly 1
    and fewer than three people have no interval.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not between 0 and 1")
    matrix = as_matrix(answers, "answers")
    complete = matrix[~np.isnan(matrix).any(axis=1)]
    n, k = complete.shape
    rests_on = {"n_items": k, "n_annotators": n, "n_ratings": n * k}
    if k < 2:
        return Estimate.undefined("fewer than two items", **rests_on)
    if n < 2:
        return Estimate.undefined("fewer than two people answered every item", **rests_on)
    of_sums = float(complete.sum(axis=1).var(ddof=1))
    # Sums that are equal may differ in the last bit.
    if of_sums <= 1e-12 * max(1.0, float(np.abs(complete).max()) ** 2):
        return Estimate.undefined("everybody's answers add up to the same", **rests_on)
    alpha = k / (k - 1) * (1 - float(complete.var(axis=0, ddof=1).sum()) / of_sums)
    low, high = _interval(alpha, n, k, level)
    method = None if low is None else ALPHA_INTERVAL
    return Estimate(alpha, low=low, high=high, ci_method=method, **rests_on)


def _interval(alpha: float, n: int, k: int, level: float) -> tuple[float | None, float | None]:
    # Rounding may leave an alpha of 1 a hair below it.
    if n < 3 or alpha > 1 - 1e-12:
        return None, None
    middle = log(1 - alpha) - log(n / (n - 1))
    half = NormalDist().inv_cdf((1 + level) / 2) * sqrt(2 * k / ((k - 1) * (n - 2)))
    return 1 - exp(middle + half), 1 - exp(middle - half)
