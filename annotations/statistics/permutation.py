"""Permutation tests: how rare a number would be if labels meant nothing, and many tests at once."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control

from annotations.statistics.arrays import FloatArray, IntArray, as_vector


def permutation_p_value(observed: float, null: npt.ArrayLike, *, two_sided: bool = True) -> float | None:
    """(1 + number of null values as extreme as the observed) / (1 + number of null values).

    So it is never 0 (Phipson and Smyth 2010). Two-sided, extreme is the distance from the null's mean; else
    it is being as high. NaN null values are left out; none left: None. Values within rounding of the observed
    count as extreme, which keeps ties from making a result look rarer than it is.
    """
    values = as_vector(null, "null")
    values = values[~np.isnan(values)]
    if values.size == 0 or not np.isfinite(observed):
        return None
    middle = float(values.mean()) if two_sided else 0.0
    reach, reached = (abs(observed - middle), np.abs(values - middle)) if two_sided else (observed, values)
    slack = 1e-12 * max(1.0, abs(reach))
    return float((1 + (reached >= reach - slack).sum()) / (1 + values.size))


def permute_labels(labels: npt.ArrayLike, permutations: int, seed: int) -> IntArray:
    """`permutations` shuffles of the labels (codes, one per annotator): permutations x annotators.

    Labels belong to annotators, so an annotator's whole row of ratings moves with them.
    """
    codes = np.asarray(labels, dtype=np.int64)
    return np.random.default_rng(seed).permuted(np.tile(codes, (permutations, 1)), axis=1)


def permutation_test(
    statistic: Callable[[IntArray], float],
    labels: npt.ArrayLike,
    *,
    permutations: int = 1000,
    seed: int = 0,
    two_sided: bool = True,
) -> float | None:
    """p-value of a statistic of annotators' group codes, NaN where undefined; None if it is for these."""
    codes = np.asarray(labels, dtype=np.int64)
    null = np.array([statistic(row) for row in permute_labels(codes, permutations, seed)], dtype=np.float64)
    return permutation_p_value(float(statistic(codes)), null, two_sided=two_sided)


def adjusted_p_values(p_values: npt.ArrayLike) -> FloatArray:
    """q-values that hold the false discovery rate over these tests (Benjamini and Hochberg 1995).

    NaN (no test) stays NaN and does not count among the tests.

    >>> adjusted_p_values([0.01, 0.04, float("nan"), 0.03]).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    raw = as_vector(p_values, "p_values")
    adjusted = np.full_like(raw, np.nan)
    tested = ~np.isnan(raw)
    if tested.any():
        adjusted[tested] = false_discovery_control(raw[tested], method="bh")
    return adjusted
