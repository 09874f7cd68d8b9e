"""Distances between groups against the plain functions, with a floor that chance alone reaches."""

import numpy as np
import pytest

from annotations.statistics.between_groups import (
    MEASURES,
    draw_within,
    group_counts,
    mean_group_distance,
    noise_floor,
    pair_distances,
)
from annotations.statistics.distribution import js_divergence, total_variation, wasserstein_ordinal

PLAIN = {
    "jsd": js_divergence,
    "tvd": total_variation,
    "w1": lambda p, q: wasserstein_ordinal(p, q, normalised=True),
}


def answers(n_items, per_group, shift, seed=0):
    """Long form: two groups of `per_group` annotators on every item, the second `shift` categories higher."""
    rng = np.random.default_rng(seed)
    annotator, item = np.meshgrid(np.arange(2 * per_group), np.arange(n_items))
    group = annotator // per_group
    values = np.clip(rng.integers(1, 4, size=item.shape) + shift * group, 1, 5)
    return [column.ravel() for column in (item, group, annotator, values)]


def test_counting_keeps_empty_cells_and_skips_missing_values():
    counts = group_counts([1, 1, 2], ["b", "a", "a"], [3, 1, np.nan], [1, 2, 3])

    assert counts.tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]]


def test_a_value_that_was_not_declared_is_named():
    with pytest.raises(ValueError, match=r"2\.5"):
        group_counts([1], ["a"], [2.5], [1, 2, 3])


@pytest.mark.parametrize("distance", MEASURES)
def test_all_pairs_agree_with_the_plain_function(distance):
    counts = np.random.default_rng(3).integers(0, 3, size=(40, 4, 5)).astype(float)
    pairs, distances = pair_distances(counts, distance)

    for item in range(40):
        for column, (one, other) in enumerate(pairs):
            expected = PLAIN[distance](counts[item, one], counts[item, other])
            assert distances[item, column] == pytest.approx(
                np.nan if expected is None else expected, abs=1e-12, nan_ok=True
            )


@pytest.mark.parametrize("distance", MEASURES)
def test_groups_that_answer_alike_come_no_further_than_the_floor(distance):
    alike = mean_group_distance(*answers(200, 6, 0), range(1, 6), distance)
    apart = mean_group_distance(*answers(200, 6, 2), range(1, 6), distance)

    assert alike.value.value > 0.05
    assert alike.excess == pytest.approx(0, abs=0.04)
    assert apart.excess > 0.2


def test_the_floor_falls_with_the_number_of_raters():
    few, many = (noise_floor(np.full((20, 2, 3), n), "tvd", seed=1).mean() for n in (2.0, 200.0))

    assert few > 5 * many


def test_a_floor_by_hand():
    # One rater each, pooled half and half: the redrawn answers differ half of the time, at distance 1.
    floor = noise_floor(np.array([[[1.0, 0.0], [0.0, 1.0]]]), "tvd", replicates=4000, seed=1)

    assert floor[0, 0] == pytest.approx(0.5, abs=0.03)


def test_the_interval_draws_annotators_with_all_their_ratings():
    found = mean_group_distance(*answers(30, 8, 1), range(1, 6), "jsd", resamples=200, seed=2)

    assert found.value.low < found.value.value < found.value.high
    assert found.value.ci_method == "annotator_bootstrap_within_strata_centred_percentile"
    assert (found.value.n_items, found.value.n_annotators, found.value.n_ratings) == (30, 16, 480)


def test_draws_stay_within_the_stratum():
    drawn = draw_within(np.array([0, 0, 0, 1, 1]), 100, seed=1)

    assert (drawn[:, :3].sum(axis=1) == 3).all()
    assert (drawn[:, 3:].sum(axis=1) == 2).all()


def test_too_few_raters_of_a_group_leave_no_distance():
    counts = np.array([[[1.0, 1.0], [1.0, 0.0]], [[2.0, 0.0], [0.0, 2.0]]])

    assert np.isnan(pair_distances(counts, "tvd", least=2).distances[0, 0])
    assert pair_distances(counts, "tvd", least=2).distances[1, 0] == 1


def test_one_group_or_one_category_is_undefined():
    one_group = mean_group_distance([1, 1], ["a", "a"], [1, 2], [1, 2], [1, 2], "jsd")
    one_category = mean_group_distance([1, 1], ["a", "b"], [1, 2], [1, 1], [1], "jsd")

    assert one_group.value.undefined_reason == "no item has ratings of two groups"
    assert one_category.value.undefined_reason == "fewer than two categories"
    assert one_group.excess is None
