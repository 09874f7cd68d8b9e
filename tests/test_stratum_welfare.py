"""Welfare across strata, and the families with a parameter, against hand and the laws they keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.stratum_welfare import (
    STRATUM_WELFARE,
    isoelastic,
    ordered_weighted_average,
    stratum_welfare,
    veto_share,
)
from annotations.statistics.welfare import gini_welfare, maximin, power_mean, utilitarian

juries = st.lists(st.integers(1, 100).map(lambda hundredths: hundredths / 100), min_size=1, max_size=9)
STRATA = ["a", "a", "b", None]


def test_strata_weigh_as_the_target_says():
    # Means 0.5 and 0.75; the juror without a stratum is left out.
    utilities = [0.0, 1.0, 0.75, 0.0]

    assert stratum_welfare(utilities, STRATA, "utilitarian", target={"a": 3, "b": 1}) == pytest.approx(0.5625)
    assert stratum_welfare(utilities, STRATA, "maximin") == 0.5
    assert stratum_welfare(utilities, STRATA, "nash") == pytest.approx(np.sqrt(0.375))


def test_a_stratum_nobody_speaks_for_leaves_no_welfare():
    assert stratum_welfare([1.0], ["a"], "utilitarian", target={"a": 1, "c": 1}) is None
    assert stratum_welfare([1.0], [None], "utilitarian") is None


@pytest.mark.parametrize("name", STRATUM_WELFARE)
@given(utility=st.integers(1, 100), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_replicating_a_stratum_changes_nothing(name, utility, sizes):
    utilities = [utility / 100 if place % 2 else 0.5 for place, size in enumerate(sizes) for _ in range(size)]
    strata = [str(place) for place, size in enumerate(sizes) for _ in range(size)]
    once = stratum_welfare(utilities, strata, name)

    assert stratum_welfare(utilities * 2, strata * 2, name) == pytest.approx(once)


@given(juries, juries, st.sampled_from([0, 0.5, 1, 2, 3.5]))
def test_isoelastic_orders_as_its_power_mean(one, other, aversion):
    gap = power_mean(one, 1 - aversion) - power_mean(other, 1 - aversion)

    if abs(gap) > 1e-6:
        assert (isoelastic(one, aversion) > isoelastic(other, aversion)) == (gap > 0)


def test_isoelastic_by_hand():
    assert isoelastic([0.25, 1.0], 1) == pytest.approx(np.log(0.25) / 2)
    assert isoelastic([0.25, 1.0], 0) == pytest.approx(0.625 - 1)
    assert isoelastic([0.25, 1.0], 2) == pytest.approx(-1.5)  # (1 - 1/u): -3 and 0
    assert isoelastic([0.0, 1.0], 1) is None
    assert isoelastic([], 0) is None


@given(juries)
def test_ordered_weights_give_the_named_rules(jury):
    n = len(jury)

    assert ordered_weighted_average(jury, [1] + [0] * (n - 1)) == maximin(jury)
    assert ordered_weighted_average(jury, [1] * n) == pytest.approx(utilitarian(jury))
    assert ordered_weighted_average(jury, range(2 * n - 1, 0, -2)) == pytest.approx(gini_welfare(jury))


def test_veto_counts_the_threshold_itself():
    assert veto_share([1, 10, 11, 100], 10) == 0.5
    assert veto_share([], 10) is None
    assert veto_share([1, 100], 10, [1, 3]) == 0.25
