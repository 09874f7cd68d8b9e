"""Coverage of viewpoints and success of steering, by hand."""

import numpy as np
import pytest

from annotations.statistics.coverage import overton_coverage
from annotations.statistics.steering import steerability_index, steering_specificity, win_rates


def test_coverage_by_hand():
    # Means 4.5, 4 and 2: two of three viewpoints, of 4 of 5 people.
    found = overton_coverage(list("aabbcc"), [5, 4, 4, 4, 2, np.nan])

    assert found.share == pytest.approx(2 / 3)
    assert found.weighted == pytest.approx(4 / 5)
    assert found.n_clusters == 3


def test_small_viewpoints_can_be_left_out_and_none_is_undefined():
    assert overton_coverage(list("aab"), [5, 5, 1], least=2).share == 1
    assert overton_coverage(["a"], [np.nan]).undefined_reason == "no viewpoint has enough answers"


def test_win_rates_by_hand():
    found = win_rates(list("aaab"), [3, 2, 2, 1], [2, 2, 3, np.nan])

    assert found.rates["a"] == pytest.approx(0.5)
    assert np.isnan(found.rates["b"])
    assert found.worst == pytest.approx(0.5)


def test_specificity_leaves_out_rows_without_others():
    assert steering_specificity([[0.9, np.nan], [0.4, 0.6]]) == pytest.approx(0.2)
    assert steering_specificity([[0.9]]) is None


def test_steering_all_the_way_is_one_and_not_at_all_zero():
    low, high, middle = np.eye(101)[[0, 100, 50]]

    assert steerability_index(low, high, high, low) == pytest.approx(1)
    assert steerability_index(middle, middle, high, low) == 0
    assert steerability_index(middle, low, high, low) == pytest.approx(-0.5)
    assert steerability_index(middle, low, high, high) is None
