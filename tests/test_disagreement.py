"""Spread, polarisation and the share between groups, against worked numbers and the laws they keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.disagreement import (
    between_group_share,
    entropy_disagreement,
    esteban_ray_polarisation,
    gini_simpson_disagreement,
    leti_disagreement,
    tastle_wierman_agreement,
    variance_disagreement,
)

MEASURES = [
    entropy_disagreement,
    gini_simpson_disagreement,
    variance_disagreement,
    leti_disagreement,
    tastle_wierman_agreement,
    esteban_ray_polarisation,
]
ORDINAL = [variance_disagreement, leti_disagreement, esteban_ray_polarisation]
SAME, APART, EVEN = [0, 7, 0, 0, 0], [5, 0, 0, 0, 5], [2, 2, 2, 2, 2]


@pytest.mark.parametrize("measure", ORDINAL)
def test_one_answer_is_zero_and_two_camps_at_the_ends_are_one(measure):
    assert measure([SAME, APART]) == pytest.approx([0, 1])


def test_consensus_is_one_for_one_answer_and_zero_for_two_camps():
    assert tastle_wierman_agreement([SAME, APART]) == pytest.approx([1, 0])


def test_disagreement_of_an_even_spread_by_hand():
    # p = 1/5 each; places 0..4, mean 2, variance 2 of at most 4; F = .2 .4 .6 .8: 4 * (.16 + .24 + .24 + .16)
    # / 4
    assert entropy_disagreement([EVEN]) == pytest.approx([1])
    assert gini_simpson_disagreement([EVEN]) == pytest.approx([0.8])
    assert variance_disagreement([EVEN]) == pytest.approx([0.5])
    assert leti_disagreement([EVEN]) == pytest.approx([0.8])


def test_consensus_by_hand():
    # Half in the middle of three, half at the top: mean 1.5, both 0.25 of the range away. 1 + log2(0.75)
    assert tastle_wierman_agreement([[0, 1, 1]]) == pytest.approx([1 + np.log2(0.75)])


def test_polarisation_by_hand():
    # p = 1/3 each, a = 1: sum p_i^2 p_j |i-j| = 1/27 * 8; half and half: 2 * 1/8 * 2 = 1/2
    assert esteban_ray_polarisation([[1, 1, 1]]) == pytest.approx([16 / 27])


@pytest.mark.parametrize("measure", MEASURES)
def test_without_a_rating_or_a_scale_it_is_undefined(measure):
    assert np.isnan(measure([[0, 0, 0]])).all()
    assert np.isnan(measure([[3]])).all()


@pytest.mark.parametrize("measure", MEASURES)
@given(counts=st.lists(st.integers(0, 9), min_size=2, max_size=7).filter(any))
def test_it_is_between_zero_and_one_and_the_same_from_either_end(measure, counts):
    value = measure([counts])[0]

    assert 0 <= value <= 1 + 1e-9
    assert measure([counts[::-1]])[0] == pytest.approx(value, abs=1e-9)
    assert measure([[3 * count for count in counts]])[0] == pytest.approx(value, abs=1e-9)


def test_unequal_steps_count_by_their_size():
    # Places 0, 1, 10, half at each of the first two: variance 1/4 of at most 25.
    assert variance_disagreement([[1, 1, 0]], [0, 1, 10]) == pytest.approx([0.01])


def test_an_aversion_out_of_range_is_refused():
    with pytest.raises(ValueError, match="alpha"):
        esteban_ray_polarisation([EVEN], alpha=2)


def test_share_between_groups_by_hand():
    # Means 1 and 4, overall 2.5: SS_between = 4 * 1.5^2 = 9; SS_total = 2.5^2 + .5^2 + .5^2 + 2.5^2 = 13
    share = between_group_share([0, 2, 3, 5], ["a", "a", "b", "b"], permutations=0)

    assert share.value == pytest.approx(9 / 13)


def test_groups_that_do_not_matter_explain_about_their_chance_share():
    rng = np.random.default_rng(1)
    share = between_group_share(rng.integers(1, 8, size=40), np.arange(40) % 4, permutations=2000, seed=3)

    assert share.by_chance == pytest.approx(3 / 39, rel=0.1)
    assert share.p_value > 0.05


def test_groups_that_matter_are_found():
    values, groups = [1, 2, 1, 2, 1, 6, 7, 6, 7, 6], list("aaaaabbbbb")
    share = between_group_share(values, groups, permutations=999, seed=3)

    assert share.p_value < 0.02
    assert share.excess > 0.5
    assert share == between_group_share(values, groups, permutations=999, seed=3)


def test_share_between_groups_says_why_it_is_undefined():
    assert between_group_share([1, 2], ["a", "a"]).undefined_reason == "fewer than two groups"
    assert between_group_share([2, 2], ["a", "b"]).undefined_reason == "only one value is used"
