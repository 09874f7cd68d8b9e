"""Answers as distributions over ordered categories: shares, entropy, and distances between two of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, as_vector


def category_share(values: npt.ArrayLike, categories: Sequence[float]) -> FloatArray | None:
    """Share of each declared category among the values, in the order declared; NaN values are left out.

    Categories nobody chose get 0. No value at all: None. Raises ValueError on a value that was not declared.

    >>> category_share([1, 1, 3, float("nan")], [1, 2, 3]).tolist()
    [0.6666666666666666, 0.0, 0.3333333333333333]
    """
    ratings = as_vector(values, "values")
    ratings = ratings[~np.isnan(ratings)]
    declared = as_vector(categories, "categories")
    if np.unique(declared).size != declared.size:
        raise ValueError("categories: each may be declared once")
    undeclared = ~np.isin(ratings, declared)
    if undeclared.any():
        raise ValueError(f"value {ratings[undeclared][0]} is not a declared category")
    if ratings.size == 0:
        return None
    return (ratings[:, np.newaxis] == declared).sum(axis=0) / ratings.size


def entropy(p: npt.ArrayLike) -> float | None:
    """Shannon entropy -sum_k p_k log2 p_k in bits, with 0 log 0 = 0 (Shannon 1948).

    Counts or shares (scaled to sum to 1): 0 when one category holds all, log2 K when even. All zero: None.

    >>> entropy([1, 1])
    1.0
    """
    shares = _shares(p)
    return None if shares is None else _bits(shares)


def normalised_entropy(p: npt.ArrayLike) -> float | None:
    """Entropy over its maximum log2 K, K the declared categories: 0 one answer .. 1 even.

    One declared category leaves no choice and no maximum: None. All zero: None.
    """
    shares = _shares(p)
    if shares is None or shares.size < 2:
        return None
    return min(1.0, _bits(shares) / float(np.log2(shares.size)))


def js_divergence(p: npt.ArrayLike, q: npt.ArrayLike) -> float | None:
    """Jensen-Shannon divergence H((p+q)/2) - (H(p) + H(q))/2 in base 2: 0 same .. 1 disjoint (Lin 1991).

    The divergence, not its root, the distance. Counts or shares over the same categories; a side that is all
    zero: None. Biased upward at small n, so print it with its n.

    >>> js_divergence([1, 0], [0, 1])
    1.0
    """
    pair = _pair(p, q)
    if pair is None:
        return None
    one, other = pair
    divergence = _bits((one + other) / 2) - (_bits(one) + _bits(other)) / 2
    return min(1.0, max(0.0, divergence))


def total_variation(p: npt.ArrayLike, q: npt.ArrayLike) -> float | None:
    """Total variation distance sum_k |p_k - q_k| / 2: 0 same .. 1 disjoint. A side that is all zero: None.

    >>> total_variation([1, 1], [1, 3])
    0.25
    """
    pair = _pair(p, q)
    if pair is None:
        return None
    return min(1.0, float(np.abs(pair[0] - pair[1]).sum() / 2))


def wasserstein_ordinal(
    p: npt.ArrayLike, q: npt.ArrayLike, *, positions: npt.ArrayLike | None = None, normalised: bool = False
) -> float | None:
    """Wasserstein-1 distance sum_{k<K} |F_p(k) - F_q(k)| (x_{k+1} - x_k) on ordered categories.

    Positions x_k default to 0..K-1, so the unit is one category; `normalised` divides by x_K - x_1 into 0..1.
    A side that is all zero: None. One category: 0, but None when normalised, as there is no width to divide
    by.

    >>> wasserstein_ordinal([1, 0, 0], [0, 0, 1])
    2.0
    """
    pair = _pair(p, q)
    if pair is None:
        return None
    places = (
        np.arange(pair[0].size, dtype=np.float64) if positions is None else as_vector(positions, "positions")
    )
    if places.size != pair[0].size or not np.all(np.diff(places) > 0):
        raise ValueError("positions: one per category, in ascending order")
    if normalised and places.size < 2:
        return None
    gap = np.abs(np.cumsum(pair[0] - pair[1]))[:-1]
    distance = float(gap @ np.diff(places))
    return min(1.0, distance / float(places[-1] - places[0])) if normalised else distance


def _shares(p: npt.ArrayLike) -> FloatArray | None:
    masses = as_vector(p, "p")
    if not np.all(masses >= 0):
        raise ValueError("a distribution holds numbers that are not negative")
    total = masses.sum()
    return masses / total if total > 0 else None


def _pair(p: npt.ArrayLike, q: npt.ArrayLike) -> tuple[FloatArray, FloatArray] | None:
    one, other = _shares(p), _shares(q)
    if np.shape(p) != np.shape(q):
        raise ValueError(f"distributions over {np.size(p)} and {np.size(q)} categories cannot be compared")
    return None if one is None or other is None else (one, other)


def _bits(shares: FloatArray) -> float:
    held = shares[shares > 0]
    return abs(float((held * np.log2(held)).sum()))
