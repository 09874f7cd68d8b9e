"""Would the other half of the annotators have said the same: of items, and of the order of generators."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

from annotations.statistics.arrays import FloatArray, IntArray, as_labels, as_vector
from annotations.statistics.estimate import Estimate, RestsOn
from annotations.statistics.uncertainty import percentile_interval

SPLITS = "split_percentile"


def split_half_reliability(
    items: npt.ArrayLike,
    annotators: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    splits: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Estimate:
    """Mean over random halves of 2r / (1 + r), r Pearson's of the items' means (Spearman 1910; Brown 1910).

    Long form, one row per rating. Annotators are halved within their stratum (that of their first rating).
    Items that a half did not rate are left out of that split. The interval is of the splits, and says how
    much the number owes to the draw of halves, not to who was asked. Undefined with fewer than two
    annotators, and when fewer than nine tenths of the splits leave three items that vary in both halves.
    """
    item, annotator, ratings, pool = _panel(items, annotators, values, strata)
    correlations = []
    for half in _halves(pool, splits, seed):
        one, other = (_means(item, ratings, half[annotator] == side) for side in (0, 1))
        correlations.append(_pearson(one, other))
    r = np.array(correlations)
    # r of -1 has no stepped-up value; below 0 the formula still falls, only steeper.
    stepped = np.divide(2 * r, 1 + r, out=np.full_like(r, np.nan), where=r > -1)
    return _over_splits(stepped, item, pool, ratings, seed, level)


def split_half_rank_agreement(
    systems: npt.ArrayLike,
    annotators: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    splits: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Estimate:
    """Mean over random halves of Kendall's tau-b between the orders of systems' means (Kendall 1945).

    As `split_half_reliability`, with generators for items and no stepping up; n_items counts the systems.
    """
    system, annotator, ratings, pool = _panel(systems, annotators, values, strata)
    taus = []
    for half in _halves(pool, splits, seed):
        one, other = (_means(system, ratings, half[annotator] == side) for side in (0, 1))
        both = ~np.isnan(one) & ~np.isnan(other)
        varied = both.sum() > 1 and np.ptp(one[both]) > 0 and np.ptp(other[both]) > 0
        taus.append(float(kendalltau(one[both], other[both]).statistic) if varied else np.nan)
    return _over_splits(np.array(taus), system, pool, ratings, seed, level)


def _panel(
    items: npt.ArrayLike, annotators: npt.ArrayLike, values: npt.ArrayLike, strata: Sequence[str] | None
) -> tuple[IntArray, IntArray, FloatArray, IntArray]:
    """Codes of items and annotators, ratings, and each annotator's stratum code."""
    ratings = as_vector(values, "values")
    if np.isnan(ratings).any():
        raise ValueError("values: leave out missing ratings")
    item = as_labels(items, "items", ratings.size)
    annotator = as_labels(annotators, "annotators", ratings.size)
    stratum = (
        np.zeros(ratings.size, np.int64) if strata is None else as_labels(strata, "strata", ratings.size)
    )
    return item, annotator, ratings, stratum[np.unique(annotator, return_index=True)[1]]


def _halves(pool: IntArray, splits: int, seed: int) -> IntArray:
    """0 or 1 per annotator (splits x annotators): half of each stratum, the odd one to either side."""
    rng = np.random.default_rng(seed)
    half = np.zeros((splits, pool.size), dtype=np.int64)
    for stratum in np.unique(pool):
        members = np.flatnonzero(pool == stratum)
        places = np.argsort(rng.random((splits, members.size)), axis=1)
        half[:, members] = (places + rng.integers(2, size=(splits, 1))) % 2
    return half


def _means(item: IntArray, ratings: FloatArray, rows: npt.NDArray[np.bool_]) -> FloatArray:
    n = int(item.max(initial=-1)) + 1
    counts = np.bincount(item[rows], minlength=n)
    totals = np.bincount(item[rows], ratings[rows], minlength=n)
    return np.divide(totals, counts, out=np.full(n, np.nan), where=counts > 0)


def _pearson(one: FloatArray, other: FloatArray) -> float:
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 3 or np.ptp(one[both]) == 0 or np.ptp(other[both]) == 0:
        return float("nan")
    return float(np.corrcoef(one[both], other[both])[0, 1])


def _over_splits(
    numbers: FloatArray, item: IntArray, pool: IntArray, ratings: FloatArray, seed: int, level: float
) -> Estimate:
    rests_on: RestsOn = {
        "n_items": int(item.max(initial=-1)) + 1,
        "n_annotators": pool.size,
        "n_ratings": ratings.size,
    }
    if pool.size < 2:
        return Estimate.undefined("fewer than two annotators to split", **rests_on)
    interval = percentile_interval(numbers, level, SPLITS, seed)
    if interval.low is None:
        return Estimate.undefined("too few items vary in both halves", **rests_on)
    return Estimate(float(np.nanmean(numbers)), **rests_on).with_interval(interval)
