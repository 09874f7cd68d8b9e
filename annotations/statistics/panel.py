"""A panel of annotators on items, in long form, whose mean welfare a two-way bootstrap recomputes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, IntArray, as_labels, as_vector
from annotations.statistics.welfare import WELFARE, Welfare

# From how often each item and each annotator was drawn to a mean over items; NaN when no item has a welfare.
MeanWelfare = Callable[[IntArray, IntArray], float]


@dataclass(frozen=True)
class Panel:
    """Rating k is the utility `ratings[k]` of item `item[k]` to `annotator[k]` of stratum `strata[k]`."""

    ratings: FloatArray
    item: IntArray
    annotator: IntArray
    strata: npt.NDArray[Any]

    @classmethod
    def of(
        cls,
        items: npt.ArrayLike,
        annotators: npt.ArrayLike,
        utilities: npt.ArrayLike,
        strata: Sequence[str | None] | None,
    ) -> "Panel":
        """Number the items and annotators from 0; ValueError when the columns are not of one length."""
        ratings = as_vector(utilities, "utilities")
        if np.isnan(ratings).any():
            raise ValueError("utilities: leave out jurors without a value")
        labels = np.array([None] * ratings.size if strata is None else list(strata), dtype=object)
        if labels.shape != ratings.shape:
            raise ValueError("strata: one label per rating")
        item = as_labels(items, "items", ratings.size)
        return cls(ratings, item, as_labels(annotators, "annotators", ratings.size), labels)

    @property
    def n_items(self) -> int:
        return int(self.item.max(initial=-1)) + 1

    @property
    def n_annotators(self) -> int:
        return int(self.annotator.max(initial=-1)) + 1

    def everyone_once(self) -> tuple[IntArray, IntArray]:
        """The draws that are the panel itself."""
        return np.ones(self.n_items, dtype=np.int64), np.ones(self.n_annotators, dtype=np.int64)

    def draw(self, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """How often each item and each annotator is drawn: items freely, annotators within their stratum."""
        items = rng.integers(self.n_items, size=self.n_items)
        annotators = np.concatenate([rng.choice(pool, size=pool.size) for pool in self._pools])
        return (
            np.bincount(items, minlength=self.n_items),
            np.bincount(annotators, minlength=self.n_annotators),
        )

    def mean_welfare_of(self, welfare: Welfare) -> MeanWelfare:
        """The mean over items of `welfare`, as a function of the draws.

        An item without a drawn annotator, or whose welfare is undefined, drops out of the mean.
        """
        if welfare is WELFARE["utilitarian"]:
            return self._mean_of_lowest_cell(np.zeros(self.ratings.size, dtype=np.int64))
        if welfare is WELFARE["maximin_strata"]:
            return self._mean_of_lowest_cell(self._stratum_codes)
        rows_of_item = np.split(np.argsort(self.item, kind="stable"), np.cumsum(np.bincount(self.item))[:-1])

        def mean_welfare(item_draws: IntArray, annotator_draws: IntArray) -> float:
            values = np.full(item_draws.size, np.nan)
            for index in np.flatnonzero(item_draws):
                rows = rows_of_item[index]
                seated = np.repeat(rows, annotator_draws[self.annotator[rows]])
                value = welfare(self.ratings[seated], self.strata[seated])
                values[index] = np.nan if value is None else value
            return _mean_of_defined(values, item_draws)

        return mean_welfare

    def _mean_of_lowest_cell(self, group: IntArray) -> MeanWelfare:
        """Mean over items of the lowest mean among the item's groups (-1: in none), for all items at once."""
        grouped = np.flatnonzero(group >= 0)
        n_groups = int(group.max(initial=0)) + 1
        keys, cell = np.unique(self.item[grouped] * n_groups + group[grouped], return_inverse=True)
        items, first_cell = np.unique(keys // n_groups, return_index=True)

        def mean_welfare(item_draws: IntArray, annotator_draws: IntArray) -> float:
            times = annotator_draws[self.annotator[grouped]]
            totals = np.bincount(cell, times * self.ratings[grouped], minlength=keys.size)
            counts = np.bincount(cell, times, minlength=keys.size)
            means = np.divide(totals, counts, out=np.full(keys.size, np.nan), where=counts > 0)
            lowest = np.fmin.reduceat(means, first_cell) if keys.size else means
            return _mean_of_defined(lowest, item_draws[items])

        return mean_welfare

    @cached_property
    def _stratum_codes(self) -> IntArray:
        names = sorted({str(stratum) for stratum in self.strata if stratum is not None})
        code = {name: index for index, name in enumerate(names)}
        return np.array([code.get(str(s), -1) if s is not None else -1 for s in self.strata], dtype=np.int64)

    @cached_property
    def _pools(self) -> list[IntArray]:
        """Annotators of each stratum and of none; an annotator's stratum is that of their first rating."""
        first = np.unique(self.annotator, return_index=True)[1]
        code = self._stratum_codes[first]
        return [np.flatnonzero(code == stratum) for stratum in np.unique(code)]


def _mean_of_defined(values: FloatArray, draws: IntArray) -> float:
    weights = np.where(np.isnan(values), 0, draws)
    return float(np.average(np.nan_to_num(values), weights=weights)) if weights.sum() else float("nan")
