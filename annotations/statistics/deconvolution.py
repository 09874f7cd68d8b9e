"""Disagreement without the noise of the single answer, from annotators who rated the same thing twice.

A simplified form of disagreement deconvolution (Gordon et al. 2021, CHI), not their algorithm: it takes every
annotator for equally noisy. With fewer than LEAST_PAIRS repeat pairs it refuses.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from annotations.statistics.arrays import FloatArray, as_vector
from annotations.statistics.estimate import Estimate
from annotations.statistics.uncertainty import bootstrap_weighted

LEAST_PAIRS = 100


@dataclass(frozen=True)
class StableVariance:
    """Variance of one item's ratings that is not noise, and its share of the whole; None with a reason."""

    value: float | None
    reliability: float | None = None
    undefined_reason: str | None = None


def flip_rate(
    first: npt.ArrayLike, second: npt.ArrayLike, *, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """How often a yes/no answer is noise, eps = (1 - sqrt(2a - 1)) / 2, a the share of pairs that are equal.

    `first` and `second` are 0 or 1, one pair per repeat; the interval draws pairs. Down is better. Undefined
    below LEAST_PAIRS pairs, and where fewer than half are equal: worse than tossing a coin, which no flip
    rate gives.
    """
    one, other = _pairs(first, second)
    if not (np.isin(one, (0, 1)).all() and np.isin(other, (0, 1)).all()):
        raise ValueError("first and second: 0 or 1")
    equal = (one == other).astype(np.float64)
    if reason := _too_few(one.size):
        return Estimate.undefined(reason, n_items=one.size)
    if equal.mean() < 0.5:
        return Estimate.undefined("repeats agree less often than by tossing a coin", n_items=one.size)

    def rate(weights: FloatArray) -> FloatArray:
        agreement = weights @ equal / weights.sum(axis=1)
        return (1 - np.sqrt(np.clip(2 * agreement - 1, 0, 1))) / 2

    estimate = Estimate(float(rate(np.ones((1, one.size)))[0]), n_items=one.size)
    return estimate.with_interval(bootstrap_weighted(rate, one.size, resamples=resamples, seed=seed))


def stable_share(share: float, flips: float) -> float | None:
    """(p - eps) / (1 - 2 eps) within 0..1: the share of yes without the noise. None at eps of one half.

    >>> round(stable_share(0.26, 0.1), 12)
    0.2
    """
    if not (0 <= share <= 1 and 0 <= flips <= 0.5):
        raise ValueError("a share is from 0 to 1 and a flip rate from 0 to 0.5")
    return None if flips == 0.5 else min(1.0, max(0.0, (share - flips) / (1 - 2 * flips)))


def answer_noise(first: npt.ArrayLike, second: npt.ArrayLike, n_categories: int) -> FloatArray | None:
    """C[true, given] = P(given | true) of one answer, from repeat pairs of category numbers 0..K-1.

    Pairs count in both orders. Two answers to one thing are each noisy, so that the table of pairs shows the
    noise twice over; C is its square root,
    which supposes that answers slip as often from one to another as back. None below LEAST_PAIRS pairs, when
    a category was never given, and when the root has negative entries: the pairs do not look like one and the
    same noise on each answer.
    """
    one, other = (side.astype(np.int64) for side in _pairs(first, second))
    if ((one < 0) | (other < 0) | (one >= n_categories) | (other >= n_categories)).any():
        raise ValueError("first and second: category numbers")
    table = np.bincount(one * n_categories + other, minlength=n_categories**2).reshape(
        n_categories, n_categories
    )
    both = (table + table.T).astype(np.float64)
    if _too_few(one.size) or not both.sum(axis=1).all():
        return None
    # Of a chain that is reversible: sqrt(D) T sqrt(1/D) is symmetric, so its root is by eigenvectors.
    scale = np.sqrt(both.sum(axis=1))
    values, vectors = np.linalg.eigh(both / np.outer(scale, scale))
    if values.min() < -1e-12:
        return None
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    noise = root * scale / scale[:, np.newaxis]
    return (
        None
        if noise.min() < -1e-9
        else np.clip(noise, 0, None) / np.clip(noise, 0, None).sum(axis=1, keepdims=True)
    )


def stable_shares(shares: npt.ArrayLike, noise: npt.ArrayLike) -> FloatArray:
    """The p >= 0 that sums to 1 and comes nearest to C^T p = the shares found (nonnegative least squares)."""
    found = as_vector(shares, "shares")
    matrix = np.asarray(noise, dtype=np.float64)
    if matrix.shape != (found.size, found.size):
        raise ValueError("noise: categories x categories")
    # The last row asks for a sum of 1, much louder than the rest.
    loud = 1e4
    p, _ = nnls(np.vstack([matrix.T, np.full(found.size, loud)]), np.append(found / found.sum(), loud))
    return np.asarray(p / p.sum(), dtype=np.float64)


def stable_variance(values: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike) -> StableVariance:
    """s^2 - s_within^2 of one item's ratings, s_within^2 = mean (first - second)^2 / 2 over the repeat pairs.

    At least 0; reliability is its share of s^2. None below LEAST_PAIRS pairs, with fewer than two ratings,
    and a reliability of None where all ratings are equal.
    """
    ratings = as_vector(values, "values")
    one, other = _pairs(first, second)
    if reason := _too_few(one.size):
        return StableVariance(None, undefined_reason=reason)
    if ratings.size < 2:
        return StableVariance(None, undefined_reason="fewer than two ratings")
    whole = float(ratings.var(ddof=1))
    stable = max(0.0, whole - float(((one - other) ** 2).mean()) / 2)
    return StableVariance(stable, stable / whole if whole > 0 else None)


def _pairs(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    one, other = as_vector(first, "first"), as_vector(second, "second")
    if one.shape != other.shape or np.isnan(one).any() or np.isnan(other).any():
        raise ValueError("first and second: one pair per repeat, none missing")
    return one, other


def _too_few(n_pairs: int) -> str | None:
    return f"{n_pairs} repeat pairs, fewer than {LEAST_PAIRS}" if n_pairs < LEAST_PAIRS else None
