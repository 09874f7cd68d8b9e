"""The array types statistics speak in, and the checks at their door."""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def as_vector(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return `values` as a one-dimensional float array; NaN stands for a missing value and is kept.

    Raises ValueError, naming the argument, when there is another number of dimensions or an infinity.
    """
    return _checked(values, name, dimensions=1)


def as_matrix(values: npt.ArrayLike, name: str) -> FloatArray:
    """Return `values` as a two-dimensional float array, under the rules of `as_vector`."""
    return _checked(values, name, dimensions=2)


def as_counts(counts: npt.ArrayLike, name: str) -> FloatArray:
    """Return a matrix of counts (units x categories); raises ValueError on a missing or negative count."""
    matrix = as_matrix(counts, name)
    if not np.all(matrix >= 0):
        raise ValueError(f"{name}: counts are numbers that are not negative")
    return matrix


def as_labels(values: Any, name: str, length: int) -> IntArray:
    """Return labels (numbers or text) as codes 0..k-1 in sorted order; ValueError unless `length` of them."""
    labels = np.asarray(values)
    if labels.shape != (length,):
        raise ValueError(f"{name}: expected {length} labels, got shape {labels.shape}")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _checked(values: npt.ArrayLike, name: str, *, dimensions: int) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions:
        raise ValueError(f"{name}: expected {dimensions} dimension(s), got shape {array.shape}")
    if np.isinf(array).any():
        raise ValueError(f"{name}: infinite values are not allowed")
    return array
