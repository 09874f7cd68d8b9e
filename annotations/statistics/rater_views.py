"""Three views of the same ratings: as given, relative to the rater's own spread, and as ranks within the
rater.

The second and third take out how leniently and how widely a rater uses the scale, and with it every statement
about levels: a mean or minimum of z-scores over jurors is relative. Each rater's z-scores sum to 0, so groups
that saw different items differ in them for that reason alone. Report orders of generators under all three.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from annotations.statistics.arrays import FloatArray, IntArray, as_labels, as_vector

LEAST_RATINGS = 8


def within_rater_z(raters: npt.ArrayLike, values: npt.ArrayLike, *, least: int = LEAST_RATINGS) -> FloatArray:
    """(r - mean_j) / sd_j per rating, sd over n_j - 1 of rater j's ratings.

    NaN, never 0, for a missing value, for a rater with fewer than `least` ratings, and for one who gave the
    same value throughout.
    """
    ratings, rater, given = _rows(raters, values)
    n = np.bincount(rater[given], minlength=rater.max(initial=-1) + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(rater[given], ratings[given], minlength=n.size) / n
        deviation = ratings - mean[rater]
        spread = np.sqrt(np.bincount(rater[given], deviation[given] ** 2, minlength=n.size) / (n - 1))
    lowest, highest = np.full(n.size, np.inf), np.full(n.size, -np.inf)
    np.minimum.at(lowest, rater[given], ratings[given])
    np.maximum.at(highest, rater[given], ratings[given])
    usable = (n >= max(2, least)) & (highest > lowest)
    return np.divide(deviation, spread[rater], out=np.full_like(ratings, np.nan), where=usable[rater] & given)


def within_rater_percentile(
    raters: npt.ArrayLike, values: npt.ArrayLike, *, least: int = LEAST_RATINGS
) -> FloatArray:
    """Mid-rank percentile (rank - 1/2) / n_j among the rater's own ratings, ties sharing their mean rank.

    In 0..1, 1/2 on average for every rater (Hazen 1914). NaN for a missing value and for a rater with fewer
    than `least` ratings; a rater who gave one value throughout has 1/2, for to them all stand alike.
    """
    ratings, rater, given = _rows(raters, values)
    percentiles = np.full_like(ratings, np.nan)
    rows = np.flatnonzero(given)
    rows = rows[np.argsort(rater[rows], kind="stable")]
    for own in np.split(rows, np.flatnonzero(np.diff(rater[rows])) + 1):
        if own.size >= max(1, least):
            percentiles[own] = (rankdata(ratings[own]) - 0.5) / own.size
    return percentiles


def _rows(raters: npt.ArrayLike, values: npt.ArrayLike) -> tuple[FloatArray, IntArray, npt.NDArray[np.bool_]]:
    ratings = as_vector(values, "values")
    return ratings, as_labels(raters, "raters", ratings.size), ~np.isnan(ratings)
