"""Chance-corrected agreement beside alpha: Cohen, Fleiss with missing values, Conger, Brennan-Prediger, Gwet.

They differ in what they take for chance. Where one answer prevails, kappas fall although people agree (the
prevalence paradox); Gwet's coefficient does not, so that a wide gap between the two says that the answers are
lopsided.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, as_counts, as_matrix
from annotations.statistics.estimate import Estimate, RestsOn
from annotations.statistics.uncertainty import bootstrap_weighted

CHANCE: dict[str, Callable[[FloatArray], FloatArray]] = {
    "fleiss": lambda shares: (shares**2).sum(axis=1),
    "brennan_prediger": lambda shares: np.full(shares.shape[0], 1 / shares.shape[1]),
    "gwet": lambda shares: (shares * (1 - shares)).sum(axis=1) / (shares.shape[1] - 1),
}


def cohen_kappa(table: npt.ArrayLike) -> Estimate:
    """Cohen's kappa (P - P_e)/(1 - P_e) of two raters' crossed counts (K x K) (Cohen 1960).

    P_e is the product of both margins.

    Undefined without an item, and when both use one and the same category.

    >>> round(cohen_kappa([[20, 5], [10, 15]]).value, 12)
    0.4
    """
    counts = as_counts(table, "table")
    if counts.shape[0] != counts.shape[1]:
        raise ValueError("table: as many rows as columns")
    n = counts.sum()
    n_items = round(float(n))
    rests_on: RestsOn = {"n_items": n_items, "n_annotators": 2, "n_ratings": 2 * n_items}
    if n == 0:
        return Estimate.undefined("no item was rated by both", **rests_on)
    chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / float(n) ** 2
    if chance == 1:
        return Estimate.undefined("only one value is used", **rests_on)
    return Estimate((float(np.trace(counts)) / float(n) - chance) / (1 - chance), **rests_on)


def chance_corrected_agreement(
    counts: npt.ArrayLike,
    chance: Literal["fleiss", "brennan_prediger", "gwet"],
    *,
    weights: npt.ArrayLike | None = None,
    resamples: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """(P - P_e)/(1 - P_e) of counts (items x declared categories); numbers of ratings may differ.

    P = mean over items with r_i >= 2 of sum_c n_ic (n_ic - 1) / (r_i (r_i - 1)); pi_c = mean over rated items
    of n_ic / r_i. P_e: fleiss sum pi_c^2; brennan_prediger 1/K; gwet sum pi_c (1 - pi_c) / (K-1), which is
    AC1 (Gwet 2014, Handbook of Inter-Rater Reliability, ch. 2). `weights` (K x K, 1 on the diagonal, see
    `partial_credit`) count near answers as partly equal: AC2, and the weighted forms of the others.

    With `resamples`, a percentile interval from drawing items. Undefined when no item has two ratings, with
    one category, and when chance alone would make agreement perfect.
    """
    matrix = as_counts(counts, "counts")
    matrix = matrix[matrix.sum(axis=1) > 0]
    sizes, k = matrix.sum(axis=1), matrix.shape[1]
    credit = np.eye(k) if weights is None else as_matrix(weights, "weights")
    if credit.shape != (k, k):
        raise ValueError("weights: categories x categories")
    rests_on: RestsOn = {"n_items": matrix.shape[0], "n_ratings": round(float(sizes.sum()))}
    paired = sizes >= 2
    if not paired.any():
        return Estimate.undefined("no unit has two or more values", **rests_on)
    if k < 2:
        return Estimate.undefined("fewer than two categories", **rests_on)
    pairs = np.where(paired, sizes * (sizes - 1), 1)
    agreement = np.where(paired, (matrix * (matrix @ credit - np.diag(credit))).sum(axis=1) / pairs, 0)
    shares = matrix / sizes[:, np.newaxis]

    def corrected(drawn: FloatArray) -> FloatArray:
        used = (drawn @ shares) / drawn.sum(axis=1)[:, np.newaxis]
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = (drawn @ agreement) / (drawn @ paired)
            expected = _expected(used, chance, credit)
            return np.where(expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan)

    value = float(corrected(np.ones((1, matrix.shape[0])))[0])
    if np.isnan(value):
        return Estimate.undefined("chance alone makes agreement perfect", **rests_on)
    estimate = Estimate(value, **rests_on)
    if resamples == 0:
        return estimate
    return estimate.with_interval(
        bootstrap_weighted(corrected, matrix.shape[0], resamples=resamples, seed=seed, level=confidence)
    )


def partial_credit(n_categories: int, kind: Literal["linear", "quadratic"]) -> FloatArray:
    """Weights 1 - |c-k|/(K-1), or with that distance squared (Cicchetti 1971; Cohen 1968)."""
    if n_categories < 2:
        raise ValueError("fewer than two categories")
    places = np.arange(n_categories, dtype=np.float64)
    distance = np.abs(places[:, np.newaxis] - places) / (n_categories - 1)
    return 1 - (distance if kind == "linear" else distance**2)


def conger_kappa(values: npt.ArrayLike) -> Estimate:
    """Conger's kappa of a table (raters x items), NaN missing: each rater has their own margin (Conger 1980).

    P as in `chance_corrected_agreement`; P_e = sum_c mean_g(p_gc)^2 - sum_c var_g(p_gc)/g, with p_gc rater
    g's share of category c and the variance over g - 1 (Gwet 2014, ch. 2). For two raters it is Cohen's
    kappa. Undefined when no item has two ratings and when only one value is used.
    """
    table = as_matrix(values, "values")
    table = table[~np.isnan(table).all(axis=1)]
    given = ~np.isnan(table)
    rests_on: RestsOn = {
        "n_items": int(given.any(axis=0).sum()),
        "n_annotators": table.shape[0],
        "n_ratings": int(given.sum()),
    }
    sizes = given.sum(axis=0)
    if not (sizes >= 2).any():
        return Estimate.undefined("no unit has two or more values", **rests_on)
    used = np.unique(table[given])
    if used.size < 2:
        return Estimate.undefined("only one value is used", **rests_on)
    chosen = table[:, :, np.newaxis] == used
    counts = chosen.sum(axis=0)[sizes >= 2]
    pairs = (sizes * (sizes - 1))[sizes >= 2]
    observed = float(((counts * (counts - 1)).sum(axis=1) / pairs).mean())
    margins = chosen.sum(axis=1) / given.sum(axis=1)[:, np.newaxis]
    spread = margins.var(axis=0, ddof=1) / margins.shape[0]
    expected = float((margins.mean(axis=0) ** 2 - spread).sum())
    return Estimate((observed - expected) / (1 - expected), **rests_on)


def _expected(shares: FloatArray, chance: str, credit: FloatArray) -> FloatArray:
    k = shares.shape[1]
    if chance == "fleiss":
        return ((shares @ credit) * shares).sum(axis=1)
    # Of the other two, chance is what no weights give, times the mean credit of a pair relative to theirs.
    return CHANCE[chance](shares) * credit.sum() / k
