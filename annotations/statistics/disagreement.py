"""How far the raters of one item part: spread, polarisation and the share that lies between groups.

Functions of counts take items x categories (in their order) and give one number per item, NaN where the item
has no rating or its scale fewer than two categories. All go from 0 to 1 and name which end is agreement.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, as_counts, as_labels, as_vector
from annotations.statistics.permutation import permutation_p_value


def entropy_disagreement(counts: npt.ArrayLike) -> FloatArray:
    """Entropy -sum p ln p over its maximum ln K: 0 one answer .. 1 even (Shannon 1948). Order is ignored."""
    shares = _shares(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log(shares), 0.0 * shares)
    return (
        np.clip(-terms.sum(axis=1) / np.log(shares.shape[1]), 0, 1) if shares.shape[1] > 1 else _none(shares)
    )


def gini_simpson_disagreement(counts: npt.ArrayLike) -> FloatArray:
    """Chance 1 - sum p^2 that two raters drawn with replacement differ: 0 .. 1 - 1/K (Simpson 1949)."""
    shares = _shares(counts)
    return 1 - (shares**2).sum(axis=1) if shares.shape[1] > 1 else _none(shares)


def variance_disagreement(counts: npt.ArrayLike, positions: npt.ArrayLike | None = None) -> FloatArray:
    """Variance (over n) as a share of its maximum range^2 / 4: 0 one answer .. 1 half and half at the ends.

    `positions` are the categories' places, ascending; 0..K-1 when left out (Popoviciu's bound, 1935).
    """
    shares = _shares(counts)
    if shares.shape[1] < 2:
        return _none(shares)
    places = (
        np.arange(shares.shape[1], dtype=np.float64)
        if positions is None
        else as_vector(positions, "positions")
    )
    if places.size != shares.shape[1] or not np.all(np.diff(places) > 0):
        raise ValueError("positions: one per category, in ascending order")
    # Around each item's mean, so that equal answers leave exactly 0.
    mean = shares @ places
    variance = (shares * (places - mean[:, np.newaxis]) ** 2).sum(axis=1)
    return np.clip(variance / ((places[-1] - places[0]) ** 2 / 4), 0, 1)


def leti_disagreement(counts: npt.ArrayLike) -> FloatArray:
    """Leti's ordinal dispersion 2 sum_k F_k (1 - F_k) over its maximum (K-1)/2 (Leti 1983): 0 .. 1.

    F_k is the share up to category k. 1 is half and half at the ends; steps need not be equal in size.
    """
    shares = _shares(counts)
    if shares.shape[1] < 2:
        return _none(shares)
    below = np.clip(np.cumsum(shares, axis=1)[:, :-1], 0, 1)
    return 4 * (below * (1 - below)).sum(axis=1) / (shares.shape[1] - 1)


def tastle_wierman_agreement(counts: npt.ArrayLike) -> FloatArray:
    """Consensus 1 + sum_k p_k log2(1 - |k - mean| / (K-1)) (Tastle and Wierman 2007). Up is agreement.

    1 when all answer the same, 0 when half stand at each end.
    """
    shares = _shares(counts)
    k = shares.shape[1]
    if k < 2:
        return _none(shares)
    places = np.arange(k, dtype=np.float64)
    distance = np.abs(places - (shares @ places)[:, np.newaxis]) / (k - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log2(1 - distance), 0.0 * shares)
    return np.clip(1 + terms.sum(axis=1), 0, 1)


def esteban_ray_polarisation(counts: npt.ArrayLike, *, alpha: float = 1.0) -> FloatArray:
    """sum_ij p_i^(1+a) p_j |i - j| over its value for half and half at the ends (Esteban and Ray 1994).

    0 < a <= 1.6 says how much it counts to be many of one mind; higher a punishes an even spread more.
    1 is two camps at the ends, 0 one answer.
    """
    if not 0 < alpha <= 1.6:
        raise ValueError(f"alpha {alpha} is not above 0 and up to 1.6")
    shares = _shares(counts)
    k = shares.shape[1]
    if k < 2:
        return _none(shares)
    places = np.arange(k, dtype=np.float64)
    distance = np.abs(places[:, np.newaxis] - places)
    felt = ((shares ** (1 + alpha)) @ distance * shares).sum(axis=1)
    return felt / (2 * 0.5 ** (2 + alpha) * (k - 1))


@dataclass(frozen=True)
class BetweenGroupShare:
    """`value` is eta^2, `by_chance` its mean with groups shuffled; None, with a reason, if undefined."""

    value: float | None
    by_chance: float | None = None
    p_value: float | None = None
    permutations: int = 0
    seed: int = 0
    undefined_reason: str | None = None

    @property
    def excess(self) -> float | None:
        """What the groups explain beyond chance; may be below 0."""
        return None if self.value is None or self.by_chance is None else self.value - self.by_chance


def between_group_share(
    values: npt.ArrayLike, groups: npt.ArrayLike, *, permutations: int = 1000, seed: int = 0
) -> BetweenGroupShare:
    """Share of an item's variance between groups of raters, eta^2 = SS_between / SS_total (Fisher 1925).

    `values` and `groups` have one entry per rater. Above 0 even if groups do not matter, with g groups and n
    raters (g-1)/(n-1) on average, so the mean over shuffled labels stands beside it, with a one-sided
    p-value. Undefined with fewer than two groups, and where all values are equal.
    """
    ratings = as_vector(values, "values")
    group = as_labels(groups, "groups", ratings.size)
    if np.isnan(ratings).any():
        raise ValueError("values: leave out raters without a value")
    if group.max(initial=0) < 1:
        return BetweenGroupShare(None, undefined_reason="fewer than two groups")
    if ratings.min() == ratings.max():
        return BetweenGroupShare(None, undefined_reason="only one value is used")
    order = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    observed = float(_eta_squared(ratings[order][np.newaxis], sizes)[0])
    if permutations < 1:
        return BetweenGroupShare(observed)
    rng = np.random.default_rng(seed)
    null = _eta_squared(rng.permuted(np.tile(ratings, (permutations, 1)), axis=1), sizes)
    p_value = permutation_p_value(observed, null, two_sided=False)
    return BetweenGroupShare(observed, float(null.mean()), p_value, permutations, seed)


def _eta_squared(rows: FloatArray, sizes: npt.NDArray[np.int64]) -> FloatArray:
    """eta^2 of each row, whose columns are sorted by group."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    between = (np.add.reduceat(centred, starts, axis=1) ** 2 / sizes).sum(axis=1)
    return np.clip(between / (centred**2).sum(axis=1), 0, 1)


def _shares(counts: npt.ArrayLike) -> FloatArray:
    matrix = as_counts(counts, "counts")
    totals = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, totals, out=np.full_like(matrix, np.nan), where=totals > 0)


def _none(shares: FloatArray) -> FloatArray:
    return np.full(shares.shape[0], np.nan)
