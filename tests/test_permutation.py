"""Permutation tests keep their promise of error, and many of them together keep the false discovery rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from annotations.statistics.permutation import (
    adjusted_p_values,
    permutation_p_value,
    permutation_test,
    permute_labels,
)


def test_p_value_counts_the_observed_itself():
    # Mean of the null is 0: |-3|, |3| reach 3, and the observed itself. 3 / 5
    assert permutation_p_value(3, [-3, 1, -1, 3]) == pytest.approx(3 / 5)
    assert permutation_p_value(3, [-3, 1, -1, 3], two_sided=False) == pytest.approx(2 / 5)


def test_p_value_without_a_null_is_undefined():
    assert permutation_p_value(3, [np.nan]) is None


def test_labels_are_shuffled_not_redrawn():
    shuffled = permute_labels([0, 0, 1, 1, 1], 50, seed=1)

    assert (shuffled.sum(axis=1) == 3).all()
    assert len({tuple(row) for row in shuffled}) > 5


def test_false_alarms_are_as_rare_as_promised():
    rng = np.random.default_rng(4)
    labels = np.arange(12) % 2
    p_values = []
    for study in range(200):
        values = rng.normal(size=12)

        def difference(codes, values=values):
            return values[codes == 1].mean() - values[codes == 0].mean()

        p_values.append(permutation_test(difference, labels, permutations=99, seed=study))

    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.06)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_agree_with_statsmodels(p_values):
    theirs = multipletests(p_values, method="fdr_bh")[1]

    assert adjusted_p_values(p_values) == pytest.approx(theirs)


def test_tests_that_could_not_be_made_do_not_count():
    assert (
        adjusted_p_values([0.01, np.nan, 0.02])[[0, 2]].tolist() == adjusted_p_values([0.01, 0.02]).tolist()
    )
    assert np.isnan(adjusted_p_values([np.nan])).all()
