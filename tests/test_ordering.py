"""The order of places, against a maximum flow: in this order, whatever jury can be filled is filled."""

import random
from typing import NamedTuple

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.assignment import next_seats
from annotations.models import Quota
from annotations.ordering import FOLLOWED, by_need, is_balanced
from tests.builders import make_open_campaign
from tests.jurors import NOW, make_juror

SIDES = [{"attribute": "side", "levels": ["left", "right"]}]


class Place(NamedTuple):
    prompt: int
    need: int
    load: int


def largest_need(places, rng):
    return by_need(places, lambda place: rng.random())


def smallest_load(places, rng):
    return sorted(places, key=lambda place: (place.load, rng.random()))


def any_order(places, rng):
    return rng.sample(places, len(places))


def fill(quotas, shares, order, rng):
    """How many seats stay open when each person is given their whole share, one after the other."""
    loads = [0] * len(quotas)
    for share in shares:
        places = [Place(n, quota - loads[n], loads[n]) for n, quota in enumerate(quotas) if loads[n] < quota]
        for place in order(places, rng)[:share]:
            loads[place.prompt] += 1
    return sum(quotas) - sum(loads)


def can_be_filled(quotas, shares):
    """Whether as much flows from people to prompts as there are seats; each pair carries one."""
    graph = nx.DiGraph()
    for person, share in enumerate(shares):
        graph.add_edge("from", f"person {person}", capacity=share)
        for prompt in range(len(quotas)):
            graph.add_edge(f"person {person}", f"prompt {prompt}", capacity=1)
    for prompt, quota in enumerate(quotas):
        graph.add_edge(f"prompt {prompt}", "to", capacity=quota)
    return "from" in graph and nx.maximum_flow_value(graph, "from", "to") == sum(quotas)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=7),
    st.lists(st.integers(1, 7), min_size=1, max_size=10),
    st.randoms(use_true_random=False),
)
def test_by_need_fills_exactly_the_juries_that_can_be_filled(quotas, shares, rng):
    assert (fill(quotas, shares, largest_need, rng) == 0) == can_be_filled(quotas, shares)


def dead_ends(order):
    """Of 200 juries that can only just be filled, how many this order leaves short."""
    rng, short, tried = random.Random(4), 0, 0
    while tried < 200:
        quotas = [rng.randint(2, 5) for _ in range(12)]
        shares = []
        while sum(shares) < sum(quotas):
            shares.append(rng.randint(3, 9))
        if not can_be_filled(quotas, shares):
            continue
        tried += 1
        short += fill(quotas, shares, order, rng) > 0
    return short


def test_only_the_largest_need_leaves_no_jury_short():
    assert dead_ends(largest_need) == 0
    assert dead_ends(smallest_load) > 20
    assert dead_ends(any_order) > 20


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(6))
def test_claims_of_whole_shares_fill_what_can_be_filled(number):
    rng = random.Random(number)
    quotas, shares = [rng.randint(1, 4) for _ in range(5)], []
    while not can_be_filled(quotas, shares):
        shares.append(rng.randint(1, 5))
    campaign = make_open_campaign(prompts=5, candidates=1, strata=SIDES, wildcard_seats=0)
    places = Quota.objects.filter(stratum__label="left").order_by("pk")
    for place, seats in zip(places, quotas, strict=True):
        Quota.objects.filter(pk=place.pk).update(seats=seats)

    for share in shares:
        next_seats(make_juror(campaign, "left"), count=share, now=NOW)

    assert not places.filter(need__gt=0).exists()


def test_balance_decides_most_claims_and_not_all():
    decided = sum(is_balanced("seed", number) for number in range(2000))

    # 2000 x 0.85, give or take four standard errors: 4 sqrt(2000 x .85 x .15) = 64.
    assert decided == pytest.approx(2000 * FOLLOWED, abs=64)
