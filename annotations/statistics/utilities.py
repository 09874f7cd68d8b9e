"""From a rating on its declared scale to a utility between 0 and 1."""

from typing import overload

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray


@overload
def to_utility(value: float, scale_min: float, scale_max: float, higher_is_better: bool = True) -> float: ...
@overload
def to_utility(
    value: npt.ArrayLike, scale_min: float, scale_max: float, higher_is_better: bool = True
) -> float | FloatArray: ...
def to_utility(
    value: npt.ArrayLike, scale_min: float, scale_max: float, higher_is_better: bool = True
) -> float | FloatArray:
    """Map ratings to 0..1 on the declared scale: u = (r - min) / (max - min), or (max - r) / (max - min).

    The scale is the criterion's, never the range a rater happened to use, so that utilities of different
    jurors stay on one footing (Sorensen et al. 2024 compare jurors through a welfare function). NaN (missing)
    stays NaN. A number gives a number, an array an array of the same shape. Raises ValueError when the scale
    holds fewer than two points or a rating lies outside it.

    >>> to_utility(4, 1, 5)
    0.75
    >>> to_utility(4, 1, 5, higher_is_better=False)
    0.25
    """
    if not (np.isfinite(scale_min) and np.isfinite(scale_max) and scale_min < scale_max):
        raise ValueError(f"the scale from {scale_min} to {scale_max} is empty")
    ratings = np.asarray(value, dtype=np.float64)
    outside = (ratings < scale_min) | (ratings > scale_max)
    if outside.any():
        raise ValueError(
            f"rating {ratings[outside].flat[0]} lies outside the scale from {scale_min} to {scale_max}"
        )
    distance = ratings - scale_min if higher_is_better else scale_max - ratings
    utilities = distance / (scale_max - scale_min)
    return float(utilities) if utilities.ndim == 0 else utilities
