"""How surely one generator stands above another, when other prompts and other annotators might have been
drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, as_labels, as_vector
from annotations.statistics.between_groups import draw_within


@dataclass(frozen=True)
class RankCertainty:
    """`above[a, b]` is the share of resamples with a's mean above b's (a tie half), NaN on the diagonal.

    `first` is the share in which each came first, ties shared; `means` are those of the ratings themselves.
    """

    systems: list[str]
    means: FloatArray
    above: FloatArray
    first: FloatArray
    resamples: int
    seed: int


def rank_certainty(
    systems: npt.ArrayLike,
    items: npt.ArrayLike,
    annotators: npt.ArrayLike,
    utilities: npt.ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> RankCertainty:
    """Resample items (prompts) and, within strata, annotators (Owen 2007), and compare the systems' means.

    Long form, one row per rating. A system's mean is over items of the mean rating of that item's drawn
    jurors. A pair is compared only in resamples where both have a rating; never: NaN. All systems share the
    draws, so what makes a prompt or an annotator hard is the same for all. An annotator's stratum is that of
    their first rating.
    """
    ratings = as_vector(utilities, "utilities")
    if np.isnan(ratings).any():
        raise ValueError("utilities: leave out jurors without a value")
    n = ratings.size
    names, system = np.unique(np.asarray(systems), return_inverse=True)
    item, annotator = as_labels(items, "items", n), as_labels(annotators, "annotators", n)
    stratum = as_labels([""] * n if strata is None else strata, "strata", n)
    n_items, n_systems = int(item.max(initial=-1)) + 1, names.size
    cell = system * n_items + item

    def means_of(item_draws: FloatArray, annotator_draws: FloatArray) -> FloatArray:
        seated = annotator_draws[annotator]
        counts = np.bincount(cell, seated, minlength=n_systems * n_items).reshape(n_systems, n_items)
        totals = np.bincount(cell, seated * ratings, minlength=counts.size).reshape(counts.shape)
        means = np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)
        weights = (counts > 0) @ item_draws
        return np.divide(means @ item_draws, weights, out=np.full(n_systems, np.nan), where=weights > 0)

    pool = stratum[np.unique(annotator, return_index=True)[1]]
    item_draws = draw_within(np.zeros(n_items, dtype=np.int64), resamples, seed)
    annotator_draws = draw_within(pool, resamples, seed + 1)
    drawn = np.array([means_of(*pair) for pair in zip(item_draws, annotator_draws, strict=True)])
    one, other = drawn[:, :, np.newaxis], drawn[:, np.newaxis]
    compared = ~np.isnan(one) & ~np.isnan(other) & ~np.eye(n_systems, dtype=bool)
    wins = ((one > other) + (one == other) / 2) * compared
    times = compared.sum(axis=0)
    above = np.divide(wins.sum(axis=0), times, out=np.full(times.shape, np.nan), where=times > 0)
    first = _first_shares(drawn[~np.isnan(drawn).all(axis=1)])
    plain = means_of(np.ones(n_items), np.ones(pool.size))
    return RankCertainty([str(name) for name in names], plain, above, first, resamples, seed)


def _first_shares(drawn: FloatArray) -> FloatArray:
    if not drawn.shape[0]:
        return np.full(drawn.shape[1], np.nan)
    best = drawn == np.nanmax(drawn, axis=1, keepdims=True)
    return np.asarray((best / best.sum(axis=1, keepdims=True)).mean(axis=0))
