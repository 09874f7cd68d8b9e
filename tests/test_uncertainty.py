"""Intervals are seeded, as wide as they should be, and absent where nothing can vary."""

import csv
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.estimate import Estimate, Interval
from annotations.statistics.uncertainty import (
    bootstrap_interval,
    bootstrap_mean,
    jury_interval,
    percentile_interval,
    pigeonhole_welfare,
    rarefied_welfare,
    resample_weights,
)
from annotations.statistics.welfare import WELFARE, gini_welfare, maximin_strata


def panel(n_items=30, n_annotators=8, seed=0, annotator_spread=0.2):
    """A fully crossed panel in long form: items, annotators, utilities."""
    rng = np.random.default_rng(seed)
    leniency = rng.normal(0, annotator_spread, size=(1, n_annotators))
    table = np.clip(rng.normal(0.5, 0.1, size=(n_items, 1)) + leniency, 0, 1)
    items, annotators = np.meshgrid(np.arange(n_items), np.arange(n_annotators), indexing="ij")
    return items.ravel(), annotators.ravel(), table.ravel()


def width(interval):
    return interval.high - interval.low


def test_percentiles_are_the_central_share():
    interval = percentile_interval(np.arange(101.0), 0.9, "by hand", 1)

    assert (interval.low, interval.high) == pytest.approx((5, 95))


def test_too_many_undefined_replicates_leave_no_interval():
    mostly_there = np.array([np.nan] * 10 + [1.0] * 90)
    barely_there = np.array([np.nan] * 11 + [1.0] * 89)

    assert percentile_interval(mostly_there, 0.95, "by hand", 1).low == 1.0
    assert percentile_interval(barely_there, 0.95, "by hand", 1).low is None


@pytest.mark.parametrize("level", [0, 1, 1.5])
def test_a_level_outside_zero_and_one_is_refused(level):
    with pytest.raises(ValueError, match="level"):
        percentile_interval(np.ones(3), level, "by hand", 1)


@pytest.mark.parametrize("n_units", [1, 7, 900_000])
def test_resampling_draws_as_many_units_as_there_are(n_units):
    blocks = list(resample_weights(n_units, 5, seed=3))

    assert sum(len(block) for block in blocks) == 5
    assert all((block.sum(axis=1) == n_units).all() for block in blocks)


def test_bootstrap_of_a_mean_is_as_wide_as_theory_says():
    values = np.random.default_rng(1).normal(0, 1, size=400)

    estimate = bootstrap_mean(values, resamples=4000, seed=2)

    assert width(estimate) == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)
    assert estimate.value == pytest.approx(values.mean())


def test_mean_bootstrap_equals_the_general_one_within_chance():
    values = np.random.default_rng(8).uniform(size=50)

    fast = bootstrap_mean(values, resamples=4000, seed=1)
    general = bootstrap_interval(lambda drawn: values[drawn].mean(), 50, resamples=4000, seed=1)
    assert (fast.low, fast.high) == pytest.approx((general.low, general.high), abs=0.01)


@given(seed=st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_interval(seed):
    values = [0.1, 0.5, 0.2, 0.9]

    assert bootstrap_mean(values, resamples=20, seed=seed) == bootstrap_mean(values, resamples=20, seed=seed)


def test_another_seed_gives_another_interval():
    values = np.random.default_rng(4).uniform(size=40)
    one, other = (bootstrap_mean(values, seed=seed) for seed in [1, 2])

    assert (one.low, one.high) != (other.low, other.high)


def test_items_without_a_value_are_left_out_of_a_mean():
    estimate = bootstrap_mean([0.25, np.nan, 0.75], seed=1)

    assert (estimate.value, estimate.n_items) == (0.5, 2)


def test_weights_pool_items_by_their_ratings():
    # (1 * 0.2 + 3 * 0.6) / 4
    assert bootstrap_mean([0.2, 0.6], weights=[1, 3], seed=1).value == pytest.approx(0.5)


def test_a_mean_of_nothing_is_undefined_and_of_one_has_no_interval():
    nothing, one = bootstrap_mean([np.nan], seed=1), bootstrap_mean([0.5], seed=1)

    assert (nothing.value, nothing.undefined_reason) == (None, "no item has a value")
    assert (one.value, one.low, one.high) == (0.5, None, None)


def test_a_statistic_that_is_often_undefined_has_no_interval():
    interval = bootstrap_interval(lambda drawn: None if drawn[0] == 0 else 1.0, 2, resamples=50, seed=1)

    assert interval.undefined_reason == "too many resamples leave the statistic undefined"


def test_pigeonhole_is_wider_than_resampling_items_alone():
    items, annotators, utilities = panel()

    both = pigeonhole_welfare(items, annotators, utilities, resamples=400, seed=1)
    items_only = bootstrap_mean(utilities.reshape(30, 8).mean(axis=1), resamples=400, seed=1)

    assert both.value == pytest.approx(items_only.value)
    assert width(both) > 2 * width(items_only)
    assert (both.n_items, both.n_annotators, both.n_ratings) == (30, 8, 240)


def test_pigeonhole_is_as_wide_as_the_spread_of_annotators_says():
    # With items nearly alike, the mean over annotators varies as sd / sqrt(n).
    items, annotators, utilities = panel(n_annotators=40, annotator_spread=0.1)
    leniency = utilities.reshape(30, 40).mean(axis=0)

    estimate = pigeonhole_welfare(items, annotators, utilities, resamples=800, seed=1)
    item_part = utilities.reshape(30, 40).mean(axis=1).var() / 30

    expected = 2 * 1.96 * np.sqrt(leniency.var() / 40 + item_part)
    assert width(estimate) == pytest.approx(expected, rel=0.15)


def test_pigeonhole_takes_every_named_welfare_and_a_function():
    items, annotators, utilities = panel(n_items=4)
    strata = ["a" if annotator < 4 else "b" for annotator in annotators]

    for welfare in [*WELFARE, lambda jury, groups: gini_welfare(jury)]:
        estimate = pigeonhole_welfare(
            items, annotators, utilities, welfare, strata=strata, resamples=20, seed=1
        )
        assert estimate.low <= estimate.high


@pytest.mark.parametrize("name", WELFARE)
def test_pigeonhole_interval_holds_its_value_for_every_welfare(name):
    items, annotators, utilities = panel(n_items=12, annotator_spread=0.15)
    strata = ["ab"[annotator % 2] for annotator in annotators]

    estimate = pigeonhole_welfare(items, annotators, utilities, name, strata=strata, resamples=200, seed=1)

    assert 0 <= estimate.low < estimate.value < estimate.high <= 1


@pytest.mark.parametrize("name", ["utilitarian", "maximin_strata"])
def test_pigeonhole_of_a_ragged_panel_is_the_same_by_name_and_by_function(name):
    items, annotators, utilities = panel(n_items=9)
    kept = np.random.default_rng(2).random(utilities.size) < 0.3
    strata = np.array(["a", "b", "b", None, "a", "c", "c", "a"], dtype=object)[annotators]
    columns = items[kept], annotators[kept], utilities[kept]

    by_name, by_function = (
        pigeonhole_welfare(*columns, welfare, strata=strata[kept], resamples=60, seed=3)
        for welfare in [name, lambda jury, groups: WELFARE[name](jury, groups)]
    )

    assert by_name.value == pytest.approx(by_function.value)
    assert (by_name.low, by_name.high) == pytest.approx((by_function.low, by_function.high))


def test_pigeonhole_draws_annotators_within_their_strata():
    # Each stratum holds two annotators of one mind, so every draw keeps one at 0.2 and one at 0.6.
    items, annotators = np.repeat(np.arange(5), 4), np.tile(np.arange(4), 5)
    utilities, strata = np.tile([0.2, 0.2, 0.6, 0.6], 5), ["a", "a", "b", "b"] * 5

    estimate = pigeonhole_welfare(items, annotators, utilities, strata=strata, resamples=50, seed=1)

    assert (estimate.low, estimate.high) == pytest.approx((0.4, 0.4))


def test_pigeonhole_needs_two_of_each():
    one_annotator = pigeonhole_welfare([1, 2], [7, 7], [0.1, 0.3], seed=1)
    nobody = pigeonhole_welfare([], [], [], seed=1)

    assert (one_annotator.value, one_annotator.low) == (pytest.approx(0.2), None)
    assert nobody.undefined_reason == "welfare is undefined for every item"


def test_another_jury_may_say_anything_between_its_extremes():
    # One of a, one of b: means (0 + 0.5)/2, (1 + 0.5)/2 and the same with 0.7.
    utilities, strata = [0.0, 1.0, 0.5, 0.7], ["a", "a", "b", "b"]

    interval = jury_interval(utilities, strata, "utilitarian", 1, draws=500, seed=1, level=0.99)

    assert (interval.low, interval.high) == pytest.approx((0.25, 0.85))
    assert interval.ci_method == "jury_draws_percentile"


def test_juries_are_drawn_without_replacement():
    # Three of four: dropping one of 0, 0, 0, 1 leaves at most one 1 and at least 0.
    draws = [
        jury_interval([0, 0, 0, 1], ["a"] * 4, "utilitarian", 3, draws=1, seed=seed) for seed in range(40)
    ]

    assert sorted({round(3 * interval.high, 9) for interval in draws}) == [0, 1]


def test_each_stratum_may_have_its_own_seats():
    utilities, strata = [0.1, 0.1, 0.1, 0.9, 0.9], ["a", "a", "a", "b", "b"]

    interval = jury_interval(utilities, strata, "utilitarian", {"a": 1, "b": 1}, seed=1)
    only_a = jury_interval(utilities, strata, "utilitarian", {"a": 2}, seed=1)

    assert (interval.low, interval.high) == pytest.approx((0.5, 0.5))
    assert (only_a.low, only_a.high) == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize("name", WELFARE)
def test_every_named_welfare_has_a_jury_interval(name):
    utilities = np.random.default_rng(6).uniform(0.1, 1, size=12)

    interval = jury_interval(utilities, list("aaaaaabbbbbb"), name, 3, seed=1)

    assert 0 <= interval.low < interval.high <= 1


def test_a_function_given_draws_the_same_juries_as_its_name():
    utilities, strata = np.random.default_rng(6).uniform(size=12), list("aaaaaabbbbbb")

    named = jury_interval(utilities, strata, "maximin_strata", 3, seed=1)
    given_function = jury_interval(utilities, strata, maximin_strata, 3, seed=1)

    assert named == given_function


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (3, "stratum b has 2 raters for 3 seats"),
        ({"a": 1, "c": 1}, "stratum c has 0 raters for 1 seats"),
        ({"a": 3, "b": 2}, "only one jury can be drawn from these raters"),
        (0, "no seat is asked for"),
    ],
)
def test_a_jury_that_cannot_be_drawn_has_no_interval(size, reason):
    interval = jury_interval([0.1, 0.2, 0.3, 0.4, 0.5], list("aaabb"), "utilitarian", size, seed=1)

    assert (interval.low, interval.high, interval.undefined_reason) == (None, None, reason)


def test_raters_without_a_stratum_get_no_seat():
    interval = jury_interval([0.5, 0.5, 0.5, 0.0], ["a", "a", "a", None], "maximin", 2, seed=1)

    assert interval.low == 0.5


def test_an_estimate_refuses_to_pass_off_undefined_as_a_number():
    with pytest.raises(ValueError, match="never NaN"):
        Estimate(float("nan"))
    with pytest.raises(ValueError, match="reason exactly when"):
        Estimate(None)
    with pytest.raises(ValueError, match="reason exactly when"):
        Estimate(0.5, undefined_reason="none")
    with pytest.raises(ValueError, match="both ends"):
        Interval(0.1, None, "by hand", 1)


def test_squality_system_means_come_out_with_intervals(shared_data):
    folder = shared_data / "squality"
    with (folder / "ratings.csv").open() as file:
        rows = list(csv.DictReader(file))
    expected = json.loads((folder / "expected.json").read_text())["unrounded"]

    for system, means in expected.items():
        rated = [row for row in rows if row["response_id"].split("-", 2)[2] == system]
        for criterion, mean in zip(["correctness", "coverage", "overall"], means, strict=True):
            estimate = pigeonhole_welfare(
                [row["response_id"] for row in rated],
                [row["rater_id"] for row in rated],
                [float(row[criterion]) for row in rated],
                resamples=10,
                seed=1,
            )
            assert estimate.value == pytest.approx(mean, abs=5e-7)
            assert (estimate.n_items, estimate.n_annotators, estimate.n_ratings) == (100, 4, 300)


def test_juries_of_one_size_are_compared_without_the_fall_by_chance():
    rng = np.random.default_rng(1)
    few, many = rng.uniform(size=6), rng.uniform(size=600)
    strata = [["a"] * 6, ["a"] * 600]

    # The minimum of n uniform numbers is 1 / (n + 1) on average: of three, a quarter.
    assert rarefied_welfare(many, strata[1], "maximin", 3, draws=4000, seed=1).value == pytest.approx(
        0.25, abs=0.03
    )
    assert rarefied_welfare(few, strata[0], "maximin", 3, seed=1).low is not None
    assert rarefied_welfare(few, strata[0], "maximin", 6, seed=1).undefined_reason.startswith("only one jury")
