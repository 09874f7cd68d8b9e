"""The lot: quotas hold, chances are as equal as they can be, and those told are those there were."""

import csv
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.sortition import PanelQuota, QuotasClash, draw_panel, proportional_quotas

MIXED = [{"town": "yes"}] * 6 + [{"town": "no"}] * 2
HALVES = [PanelQuota("town", "yes", 2, 2), PanelQuota("town", "no", 2, 2)]


def test_quotas_hold_and_chances_are_equal_within_a_kind():
    panel = draw_panel(MIXED, 4, HALVES, seed="a")

    assert Counter(MIXED[member]["town"] for member in panel.members) == {"yes": 2, "no": 2}
    # Two of six, and two of two.
    assert panel.probabilities == pytest.approx([1 / 3] * 6 + [1.0] * 2)


def test_without_quotas_everybody_has_the_same_chance():
    panel = draw_panel(MIXED, 2, [], seed="a")

    assert len(set(panel.members)) == 2
    assert panel.probabilities == pytest.approx([0.25] * 8)


def test_the_smallest_chances_are_raised_first_and_then_the_others():
    # One of two, and one of eight: whoever is young and rural is the only such person.
    pool = [
        {"age": "young", "town": "no"},
        *[{"age": "young", "town": "yes"}] * 3,
        *[{"age": "old", "town": "no"}] * 4,
    ]
    quotas = [
        PanelQuota("age", "young", 1, 1),
        PanelQuota("age", "old", 1, 1),
        PanelQuota("town", "yes", 1, 1),
        PanelQuota("town", "no", 1, 1),
    ]

    # The panel is one old rural person and one young urban one, since no old urban person is in the pool.
    assert draw_panel(pool, 2, quotas, seed="a").probabilities == pytest.approx(
        [0.0, 1 / 3, 1 / 3, 1 / 3, 0.25, 0.25, 0.25, 0.25], abs=1e-6
    )


def test_the_same_seed_draws_the_same_panel_and_another_another():
    pool = [{}] * 100
    first = draw_panel(pool, 10, [], seed="a").members

    assert draw_panel(pool, 10, [], seed="a").members == first
    assert draw_panel(pool, 10, [], seed="b").members != first


def test_chances_told_are_the_shares_of_many_draws():
    times = 400
    draws = [draw_panel(MIXED, 4, HALVES, seed=str(number)) for number in range(times)]
    drawn = Counter(member for panel in draws for member in panel.members)

    for person, chance in enumerate(draws[0].probabilities):
        # Four standard errors of a share, sqrt(p (1 - p) / 400), which is 0 where everybody is drawn.
        reach = 4 * (chance * (1 - chance) / times) ** 0.5
        assert drawn[person] / times == pytest.approx(chance, abs=reach + 1e-6)


def test_quotas_that_clash_are_named_with_what_would_do():
    too_many = [PanelQuota("town", "no", 3, 4), PanelQuota("town", "yes", 0, 4)]

    with pytest.raises(QuotasClash) as error:
        draw_panel(MIXED, 4, too_many, seed="a")
    assert error.value.relaxed == [PanelQuota("town", "no", 2, 4)]


@pytest.mark.parametrize("size", [0, 9])
def test_a_panel_is_neither_empty_nor_larger_than_its_pool(size):
    with pytest.raises(ValueError, match="smaller than the pool"):
        draw_panel(MIXED, size, [], seed="a")


def test_proportional_quotas_leave_room_for_part_of_a_person():
    # 3 x 6/8 = 2.25 and 3 x 2/8 = 0.75; of 4, exactly 3 and 1.
    assert proportional_quotas(MIXED, ["town"], 3) == [
        PanelQuota("town", "no", 0, 1),
        PanelQuota("town", "yes", 2, 3),
    ]
    assert proportional_quotas(MIXED, ["town"], 4) == [
        PanelQuota("town", "no", 1, 1),
        PanelQuota("town", "yes", 3, 3),
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), min_size=4, max_size=30),
    st.integers(1, 4),
)
def test_two_proportional_attributes_always_have_a_panel(people, size):
    pool = [{"one": one, "two": two} for one, two in people]
    quotas = proportional_quotas(pool, ["one", "two"], size)

    panel = draw_panel(pool, size, quotas, seed="a")

    for quota in quotas:
        seats = sum(pool[member][quota.attribute] == quota.level for member in panel.members)
        assert quota.minimum <= seats <= quota.maximum
    assert sum(panel.probabilities) == pytest.approx(size)
    # Equal chances for everybody meet such quotas on average, and two attributes never stand in the way.
    assert min(panel.probabilities) == pytest.approx(size / len(pool), rel=0.01)


def test_a_panel_of_two_hundred_from_real_people(shared_data):
    with (shared_data / "d3-raters.csv").open(encoding="utf-8", newline="") as file:
        pool = list(csv.DictReader(file))
    regions = [PanelQuota("Region", region, 25, 25) for region in sorted({one["Region"] for one in pool})]
    genders = [PanelQuota("Gender", "Man", 90, 98), PanelQuota("Gender", "Woman", 92, 100)]

    panel = draw_panel(pool, 200, [*regions, *genders, PanelQuota("Gender", "Other", 10, 10)], seed="d3")

    seats = Counter(pool[member]["Region"] for member in panel.members)
    gender = Counter(pool[member]["Gender"] for member in panel.members)
    assert len(pool) == 4309
    assert set(seats.values()) == {25}
    assert gender["Other"] == 10
    assert 90 <= gender["Man"] <= 98
    assert sum(panel.probabilities) == pytest.approx(200)
    assert min(panel.probabilities) > 0
