"""Halves of a panel agree as much as theory says, and keep to seed and strata."""

import numpy as np
import pytest

from annotations.statistics.split_half import _halves, split_half_rank_agreement, split_half_reliability


def panel(noise, n_items=80, n_annotators=12, seed=0):
    rng = np.random.default_rng(seed)
    annotator, item = np.meshgrid(np.arange(n_annotators), np.arange(n_items))
    values = rng.normal(size=(n_items, 1)) + rng.normal(0, noise, item.shape)
    return item.ravel(), annotator.ravel(), values.ravel()


def test_reliability_is_that_of_the_mean_of_all_raters():
    # v_i = 1, v_e = 9: 1 / (1 + 9/12)
    found = split_half_reliability(*panel(3.0, n_items=3000), splits=50)

    assert found.value == pytest.approx(1 / (1 + 9 / 12), abs=0.03)


def test_it_keeps_to_its_seed():
    one, again = (split_half_reliability(*panel(1.0), splits=20, seed=4) for _ in range(2))

    assert one == again
    assert one.low <= one.value <= one.high


def test_every_stratum_is_halved():
    half = _halves(np.array([0] * 6 + [1] * 5), 100, seed=1)

    assert (half[:, :6].sum(axis=1) == 3).all()
    assert set(half[:, 6:].sum(axis=1)) == {2, 3}


def test_systems_that_differ_keep_their_order():
    item, annotator, values = panel(0.1)
    found = split_half_rank_agreement(item % 4, annotator, values + item % 4, splits=50)

    assert found.value > 0.95
    assert found.n_items == 4


def test_undefined_has_a_reason():
    assert (
        split_half_reliability([1, 2], ["a", "a"], [1, 2]).undefined_reason
        == "fewer than two annotators to split"
    )
    same = split_half_reliability([1, 2, 3] * 2, list("aaabbb"), [1.0] * 6)
    assert same.undefined_reason == "too few items vary in both halves"
