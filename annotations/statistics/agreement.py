"""How far annotators agree: Krippendorff's alpha, Fleiss' kappa and raw agreement, from counts per unit."""

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, IntArray, as_counts, as_labels, as_matrix, as_vector
from annotations.statistics.estimate import Estimate
from annotations.statistics.uncertainty import bootstrap_weighted

Level = Literal["nominal", "ordinal", "interval", "ratio"]

# Of many units on a short scale most have a twin, and twins can be drawn together.
POOL_ABOVE = 10_000
POOL_CATEGORIES = 20


class UnitCounts(NamedTuple):
    """How often each unit got each value: `counts` (units x categories) and the sorted `categories`."""

    counts: FloatArray
    categories: FloatArray


def unit_counts(units: npt.ArrayLike, values: npt.ArrayLike) -> UnitCounts:
    """Count values per unit from long form: one row per rating, NaN values left out.

    Units keep their row (in sorted order) even when all their values are missing; who gave a value is not
    needed.

    >>> unit_counts([7, 7, 9], [1, 3, 3]).counts.tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    ratings = as_vector(values, "values")
    unit = as_labels(units, "units", ratings.size)
    n_units = int(unit.max(initial=-1)) + 1
    given = ~np.isnan(ratings)
    categories, code = np.unique(ratings[given], return_inverse=True)
    cells = np.bincount(unit[given] * categories.size + code, minlength=n_units * categories.size)
    return UnitCounts(cells.reshape(n_units, categories.size).astype(np.float64), categories)


def krippendorff_alpha(
    values: npt.ArrayLike, level: Level, *, resamples: int = 0, seed: int = 0, confidence: float = 0.95
) -> Estimate:
    """Alpha of a table of values (raters x units), NaN missing; see `alpha_from_counts`.

    n_annotators counts the raters with a value on a unit that somebody else rated too.
    """
    table = as_matrix(values, "values")
    counts, categories = _table_counts(table)
    return alpha_from_counts(
        counts,
        categories,
        level,
        n_annotators=_n_paired_raters(table),
        resamples=resamples,
        seed=seed,
        confidence=confidence,
    )


def alpha_from_counts(
    counts: npt.ArrayLike,
    categories: npt.ArrayLike,
    level: Level,
    *,
    n_annotators: int | None = None,
    resamples: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Krippendorff's alpha = 1 - D_o / D_e (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).

    `counts` is units x categories, `categories` the values in ascending order. Over units with m_u >= 2:
    o_ck = sum_u n_uc (n_uk - [c=k]) / (m_u - 1); n_c = sum_k o_ck; n = sum_c n_c;
    D_o = sum_ck o_ck d2_ck / n; D_e = sum_ck n_c n_k d2_ck / (n (n-1)).
    d2 is [c != k] (nominal), (c - k)^2 (interval), ((c - k)/(c + k))^2 (ratio, values not negative), and for
    ordinal (n_c/2 + n_{c+1} + .. + n_k/2)^2, which is the squared difference of the two values' mid-ranks.

    With `resamples`, a percentile interval from drawing units with replacement; unit counts are only
    re-weighted. Undefined when no unit has two values or when only one value is used. n_items and n_ratings
    count what enters.
    """
    matrix, values = as_counts(counts, "counts"), as_vector(categories, "categories")
    _check_categories(matrix, values, level)
    matrix = matrix[matrix.sum(axis=1) >= 2]
    n_items, n_ratings = matrix.shape[0], round(float(matrix.sum()))
    weighted_alpha = _weighted_alpha(matrix, values, level)
    reason = _why_undefined(matrix)
    if reason:
        return Estimate.undefined(reason, n_items=n_items, n_annotators=n_annotators, n_ratings=n_ratings)
    value = float(weighted_alpha(np.ones((1, n_items)))[0])
    estimate = Estimate(value, n_items=n_items, n_annotators=n_annotators, n_ratings=n_ratings)
    if n_items > POOL_ABOVE and values.size <= POOL_CATEGORIES:
        kinds, multiplicity = np.unique(matrix, axis=0, return_counts=True)
        of_kinds = _weighted_alpha(kinds, values, level)
        return _with_bootstrap(estimate, of_kinds, n_items, resamples, seed, confidence, multiplicity)
    return _with_bootstrap(estimate, weighted_alpha, n_items, resamples, seed, confidence)


def fleiss_kappa(
    counts: npt.ArrayLike, *, resamples: int = 0, seed: int = 0, confidence: float = 0.95
) -> Estimate:
    """Fleiss' kappa (P - P_e) / (1 - P_e) of counts (items x categories) (Fleiss 1971).

    P = mean_i (sum_c n_ic^2 - n) / (n (n-1)); P_e = sum_c p_c^2 with p_c the share of all ratings.
    Undefined unless every item has the same number n >= 2 of ratings (use nominal alpha there), and when only
    one category is used.
    """
    matrix = as_counts(counts, "counts")
    sizes = matrix.sum(axis=1)
    n_items, n_ratings = matrix.shape[0], round(float(sizes.sum()))
    if n_items and (sizes != sizes[0]).any():
        reason: str | None = "items have different numbers of ratings"
    else:
        reason = _why_undefined(matrix[sizes >= 2])
    if reason:
        return Estimate.undefined(reason, n_items=n_items, n_ratings=n_ratings)
    agreement = _pair_agreement(matrix)

    def weighted_kappa(weights: FloatArray) -> FloatArray:
        observed = (weights @ agreement) / weights.sum(axis=1)
        shares = (weights @ matrix) / (weights @ sizes)[:, np.newaxis]
        chance = (shares**2).sum(axis=1)
        one_category = (shares > 0).sum(axis=1) == 1
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(one_category, np.nan, (observed - chance) / (1 - chance))

    value = float(weighted_kappa(np.ones((1, n_items)))[0])
    estimate = Estimate(value, n_items=n_items, n_ratings=n_ratings)
    return _with_bootstrap(estimate, weighted_kappa, n_items, resamples, seed, confidence)


def raw_agreement(
    values: npt.ArrayLike, *, resamples: int = 0, seed: int = 0, confidence: float = 0.95
) -> Estimate:
    """Raw agreement of a table of values (raters x units), NaN missing; see `raw_agreement_from_counts`."""
    table = as_matrix(values, "values")
    return raw_agreement_from_counts(
        _table_counts(table).counts,
        n_annotators=_n_paired_raters(table),
        resamples=resamples,
        seed=seed,
        confidence=confidence,
    )


def raw_agreement_from_counts(
    counts: npt.ArrayLike,
    *,
    n_annotators: int | None = None,
    resamples: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Share of pairs of values on the same unit that are equal, averaged over units with two values or more.

    mean_u sum_c n_uc (n_uc - 1) / (m_u (m_u - 1)): every such unit counts the same, as P in Fleiss' kappa.
    Not corrected for chance. No unit with two values: undefined.
    """
    matrix = as_counts(counts, "counts")
    matrix = matrix[matrix.sum(axis=1) >= 2]
    n_items, n_ratings = matrix.shape[0], round(float(matrix.sum()))
    if n_items == 0:
        return Estimate.undefined(
            "no unit has two or more values", n_items=0, n_annotators=n_annotators, n_ratings=0
        )
    agreement = _pair_agreement(matrix)
    estimate = Estimate(
        float(agreement.mean()), n_items=n_items, n_annotators=n_annotators, n_ratings=n_ratings
    )

    def weighted_mean(weights: FloatArray) -> FloatArray:
        return (weights @ agreement) / weights.sum(axis=1)

    return _with_bootstrap(estimate, weighted_mean, n_items, resamples, seed, confidence)


def _table_counts(table: FloatArray) -> UnitCounts:
    n_raters, n_units = table.shape
    return unit_counts(np.tile(np.arange(n_units), n_raters), table.ravel())


def _n_paired_raters(table: FloatArray) -> int:
    """Raters with a value on a unit that somebody else gave a value too."""
    given = ~np.isnan(table)
    return int(given[:, given.sum(axis=0) >= 2].any(axis=1).sum())


def _check_categories(counts: FloatArray, categories: FloatArray, level: Level) -> None:
    if level not in get_args(Level):
        raise ValueError(f"level {level!r} is none of {', '.join(get_args(Level))}")
    if categories.size != counts.shape[1]:
        raise ValueError(f"categories: {categories.size} given for {counts.shape[1]} columns of counts")
    if not np.all(np.diff(categories) > 0):
        raise ValueError("categories: must be in ascending order")
    if level == "ratio" and (categories < 0).any():
        raise ValueError("categories: the ratio level needs values that are not negative")


def _why_undefined(counts: FloatArray) -> str | None:
    if counts.shape[0] == 0:
        return "no unit has two or more values"
    if (counts.sum(axis=0) > 0).sum() < 2:
        return "only one value is used"
    return None


def _weighted_alpha(
    counts: FloatArray, categories: FloatArray, level: Level
) -> Callable[[FloatArray], FloatArray]:
    """A function from rows of unit weights (k x units) to k alphas, NaN where only one value is left."""
    # n D_o and n (n-1) D_e, from the unit weights and the value totals n_c they imply.
    disagreement = (
        _ordinal(counts) if level == "ordinal" else _fixed_distance(counts, _distance(categories, level))
    )

    def alpha(weights: FloatArray) -> FloatArray:
        totals = weights @ counts
        observed, expected = disagreement(weights, totals)
        ratio = np.full_like(expected, np.nan)
        np.divide((totals.sum(axis=1) - 1) * observed, expected, out=ratio, where=expected > 0)
        return 1 - ratio

    return alpha


_Disagreement = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


def _fixed_distance(counts: FloatArray, distance: FloatArray) -> _Disagreement:
    per_unit = ((counts @ distance) * counts).sum(axis=1) / (counts.sum(axis=1) - 1)
    return lambda weights, totals: (weights @ per_unit, ((totals @ distance) * totals).sum(axis=1))


def _distance(categories: FloatArray, level: Level) -> FloatArray:
    difference = categories[:, np.newaxis] - categories
    if level == "nominal":
        return (difference != 0).astype(np.float64)
    if level == "interval":
        return difference**2
    both = categories[:, np.newaxis] + categories
    return np.divide(difference, both, out=np.zeros_like(difference), where=both > 0) ** 2


def _ordinal(counts: FloatArray) -> _Disagreement:
    """Interval disagreement between mid-ranks, which move with the totals and so with every resample."""
    # Unanimous units disagree by exactly 0; leaving them out keeps rounding from saying otherwise.
    mixed = (counts > 0).sum(axis=1) > 1
    rows = counts[mixed]
    sizes = rows.sum(axis=1)[:, np.newaxis]

    def disagreement(weights: FloatArray, totals: FloatArray) -> tuple[FloatArray, FloatArray]:
        n = totals.sum(axis=1, keepdims=True)
        ranks = np.cumsum(totals, axis=1) - totals / 2 - n / 2
        # sum_ck n_uc n_uk (r_c - r_k)^2 = 2 (m_u sum_c n_uc r_c^2 - (sum_c n_uc r_c)^2)
        spread = 2 * (sizes * (rows @ (ranks**2).T) - (rows @ ranks.T) ** 2) / (sizes - 1)
        observed = (weights[:, mixed] * spread.T).sum(axis=1)
        return observed, 2 * n[:, 0] * (totals * ranks**2).sum(axis=1)

    return disagreement


def _pair_agreement(counts: FloatArray) -> FloatArray:
    sizes = counts.sum(axis=1)
    return (counts * (counts - 1)).sum(axis=1) / (sizes * (sizes - 1))


def _with_bootstrap(
    estimate: Estimate,
    statistic: Callable[[FloatArray], FloatArray],
    n_units: int,
    resamples: int,
    seed: int,
    confidence: float,
    multiplicity: IntArray | None = None,
) -> Estimate:
    if resamples == 0:
        return estimate
    return estimate.with_interval(
        bootstrap_weighted(
            statistic,
            n_units,
            multiplicity=multiplicity,
            resamples=resamples,
            seed=seed,
            level=confidence,
        )
    )
