"""Seeded resampling: how far a number would move with other items, other annotators or another jury."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, IntArray, as_vector
from annotations.statistics.estimate import Estimate, Interval
from annotations.statistics.panel import Panel
from annotations.statistics.welfare import WELFARE, Welfare, WelfareFunction, welfare_of

ITEM_BOOTSTRAP = "item_bootstrap_percentile"
PIGEONHOLE_BOOTSTRAP = "pigeonhole_bootstrap_centred_percentile"
JURY_DRAWS = "jury_draws_percentile"

# Percentiles of only the defined replicates describe another statistic, so at most a tenth may fail.
DEFINED_SHARE = 0.9
BLOCK_CELLS = 2_000_000


def percentile_interval(replicates: FloatArray, level: float, ci_method: str, seed: int) -> Interval:
    """The central `level` share of the replicates (percentile method, Efron 1979).

    NaN replicates are undefined ones. They are left out; with fewer than nine tenths defined there is no
    interval.
    """
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not between 0 and 1")
    defined = replicates[~np.isnan(replicates)]
    if defined.size == 0 or defined.size < DEFINED_SHARE * replicates.size:
        return Interval(None, None, ci_method, seed, "too many resamples leave the statistic undefined")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), ci_method, seed)


def resample_pooled_weights(multiplicity: IntArray, resamples: int, seed: int) -> Iterator[FloatArray]:
    """As `resample_weights`, of units that fall into kinds: how often each kind was drawn (resamples x
    kinds).

    `multiplicity` says how many units are of each kind. The same law as drawing units and adding up their
    kinds, in less time where kinds are few.
    """
    rng = np.random.default_rng(seed)
    n_units, block = int(multiplicity.sum()), max(1, BLOCK_CELLS // max(1, multiplicity.size))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        yield rng.multinomial(n_units, multiplicity / n_units, size=rows).astype(np.float64)


def resample_weights(n_units: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    """Yield blocks (some resamples x n_units) saying how often each unit was drawn with replacement.

    A statistic that is linear in per-unit sums needs only these weights, so no resampled data are built.
    Each row sums to n_units. Blocks bound the memory; their rows together number `resamples`.
    """
    rng = np.random.default_rng(seed)
    block = max(1, BLOCK_CELLS // max(1, n_units))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = rng.integers(n_units, size=(rows, n_units)) + n_units * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n_units).reshape(rows, n_units).astype(np.float64)


def bootstrap_weighted(
    statistic: Callable[[FloatArray], FloatArray],
    n_units: int,
    *,
    multiplicity: IntArray | None = None,
    resamples: int = 1000,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of a statistic from rows of unit weights (k x n_units) to k numbers, NaN undefined.

    With `multiplicity` the statistic's rows are weights of kinds of units, see `resample_pooled_weights`.

    With fewer than two units nothing can vary, and there is no interval rather than one of width 0.
    """
    _require_resamples(resamples)
    if n_units < 2:
        return Interval(None, None, ITEM_BOOTSTRAP, seed, "fewer than two items to resample")
    drawn = (
        resample_weights(n_units, resamples, seed)
        if multiplicity is None
        else resample_pooled_weights(multiplicity, resamples, seed)
    )
    replicates = [statistic(weights) for weights in drawn]
    return percentile_interval(np.concatenate(replicates), level, ITEM_BOOTSTRAP, seed)


def bootstrap_interval(
    statistic: Callable[[IntArray], float | None],
    n_units: int,
    *,
    resamples: int = 1000,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of any statistic of n_units unit indices, drawn with replacement.

    The statistic returns None where it is undefined. Fewer than two units give no interval.
    """
    _require_resamples(resamples)
    if n_units < 2:
        return Interval(None, None, ITEM_BOOTSTRAP, seed, "fewer than two items to resample")
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(n_units, size=n_units)) for _ in range(resamples)]
    replicates = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return percentile_interval(replicates, level, ITEM_BOOTSTRAP, seed)


def bootstrap_mean(
    values: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    resamples: int = 1000,
    seed: int,
    level: float = 0.95,
) -> Estimate:
    """Mean over items, sum w_i v_i / sum w_i, with an interval from resampling items.

    `values` has one number per item, NaN where the item has none (left out). Weights, such as the number of
    ratings behind each item's mean, default to 1. No item with weight: undefined. One item: no interval.
    """
    _require_resamples(resamples)
    numbers = as_vector(values, "values")
    shares = np.ones_like(numbers) if weights is None else as_vector(weights, "weights")
    if shares.shape != numbers.shape or not np.all(shares >= 0):
        raise ValueError("weights: one number per value, none negative")
    kept = ~np.isnan(numbers) & (shares > 0)
    numbers, shares = numbers[kept], shares[kept]
    if numbers.size == 0:
        return Estimate.undefined("no item has a value", n_items=0)
    estimate = Estimate(float(np.average(numbers, weights=shares)), n_items=numbers.size)
    interval = bootstrap_weighted(
        lambda drawn: (drawn @ (shares * numbers)) / (drawn @ shares),
        numbers.size,
        resamples=resamples,
        seed=seed,
        level=level,
    )
    return estimate.with_interval(interval)


def pigeonhole_welfare(
    items: npt.ArrayLike,
    annotators: npt.ArrayLike,
    utilities: npt.ArrayLike,
    welfare: str | WelfareFunction = "utilitarian",
    *,
    strata: Sequence[str | None] | None = None,
    resamples: int = 1000,
    seed: int,
    level: float = 0.95,
) -> Estimate:
    """Mean over items of each item's welfare, with a two-way interval over items and annotators.

    Long form: rating k is annotator `annotators[k]`'s utility for item `items[k]`, with that annotator's
    stratum in `strata[k]`. Each replicate draws items and, independently and within strata, annotators, both
    with replacement; a rating counts (times its item was drawn) x (times its annotator was drawn), as in the
    pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1(2)), which is wider than resampling items
    alone. Items left without a juror in a replicate drop out of it. Items whose welfare is undefined drop out
    of the mean. Fewer than two items or annotators: no interval.

    A draw repeats annotators, so it holds fewer different ones than the panel, and a minimum or another
    welfare that is not linear comes out shifted. The interval is therefore moved to have the replicates' mean
    at the value: it says how far the welfare of a panel of this size varies. It keeps to 0..1 where the
    numbers do.
    """
    _require_resamples(resamples)
    panel = Panel.of(items, annotators, utilities, strata)
    mean_welfare = panel.mean_welfare_of(_welfare(welfare))
    value = mean_welfare(*panel.everyone_once())
    undefined = np.isnan(value)
    estimate = Estimate(
        None if undefined else value,
        n_items=panel.n_items,
        n_annotators=panel.n_annotators,
        n_ratings=panel.ratings.size,
        undefined_reason="welfare is undefined for every item" if undefined else None,
    )
    if undefined:
        return estimate
    if panel.n_items < 2 or panel.n_annotators < 2:
        reason = "fewer than two items or annotators to resample"
        return estimate.with_interval(Interval(None, None, PIGEONHOLE_BOOTSTRAP, seed, reason))
    rng = np.random.default_rng(seed)
    replicates = np.array([mean_welfare(*panel.draw(rng)) for _ in range(resamples)])
    moved = centred(replicates, value)
    return estimate.with_interval(percentile_interval(moved, level, PIGEONHOLE_BOOTSTRAP, seed))


def jury_interval(
    utilities: npt.ArrayLike,
    strata: Sequence[str | None],
    welfare: str | WelfareFunction,
    size: int | Mapping[str, int],
    *,
    draws: int = 200,
    seed: int,
    level: float = 0.95,
) -> Interval:
    """What another jury of this composition might say: percentiles of welfare over juries drawn in strata.

    `utilities` are one item's, one per rater; each draw seats `size` raters of every stratum (or
    `size[stratum]`; strata not named there and raters without a stratum get no seat) without replacement.
    This is the variability between juries out of the raters at hand, not sampling uncertainty. No interval
    when a stratum has too few raters, when no seat is asked for, or when only one jury can be drawn: width 0
    would claim certainty.
    """
    drawn = _draw_juries(utilities, strata, welfare, size, draws, seed)
    if isinstance(drawn, str):
        return Interval(None, None, JURY_DRAWS, seed, drawn)
    return percentile_interval(drawn, level, JURY_DRAWS, seed)


def rarefied_welfare(
    utilities: npt.ArrayLike,
    strata: Sequence[str | None],
    welfare: str | WelfareFunction,
    size: int | Mapping[str, int],
    *,
    draws: int = 200,
    seed: int,
    level: float = 0.95,
) -> Estimate:
    """Mean welfare of juries of one size, drawn as in `jury_interval`, with its percentiles.

    A minimum or another concave welfare falls with jury size by chance, so items with different numbers of
    jurors are compared at the size that all can fill. Undefined where no jury, or only one, can be drawn.
    """
    drawn = _draw_juries(utilities, strata, welfare, size, draws, seed)
    if isinstance(drawn, str):
        return Estimate.undefined(drawn, n_annotators=len(list(strata)))
    interval = percentile_interval(drawn, level, JURY_DRAWS, seed)
    if interval.low is None:
        return Estimate.undefined("welfare is undefined for most juries", n_annotators=len(list(strata)))
    return Estimate(float(np.nanmean(drawn)), n_annotators=len(list(strata))).with_interval(interval)


def _draw_juries(
    utilities: npt.ArrayLike,
    strata: Sequence[str | None],
    welfare: str | WelfareFunction,
    size: int | Mapping[str, int],
    draws: int,
    seed: int,
) -> FloatArray | str:
    """The welfare of each drawn jury, or why none can be drawn."""
    ratings = as_vector(utilities, "utilities")
    labels = list(strata)
    if len(labels) != ratings.size:
        raise ValueError("strata: one label per utility")
    present = sorted({label for label in labels if label is not None})
    seats = dict.fromkeys(present, size) if isinstance(size, int) else dict(size)
    pools = {name: np.flatnonzero([label == name for label in labels]) for name in sorted(seats)}
    reason = _why_no_jury(pools, seats)
    if reason:
        return reason
    rng = np.random.default_rng(seed)
    seated = np.concatenate([_draw_pools(rng, pools[name], seats[name], draws) for name in pools], axis=1)
    seat_strata = [name for name in pools for _ in range(seats[name])]
    return _welfare(welfare).of_juries(ratings[seated], seat_strata)


def centred(replicates: FloatArray, value: float) -> FloatArray:
    """The replicates moved to have their mean at the value; kept in 0..1 where all numbers are."""
    defined = replicates[~np.isnan(replicates)]
    if defined.size == 0:
        return replicates
    moved = replicates + (value - defined.mean())
    within = 0 <= value <= 1 and defined.min() >= 0 and defined.max() <= 1
    return np.clip(moved, 0, 1) if within else moved


def _why_no_jury(pools: Mapping[str, IntArray], seats: Mapping[str, int]) -> str | None:
    if any(number < 0 for number in seats.values()):
        raise ValueError("size: seats are not negative")
    if sum(seats.values()) == 0:
        return "no seat is asked for"
    short = [name for name in pools if pools[name].size < seats[name]]
    if short:
        return f"stratum {short[0]} has {pools[short[0]].size} raters for {seats[short[0]]} seats"
    if all(seats[name] in (0, pools[name].size) for name in pools):
        return "only one jury can be drawn from these raters"
    return None


def _draw_pools(rng: np.random.Generator, pool: IntArray, seats: int, draws: int) -> IntArray:
    """Rater indices (draws x seats), each row without replacement: the head of a random order."""
    order = np.argsort(rng.random((draws, pool.size)), axis=1)
    return pool[order[:, :seats]]


def _welfare(welfare: str | WelfareFunction) -> Welfare:
    if isinstance(welfare, str):
        return WELFARE[welfare]
    return welfare if isinstance(welfare, Welfare) else welfare_of("given", "a function given", welfare)


def _require_resamples(resamples: int) -> None:
    if resamples < 1:
        raise ValueError("resamples: at least one")
