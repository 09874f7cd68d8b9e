"""Intraclass correlations of a complete table of ratings, from its analysis of variance."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import f as f_distribution

from annotations.statistics.arrays import as_matrix
from annotations.statistics.estimate import Estimate, RestsOn

F_INTERVAL = "f_distribution"
NAMES = ("ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)")


class _MeanSquares(NamedTuple):
    n: int
    k: int
    items: float
    raters: float
    error: float
    within: float


def intraclass_correlations(values: npt.ArrayLike, *, level: float = 0.95) -> dict[str, Estimate]:
    """The six ICCs of a table (raters x items) by name (Shrout and Fleiss 1979; McGraw and Wong 1996).

    With MSR of items, MSC of raters, MSE left over and MSW within items, of n items and k raters:
    ICC(1,1) = (MSR - MSW)/(MSR + (k-1) MSW); ICC(A,1) = (MSR - MSE)/(MSR + (k-1) MSE + k/n (MSC - MSE));
    ICC(C,1) = (MSR - MSE)/(MSR + (k-1) MSE). A counts a rater's leniency as error, C does not; 1 is for
    raters who differ between items. The last three are of the mean of k raters, k r / (1 + (k-1) r).

    Intervals from the F distribution, for values that are about normal. Undefined with a missing value (use
    variance components), with fewer than two raters or items, and where all values are equal.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not between 0 and 1")
    table = as_matrix(values, "values")
    k, n = table.shape
    rests_on: RestsOn = {"n_items": n, "n_annotators": k, "n_ratings": int((~np.isnan(table)).sum())}
    reason = _why_undefined(table)
    if reason:
        return {name: Estimate.undefined(reason, **rests_on) for name in NAMES}
    squares = _mean_squares(table)
    singles = [_one_way(squares, level), _agreement(squares, level), _consistency(squares, level)]
    means = [tuple(_of_mean(end, k) for end in single) for single in singles]
    return {name: _estimate(ends, rests_on) for name, ends in zip(NAMES, [*singles, *means], strict=True)}


_Ends = tuple[float, ...]


def _why_undefined(table: npt.NDArray[np.float64]) -> str | None:
    if min(table.shape) < 2:
        return "fewer than two raters or items"
    if np.isnan(table).any():
        return "not every rater rated every item"
    return "only one value is used" if table.min() == table.max() else None


def _mean_squares(table: npt.NDArray[np.float64]) -> _MeanSquares:
    k, n = table.shape
    centred = table - table.mean()
    items = k * float((centred.mean(axis=0) ** 2).sum())
    raters = n * float((centred.mean(axis=1) ** 2).sum())
    total = float((centred**2).sum())
    error = max(0.0, total - items - raters)
    return _MeanSquares(
        n, k, items / (n - 1), raters / (k - 1), error / ((n - 1) * (k - 1)), (raters + error) / (n * (k - 1))
    )


def _one_way(squares: _MeanSquares, level: float) -> _Ends:
    return _from_ratio(squares, squares.within, squares.n * (squares.k - 1), level)


def _consistency(squares: _MeanSquares, level: float) -> _Ends:
    return _from_ratio(squares, squares.error, (squares.n - 1) * (squares.k - 1), level)


def _from_ratio(squares: _MeanSquares, error: float, freedom: int, level: float) -> _Ends:
    """(F - 1)/(F + k - 1) of F = MSR / error and of both ends of F, without dividing by an error of 0."""
    tail, between = (1 + level) / 2, squares.n - 1
    lower = float(f_distribution.ppf(tail, between, freedom))
    upper = float(f_distribution.ppf(tail, freedom, between))
    return tuple(
        _ratio(squares.items * up - error * down, squares.items * up + (squares.k - 1) * error * down)
        for up, down in [(1.0, 1.0), (1.0, lower), (upper, 1.0)]
    )


def _agreement(squares: _MeanSquares, level: float) -> _Ends:
    n, k, items, raters, error, _ = squares
    value = _ratio(items - error, items + (k - 1) * error + k / n * (raters - error))
    if error == 0 or not np.isfinite(value):
        return value, float("nan"), float("nan")
    # Satterthwaite's degrees of freedom (Shrout and Fleiss 1979, p. 424).
    tail, f_raters = (1 + level) / 2, raters / error
    rest = n * (1 + (k - 1) * value) - k * value
    freedom = (k - 1) * (n - 1) * (k * value * f_raters + rest) ** 2
    freedom /= (n - 1) * (k * value * f_raters) ** 2 + rest**2
    lower = float(f_distribution.ppf(tail, n - 1, freedom))
    upper = float(f_distribution.ppf(tail, freedom, n - 1))
    spread = k * raters + (k * n - k - n) * error
    low = _ratio(n * (items - lower * error), lower * spread + n * items)
    return value, low, _ratio(n * (upper * items - error), spread + n * upper * items)


def _of_mean(single: float, k: int) -> float:
    return _ratio(k * single, 1 + (k - 1) * single)


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0 else float("nan")


def _estimate(ends: _Ends, rests_on: RestsOn) -> Estimate:
    value, low, high = ends
    if not np.isfinite(value):
        return Estimate.undefined("no variance to divide by", **rests_on)
    if not (np.isfinite(low) and np.isfinite(high)):
        return Estimate(value, **rests_on)
    return Estimate(value, low=low, high=high, ci_method=F_INTERVAL, **rests_on)
