"""How far groups part in their answers to an item: distances between distributions, each with its noise
floor.

`counts` is items x groups x categories throughout, as `group_counts` gives it from long form.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, IntArray, as_labels, as_vector
from annotations.statistics.estimate import Estimate, RestsOn
from annotations.statistics.uncertainty import centred, percentile_interval

Distance = Literal["jsd", "tvd", "w1"]
ANNOTATOR_BOOTSTRAP = "annotator_bootstrap_within_strata_centred_percentile"
# Items are worked on in blocks, so that memory stays bounded.
BLOCK_ITEMS = 65_536


class PairDistances(NamedTuple):
    """`distances` (items x pairs, NaN where one group has no rating) of the `pairs` of group positions."""

    pairs: list[tuple[int, int]]
    distances: FloatArray


class GroupDistance(NamedTuple):
    """Mean over items of the mean over pairs: plug-in `value`, what chance alone gives, and what is left."""

    value: Estimate
    noise_floor: float | None
    excess: float | None


def group_counts(
    items: npt.ArrayLike, groups: npt.ArrayLike, values: npt.ArrayLike, categories: npt.ArrayLike
) -> FloatArray:
    """Counts (items x groups x declared categories) from long form, one row per rating; NaN values left out.

    Items and groups keep a place, in sorted order, even without a value. Raises ValueError on a value that
    was not declared (`categories` ascending).
    """
    ratings = as_vector(values, "values")
    item = as_labels(items, "items", ratings.size)
    group = as_labels(groups, "groups", ratings.size)
    cells = _cells(item, group, ratings, as_vector(categories, "categories"))
    shape = (int(item.max(initial=-1)) + 1, int(group.max(initial=-1)) + 1, np.size(categories))
    given = cells[cells >= 0]
    return np.bincount(given, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def pair_distances(counts: FloatArray, distance: Distance, *, least: int = 1) -> PairDistances:
    """The distance between every two groups on every item: base-2 JS divergence, total variation, or W1 /
    (K-1).

    All three go from 0 (same) to 1; see `distribution` for the formulae. NaN where a group has fewer than
    `least` ratings of the item. Biased upward at small n: compare with `noise_floor`.
    """
    _check(counts)
    pairs = list(combinations(range(counts.shape[1]), 2))
    distances = np.full((counts.shape[0], len(pairs)), np.nan)
    for start in range(0, counts.shape[0], BLOCK_ITEMS):
        rows = slice(start, start + BLOCK_ITEMS)
        distances[rows] = _distances(counts[rows], pairs, MEASURES[distance], max(1, least))
    return PairDistances(pairs, distances)


def noise_floor(
    counts: FloatArray, distance: Distance, *, replicates: int = 100, seed: int = 0, least: int = 1
) -> FloatArray:
    """What each distance (items x pairs) would be on average if both groups answered alike.

    Both groups' answers are redrawn, at their own n, from the two taken together. NaN as in `pair_distances`.
    """
    _check(counts)
    rng, measure = np.random.default_rng(seed), MEASURES[distance]
    sizes = counts.sum(axis=2).astype(np.int64)
    pairs = list(combinations(range(counts.shape[1]), 2))
    floor = np.full((counts.shape[0], len(pairs)), np.nan)
    for column, (one, other) in enumerate(pairs):
        both = np.flatnonzero((sizes[:, one] >= max(1, least)) & (sizes[:, other] >= max(1, least)))
        if both.size == 0:
            continue
        pooled = counts[both, one] + counts[both, other]
        pooled /= pooled.sum(axis=1, keepdims=True)
        total = np.zeros(both.size)
        for _ in range(replicates):
            sides = [
                rng.multinomial(sizes[both, g], pooled) / sizes[both, g, np.newaxis] for g in (one, other)
            ]
            total += measure(*sides)
        floor[both, column] = total / replicates
    return floor


def mean_group_distance(
    items: npt.ArrayLike,
    groups: npt.ArrayLike,
    annotators: npt.ArrayLike,
    values: npt.ArrayLike,
    categories: npt.ArrayLike,
    distance: Distance,
    *,
    resamples: int = 0,
    floor_replicates: int = 100,
    least: int = 1,
    seed: int = 0,
    level: float = 0.95,
) -> GroupDistance:
    """Mean over items of the mean over pairs of groups, with its noise floor and the excess over it.

    With `resamples`, annotators are drawn with replacement within their group, with all their ratings; the
    interval is the central `level` of the results, moved to have their mean at the value, because redrawing
    adds noise and so distance. An annotator sits in the group of their first rating. Undefined when no item
    has ratings of two groups, and with one category.
    """
    ratings, declared = as_vector(values, "values"), as_vector(categories, "categories")
    given = ~np.isnan(ratings)
    item, group, annotator = (
        as_labels(np.asarray(labels)[given], name, int(given.sum()))
        for labels, name in [(items, "items"), (groups, "groups"), (annotators, "annotators")]
    )
    ratings = ratings[given]
    shape = (int(item.max(initial=-1)) + 1, int(group.max(initial=-1)) + 1, declared.size)
    cells = _cells(item, group, ratings, declared)

    def counted(weights: FloatArray | None) -> FloatArray:
        return np.bincount(cells, weights, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)

    def mean_of(distances: FloatArray) -> float:
        defined = ~np.isnan(distances)
        rows = defined.any(axis=1)
        return (
            float((np.nansum(distances[rows], axis=1) / defined[rows].sum(axis=1)).mean())
            if rows.any()
            else np.nan
        )

    counts = counted(None)
    n_annotators = int(annotator.max(initial=-1)) + 1
    plug_in = (
        pair_distances(counts, distance, least=least).distances if declared.size > 1 else np.empty((0, 0))
    )
    rests_on: RestsOn = {
        "n_items": int((~np.isnan(plug_in)).any(axis=1).sum()),
        "n_annotators": n_annotators,
        "n_ratings": ratings.size,
    }
    if rests_on["n_items"] == 0:
        reason = "no item has ratings of two groups" if declared.size > 1 else "fewer than two categories"
        return GroupDistance(Estimate.undefined(reason, **rests_on), None, None)
    value = mean_of(plug_in)
    floor = mean_of(noise_floor(counts, distance, replicates=floor_replicates, seed=seed, least=least))
    estimate = Estimate(value, **rests_on)
    if resamples:
        first = np.unique(annotator, return_index=True)[1]
        draws = draw_within(group[first], resamples, seed)
        means = [
            mean_of(pair_distances(counted(draw[annotator]), distance, least=least).distances)
            for draw in draws
        ]
        interval = percentile_interval(centred(np.array(means), value), level, ANNOTATOR_BOOTSTRAP, seed)
        estimate = estimate.with_interval(interval)
    return GroupDistance(estimate, floor, value - floor)


def draw_within(strata: IntArray, resamples: int, seed: int) -> FloatArray:
    """How often each annotator is drawn (resamples x annotators), with replacement within their stratum."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((resamples, strata.size))
    for stratum in np.unique(strata):
        pool = np.flatnonzero(strata == stratum)
        drawn[:, pool] = rng.multinomial(pool.size, np.full(pool.size, 1 / pool.size), size=resamples)
    return drawn


def _cells(item: IntArray, group: IntArray, ratings: FloatArray, categories: FloatArray) -> IntArray:
    """Each rating's place in the flattened counts; -1 without a value."""
    if categories.size == 0 or not np.all(np.diff(categories) > 0):
        raise ValueError("categories: at least one, in ascending order")
    given = ~np.isnan(ratings)
    code = np.minimum(np.searchsorted(categories, ratings), categories.size - 1)
    undeclared = given & (categories[code] != ratings)
    if undeclared.any():
        raise ValueError(f"value {ratings[undeclared][0]} is not a declared category")
    n_groups = int(group.max(initial=-1)) + 1
    return np.where(given, (item * n_groups + group) * categories.size + code, -1)


def _distances(
    counts: FloatArray, pairs: list[tuple[int, int]], measure: "_Measure", least: int
) -> FloatArray:
    totals = counts.sum(axis=2)
    shares = counts / np.maximum(totals, 1)[:, :, np.newaxis]
    rated = totals >= least
    distances = np.full((counts.shape[0], len(pairs)), np.nan)
    for column, (one, other) in enumerate(pairs):
        both = np.flatnonzero(rated[:, one] & rated[:, other])
        distances[both, column] = measure(shares[both, one], shares[both, other])
    return distances


_Measure = Callable[[FloatArray, FloatArray], FloatArray]


def _jsd(p: FloatArray, q: FloatArray) -> FloatArray:
    divergence = _bits((p + q) / 2) - (_bits(p) + _bits(q)) / 2
    return np.clip(divergence, 0, 1)


def _tvd(p: FloatArray, q: FloatArray) -> FloatArray:
    return np.minimum(np.abs(p - q).sum(axis=1) / 2, 1)


def _w1(p: FloatArray, q: FloatArray) -> FloatArray:
    return np.minimum(np.abs(np.cumsum(p - q, axis=1))[:, :-1].sum(axis=1) / (p.shape[1] - 1), 1)


def _bits(shares: FloatArray) -> FloatArray:
    # 0 times the logarithm of the smallest number is 0, and quicker than asking each number if it is 0.
    return -np.einsum("ic,ic->i", shares, np.log2(np.maximum(shares, np.finfo(np.float64).tiny)))


MEASURES: dict[str, _Measure] = {"jsd": _jsd, "tvd": _tvd, "w1": _w1}


def _check(counts: FloatArray) -> None:
    if counts.ndim != 3 or not np.all(counts >= 0):
        raise ValueError("counts: items x groups x categories, none negative")
    if counts.shape[2] < 2:
        raise ValueError("counts: at least two categories")
