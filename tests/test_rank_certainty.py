"""Orders are as sure as the panel makes them."""

import numpy as np
import pytest

from annotations.statistics.rank_certainty import rank_certainty


def panel(gaps, n_items=30, n_annotators=10, seed=0):
    rng = np.random.default_rng(seed)
    system, item, annotator = (axis.ravel() for axis in np.indices((len(gaps), n_items, n_annotators)))
    values = np.array(gaps)[system] + rng.normal(0, 0.2, n_items)[item] + rng.normal(0, 0.2, system.size)
    return np.array(list("xyz"))[system], item, annotator, values


def test_a_clear_order_is_nearly_sure_and_both_sides_sum_to_one():
    found = rank_certainty(*panel([0.0, 0.3, 0.3]), resamples=200, seed=1)

    assert found.systems == ["x", "y", "z"]
    assert found.above[1, 0] > 0.99
    assert found.above[1, 2] + found.above[2, 1] == pytest.approx(1)
    assert 0.02 < found.above[1, 2] < 0.98
    assert found.first.sum() == pytest.approx(1)


def test_equal_systems_tie():
    system, item, annotator, values = panel([0.0, 0.0])
    values[system == "y"] = values[system == "x"]
    found = rank_certainty(system, item, annotator, values, resamples=50, seed=1)

    assert found.above[0, 1] == 0.5
    assert found.first.tolist() == [0.5, 0.5]


def test_means_are_over_items_and_the_seed_decides():
    # Item 1 has one rating of 0, item 2 three of 1: a mean over items, not ratings.
    one, again = (
        rank_certainty(["x"] * 4, [1, 2, 2, 2], [1, 1, 2, 3], [0, 1, 1, 1], resamples=20, seed=2)
        for _ in "12"
    )

    assert one.means.tolist() == [0.5]
    assert (one.first == again.first).all()
