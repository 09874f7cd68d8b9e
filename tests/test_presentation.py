"""The order of candidates: every one stands everywhere equally often, and follows every other."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.presentation import next_order


def show(items, jurors):
    orders = []
    for _ in range(jurors):
        orders.append(next_order(items, orders))
    return orders


def spread(items, orders):
    places = Counter((item, place) for order in orders for place, item in enumerate(order))
    counts = [places[item, place] for item in items for place in range(len(items))]
    return max(counts) - min(counts)


@given(st.integers(1, 9), st.integers(0, 40))
def test_each_stands_in_each_place_equally_often_give_or_take_one(size, jurors):
    assert spread(range(size), show(range(size), jurors)) <= 1


@pytest.mark.parametrize(("size", "rows"), [(2, 2), (3, 6), (4, 4), (5, 10), (6, 6)])
def test_once_all_rows_were_shown_each_follows_each_equally_often(size, rows):
    follows = Counter(pair for order in show(range(size), rows) for pair in pairwise(order))

    assert len(follows) == size * (size - 1)
    assert len(set(follows.values())) == 1


@given(st.integers(2, 6), st.integers(1, 12), st.data())
def test_who_takes_over_a_place_is_shown_what_evens_it_out(size, jurors, data):
    orders = show(range(size), jurors)
    left = data.draw(st.integers(0, jurors - 1))
    stayed = orders[:left] + orders[left + 1 :]

    assert spread(range(size), [*stayed, next_order(range(size), stayed)]) <= 2


def test_candidates_that_came_later_take_part_too():
    assert sorted(next_order("abc", ["ab", "ba"])) == ["a", "b", "c"]


def test_no_candidates_have_an_empty_order():
    assert next_order([], []) == []
