"""Does a model asked to answer for a group please that group, and that group more than others."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, as_matrix, as_vector


class WinRates(NamedTuple):
    """Win rate by attribute (NaN without a pair) and the lowest of them, None where there is none."""

    rates: dict[str, float]
    worst: float | None


def win_rates(attributes: npt.ArrayLike, steered: npt.ArrayLike, base: npt.ArrayLike) -> WinRates:
    """Share of pairs where people who hold the attribute rate the steered response above the base one, ties
    half.

    One entry per person and prompt: the attribute steered to, which the person holds, and both ratings; pairs
    with a missing rating (NaN) are left out. 0.5 says steering changed nothing for them.
    """
    one, other = as_vector(steered, "steered"), as_vector(base, "base")
    held = np.asarray(attributes)
    if not held.shape == one.shape == other.shape:
        raise ValueError("attributes, steered and base: one entry per pair")
    wins = np.where(np.isnan(one) | np.isnan(other), np.nan, (one > other) + (one == other) / 2)
    rates = {}
    for attribute in np.unique(held):
        own = wins[(held == attribute) & ~np.isnan(wins)]
        rates[str(attribute)] = float(own.mean()) if own.size else float("nan")
    defined = [rate for rate in rates.values() if not np.isnan(rate)]
    return WinRates(rates, min(defined) if defined else None)


def steering_specificity(cross: npt.ArrayLike) -> float | None:
    """mean_a (S[a,a] - mean over b != a of S[a,b]): S[a,b] is group b's mean for what was steered to a.

    Above 0: each group likes what was made for it more than others do. A row with a missing diagonal or
    nothing else is left out; none left: None.

    >>> steering_specificity([[0.9, 0.5], [0.4, 0.6]])
    0.3
    """
    matrix = as_matrix(cross, "cross")
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError("cross: attributes x attributes")
    own = np.diag(matrix).copy()
    others = matrix.copy()
    np.fill_diagonal(others, np.nan)
    usable = ~np.isnan(own) & ~np.isnan(others).all(axis=1)
    if not usable.any():
        return None
    return float(np.mean(own[usable] - np.nanmean(others[usable], axis=1)).round(12))


def steerability_index(
    base: FloatArray, steered: FloatArray, furthest: FloatArray, opposite: FloatArray
) -> float | None:
    """[W1(base, furthest) - W1(steered, furthest)] / W1(furthest, opposite) (Miehling et al. 2024).

    Each is a density on one even grid over 0..1; W1 is the integral of |F - G|. 0: no move, 1: from the
    opposite end to the furthest, below 0: the wrong way. None when both ends are the same.
    """
    profiles = [as_vector(profile, "profile") for profile in (base, steered, furthest, opposite)]
    sums = [np.cumsum(profile / profile.sum()) for profile in profiles]
    start, reached, end, far = sums
    width = float(np.abs(end - far).mean())
    return float(np.abs(start - end).mean() - np.abs(reached - end).mean()) / width if width > 0 else None
