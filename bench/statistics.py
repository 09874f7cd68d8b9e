"""Statistics of a million ratings, and how they compare with the libraries their tests are checked against.

The libraries get less data where they are slow; both sides always get the same.
"""

import time
import warnings
from collections.abc import Callable

import choix
import krippendorff
import numpy as np
import pandas as pd
import pingouin
from pymoo.indicators.hv import HV
from scipy.spatial.distance import jensenshannon

from annotations.statistics.agreement import alpha_from_counts, krippendorff_alpha, unit_counts
from annotations.statistics.between_groups import group_counts, noise_floor, pair_distances
from annotations.statistics.group_agreement import group_associations
from annotations.statistics.icc import intraclass_correlations
from annotations.statistics.strength import bradley_terry
from annotations.statistics.trade_off import hypervolume

RATINGS, ITEMS, STRATA, ANNOTATORS = 1_000_000, 100_000, 12, 5_000


def main() -> None:
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    items, annotators = rng.integers(ITEMS, size=RATINGS), rng.integers(ANNOTATORS, size=RATINGS)
    values = rng.integers(1, 6, size=RATINGS).astype(float)
    print(f"{RATINGS:,} ratings of {ITEMS:,} items on five points, {STRATA} strata\n")
    print("| what | seconds |\n|---|---|")
    for level in ("nominal", "ordinal", "interval"):
        print(_row(f"{level} alpha, 1,000 resamples", lambda level=level: _alpha(items, values, level)))
    counts = group_counts(items, annotators % STRATA, values, range(1, 6))
    for name in ("jsd", "tvd", "w1"):
        print(
            _row(
                f"{name} of all 66 pairs of strata",
                lambda name=name: pair_distances(
                    group_counts(items, annotators % STRATA, values, range(1, 6)), name
                ),
            )
        )
    print(_row("noise floor of jsd, 1 replicate", lambda: noise_floor(counts, "jsd", replicates=1)))
    few = slice(RATINGS // 10)
    columns = items[few] % 1000, annotators[few] % 500, annotators[few] % STRATA, values[few]
    grasp = _row("GAI of 12 strata, 100,000 ratings, 200 permutations", lambda: _grasp(columns))
    print(grasp)
    print("\n| what | here, seconds | library, seconds | times as fast |\n|---|---|---|---|")
    _compare_alpha(rng)
    _compare_icc(rng)
    _compare_distances(counts[:2000])
    _compare_strengths(rng)
    _compare_volumes(rng)


def _alpha(items: np.ndarray, values: np.ndarray, level: str) -> None:
    alpha_from_counts(*unit_counts(items, values), level, resamples=1000, seed=1)


def _grasp(columns: tuple[np.ndarray, ...]) -> None:
    items, annotators, groups, values = columns
    group_associations(items, annotators, groups, values, "ordinal", permutations=200)


def _compare_alpha(rng: np.random.Generator) -> None:
    table = rng.integers(1, 6, size=(100, 2000)).astype(float)
    table[rng.random(table.shape) < 0.9] = np.nan

    def theirs() -> None:
        for drawn in rng.integers(2000, size=(50, 2000)):
            krippendorff.alpha(reliability_data=table[:, drawn], level_of_measurement="ordinal")

    _print_ratio(
        "ordinal alpha with 50 resamples, 20,000 ratings (krippendorff)",
        lambda: krippendorff_alpha(table, "ordinal", resamples=50),
        theirs,
    )


def _compare_icc(rng: np.random.Generator) -> None:
    table = rng.normal(size=(5, 200)) + rng.normal(size=(1, 200))
    rater, item = np.indices(table.shape)
    frame = pd.DataFrame({"item": item.ravel(), "rater": rater.ravel(), "value": table.ravel()})
    _print_ratio(
        "six ICCs, 200 items x 5 raters (pingouin)",
        lambda: intraclass_correlations(table),
        lambda: pingouin.intraclass_corr(frame, targets="item", raters="rater", ratings="value"),
    )


def _compare_distances(counts: np.ndarray) -> None:
    def theirs() -> None:
        shares = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1)
        for item in shares:
            for one in range(STRATA):
                for other in range(one + 1, STRATA):
                    if item[one].any() and item[other].any():
                        jensenshannon(item[one], item[other], base=2)

    _print_ratio("jsd of all pairs, 2,000 items (scipy)", lambda: pair_distances(counts, "jsd"), theirs)


def _compare_strengths(rng: np.random.Generator) -> None:
    wins = rng.integers(1, 20, size=(20, 20))
    np.fill_diagonal(wins, 0)
    pairs = [tuple(pair) for pair in np.argwhere(wins > 0) for _ in range(wins[tuple(pair)])]
    _print_ratio(
        "Bradley-Terry of 20 generators (choix)",
        lambda: bradley_terry(wins),
        lambda: choix.opt_pairwise(20, pairs),
    )


def _compare_volumes(rng: np.random.Generator) -> None:
    points = rng.random((100, 2))
    volume = HV(ref_point=np.zeros(2))
    _print_ratio(
        "hypervolume of 100 points in two objectives (pymoo)",
        lambda: hypervolume(points),
        lambda: volume(-points),
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _row(what: str, work: Callable[[], object]) -> str:
    return f"| {what} | {_seconds(work):.2f} |"


def _print_ratio(what: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    # The best of three: the first call of either pays for caches.
    here, there = (min(_seconds(work) for _ in range(3)) for work in (ours, theirs))
    print(f"| {what} | {here:.5f} | {there:.5f} | {there / here:.2g} |", flush=True)


if __name__ == "__main__":
    main()
