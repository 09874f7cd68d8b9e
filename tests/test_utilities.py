"""Ratings become utilities on the scale that was declared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.utilities import to_utility


def test_ends_of_the_declared_scale_are_zero_and_one():
    assert to_utility([1, 3, 7], 1, 7).tolist() == [0.0, 1 / 3, 1.0]


def test_lower_is_better_turns_the_scale_around():
    assert to_utility([0, 25, 100], 0, 100, higher_is_better=False).tolist() == [1.0, 0.75, 0.0]


def test_a_number_gives_a_plain_number():
    assert to_utility(50, 0, 100) == 0.5
    assert isinstance(to_utility(50, 0, 100), float)


def test_missing_stays_missing():
    utilities = to_utility([[np.nan, 5.0]], 1, 5)

    assert np.isnan(utilities[0, 0])
    assert utilities[0, 1] == 1.0


@pytest.mark.parametrize(("low", "high"), [(1, 1), (5, 1), (float("nan"), 5), (0, float("inf"))])
def test_an_empty_scale_is_refused(low, high):
    with pytest.raises(ValueError, match="is empty"):
        to_utility(1, low, high)


@pytest.mark.parametrize("rating", [0, 6, float("inf")])
def test_a_rating_outside_the_scale_is_named(rating):
    with pytest.raises(ValueError, match=f"rating {float(rating)} lies outside the scale from 1 to 5"):
        to_utility([3, rating], 1, 5)


@given(st.integers(0, 100))
def test_both_directions_add_up_to_one(rating):
    assert to_utility(rating, 0, 100) + to_utility(rating, 0, 100, higher_is_better=False) == pytest.approx(1)
