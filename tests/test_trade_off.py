"""Fronts, volumes and steering against pymoo, brute force and worked numbers."""

from math import comb

import numpy as np
import pytest
from pymoo.indicators.hv import HV
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from annotations.statistics.trade_off import (
    hypervolume,
    pareto_front,
    simplex_lattice,
    steering_monotonicity,
    steering_regret,
)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_volume_and_front_agree_with_pymoo(objectives, seed):
    points = np.random.default_rng(seed).random((15, objectives)).round(1)

    assert hypervolume(points) == pytest.approx(HV(ref_point=np.zeros(objectives))(-points))
    theirs = NonDominatedSorting().do(-points, only_non_dominated_front=True)
    assert np.flatnonzero(pareto_front(points)).tolist() == sorted(theirs)


def test_volume_is_the_share_of_random_points_below():
    points = np.array([[0.9, 0.2, 0.5], [0.3, 0.8, 0.6], [0.5, 0.5, 0.9]])
    drawn = np.random.default_rng(1).random((200_000, 3))
    below = (drawn[:, np.newaxis] <= points).all(axis=2).any(axis=1).mean()

    assert hypervolume(points) == pytest.approx(below, abs=0.005)


def test_equal_points_are_both_in_and_incomplete_ones_out():
    assert pareto_front([[1, 0], [1, 0], [0, 1], [0.5, 0], [2, np.nan]]).tolist() == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_points_below_the_reference_cover_nothing():
    assert hypervolume([[0.5, 0.5]], [0.6, 0.0]) == 0
    assert hypervolume([[0.8, 0.5]], [0.6, 0.0]) == pytest.approx(0.1)


def test_the_lattice_holds_every_weight_once():
    lattice = simplex_lattice(3, 4)

    assert len({tuple(row) for row in lattice}) == len(lattice) == comb(6, 2)
    assert (lattice.sum(axis=1) == 1).all()


def test_regret_by_hand():
    # Weights on the first alone: 1 was there, 0.7 reached. Even: best 0.5 + 0.25 = 0.75 reached.
    regret = steering_regret([[0.7, 0.1], [1, 0.5]], [[1, 0], [0.5, 0.5]], [[1, 0.5], [0, 1]])

    assert regret == pytest.approx([0.3, 0])


def test_a_steered_objective_follows_its_weight():
    weights = simplex_lattice(2, 4)
    found = steering_monotonicity(np.column_stack([weights[:, 0] ** 2, np.ones(5)]), weights)

    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1])
