"""The views within a rater keep order, take out leniency, and say nothing where there is nothing to say."""

import numpy as np
import pytest

from annotations.statistics.rater_views import within_rater_percentile, within_rater_z

RATERS = ["a"] * 4 + ["b"] * 4


def test_a_lenient_rater_becomes_the_same_as_a_strict_one():
    values = [1, 2, 3, 4, 3, 4, 5, 6]
    z = within_rater_z(RATERS, values, least=2)

    # Mean 2.5, sum of squares 5, sd sqrt(5/3).
    assert z[:4] == pytest.approx(np.array([-1.5, -0.5, 0.5, 1.5]) / np.sqrt(5 / 3))
    assert z[4:] == pytest.approx(z[:4])


def test_percentiles_share_ties():
    percentiles = within_rater_percentile(RATERS, [1, 2, 2, 9, 5, 5, 5, 5], least=2)

    # Ranks 1, 2.5, 2.5, 4 of 4, less a half.
    assert percentiles == pytest.approx([0.125, 0.5, 0.5, 0.875, 0.5, 0.5, 0.5, 0.5])


def test_too_few_equal_and_missing_ratings_are_missing_not_zero():
    values = [1, 2, np.nan, np.nan, 5, 5, 5, 5]
    z = within_rater_z(RATERS, values, least=2)

    assert np.isnan(z).tolist() == [False, False] + [True] * 6
    assert np.isnan(within_rater_z(RATERS, values)).all()
    assert np.isnan(within_rater_percentile(RATERS, values, least=3))[:4].all()


def test_rows_may_come_in_any_order():
    values, order = np.array([3.0, 1, 4, 1, 5, 9, 2, 6]), np.random.default_rng(1).permutation(8)

    for view in (within_rater_z, within_rater_percentile):
        straight = view(RATERS, values, least=2)
        assert view(np.array(RATERS)[order], values[order], least=2) == pytest.approx(straight[order])
