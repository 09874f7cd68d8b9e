"""Several objectives at once: what is not dominated, how much it covers, and how well a weight steers.

Points are candidates x objectives, every objective from 0 to 1 with up better.
"""

from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from annotations.statistics.arrays import FloatArray, as_matrix, as_vector


def pareto_front(points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which points no other is at least as good as in everything and better in something (Pareto 1906).

    Equal points are both in. A point with a missing objective is compared with none, and is not in.
    """
    table = as_matrix(points, "points")
    front: npt.NDArray[np.bool_] = np.asarray(~np.isnan(table).any(axis=1))
    rows = np.flatnonzero(front)
    for row in rows:
        others = table[rows]
        front[row] = not ((others >= table[row]).all(axis=1) & (others > table[row]).any(axis=1)).any()
    return front


def hypervolume(points: npt.ArrayLike, reference: npt.ArrayLike | None = None) -> float:
    """Volume that the points dominate above the reference, 0 in each objective (Zitzler and Thiele 1998).

    Up is better: 1 for the point (1, .., 1). No point above the reference: 0. Exact in any number of
    objectives by slicing, which is for tens of points in more than three. Compare only with one and the same
    reference.

    >>> hypervolume([[1.0, 0.5], [0.5, 1.0]])
    0.75
    """
    table = as_matrix(points, "points")
    start = np.zeros(table.shape[1]) if reference is None else as_vector(reference, "reference")
    if start.shape != table.shape[1:]:
        raise ValueError("reference: one number per objective")
    # Slicing ignores what is dominated; dropping it first only pays where slices have slices.
    kept = table[pareto_front(table) if table.shape[1] > 2 else ~np.isnan(table).any(axis=1)]
    above = kept - start
    return _volume(above[(above > 0).all(axis=1)])


def simplex_lattice(n_objectives: int, steps: int) -> FloatArray:
    """All weight vectors in steps of 1/steps that sum to 1 (Scheffe 1958): C(steps + n - 1, n - 1) rows."""
    if n_objectives < 1 or steps < 1:
        raise ValueError("at least one objective and one step")
    picks = combinations_with_replacement(range(n_objectives), steps)
    return np.array([np.bincount(pick, minlength=n_objectives) for pick in picks])[::-1] / steps


def steering_regret(steered: npt.ArrayLike, weights: npt.ArrayLike, available: npt.ArrayLike) -> FloatArray:
    """max_m w . f_m - w . f(w) per weight vector. Down is better.

    `steered` is the vector reached under each of the `weights` (both vectors x objectives), `available` those
    that could have been picked. 0 where the best was; below 0 where what was reached is better than anything
    available.
    """
    reached, wanted, offered = (
        as_matrix(steered, "steered"),
        as_matrix(weights, "weights"),
        as_matrix(available, "a"),
    )
    if reached.shape != wanted.shape or offered.shape[1] != wanted.shape[1] or not offered.size:
        raise ValueError("steered and weights: one row each, over the objectives of what is available")
    return (wanted @ offered.T).max(axis=1) - (wanted * reached).sum(axis=1)


def steering_monotonicity(steered: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
    """Spearman correlation of each objective's weight with what was reached in it: 1 follows .. -1 opposes.

    NaN for an objective whose weight or result never changes, and with fewer than three weight vectors.
    """
    reached, wanted = as_matrix(steered, "steered"), as_matrix(weights, "weights")
    if reached.shape != wanted.shape:
        raise ValueError("steered and weights: one row each")
    found = np.full(reached.shape[1], np.nan)
    for column, (given, got) in enumerate(zip(wanted.T, reached.T, strict=True)):
        if given.size >= 3 and np.ptp(given) > 0 and np.ptp(got) > 0:
            found[column] = spearmanr(given, got).statistic
    return found


def _volume(points: FloatArray) -> float:
    """Volume between 0 and the points, by slices along the last objective."""
    if points.shape[0] == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(points.max())
    order = np.argsort(-points[:, -1], kind="stable")
    ordered = points[order]
    depths = ordered[:, -1] - np.append(ordered[1:, -1], 0)
    if points.shape[1] == 2:
        return float(np.maximum.accumulate(ordered[:, 0]) @ depths)
    return float(
        sum(_volume(ordered[: row + 1, :-1]) * depth for row, depth in enumerate(depths) if depth > 0)
    )
