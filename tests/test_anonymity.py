"""The gate in numbers: every class has k people, by an oracle that compares everybody with everybody."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.anonymity import Rules, anonymise, fewest_values, smallest_class
from exports.coarser_levels import COARSER
from tests.anonymity_oracle import brute_k, brute_l

COLUMNS = ("age_band", "education", "left_right", "weight", "stratum")


def rules(k=5, diversity=2, columns=COLUMNS, sensitive=("left_right",)):
    return Rules(k, diversity, columns, sensitive, COARSER, {"stratum": ("age_band",)})


ages, educations = ["18-34", "35-54", "55+"], ["primary_or_less", "upper_secondary", "university", None]
person = st.builds(
    lambda age, education, politics, weight: {
        "age_band": age, "education": education, "left_right": politics, "weight": weight, "stratum": age,
    },
    st.sampled_from([*ages, None]),
    st.sampled_from(educations),
    st.sampled_from(["left", "centre", "right", None]),
    st.sampled_from([None, 1.0, 2]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(person, max_size=60), st.integers(2, 6))
def test_every_class_has_k_people_and_l_values(people, k):
    found = anonymise(people, rules(k))

    assert found.is_met == (not people or len(people) >= k)
    if found.is_met and people:
        assert brute_k(found.rows, COLUMNS) >= k
        assert (brute_l(found.rows, COLUMNS, "left_right", ()) or 2) >= 2


@settings(max_examples=100, deadline=None)
@given(st.lists(person, min_size=1, max_size=40))
def test_k_and_l_agree_with_the_oracle(people):
    assert smallest_class(people, COLUMNS) == brute_k(people, COLUMNS)
    assert fewest_values(people, rules()) == brute_l(people, COLUMNS, "left_right", ())


@settings(max_examples=100, deadline=None)
@given(st.lists(person, max_size=40), st.integers(2, 6))
def test_it_changes_nothing_the_second_time_and_does_the_same_each_time(people, k):
    first = anonymise(people, rules(k))

    assert anonymise(people, rules(k)) == first
    if first.is_met:
        assert anonymise(first.rows, rules(k)).rows == first.rows


@settings(max_examples=100, deadline=None)
@given(st.lists(person, min_size=5, max_size=40))
def test_a_stratum_says_nothing_that_its_attribute_hides(people):
    for before, after in zip(people, anonymise(people, rules()).rows, strict=True):
        if before["age_band"] is not None:
            assert after["stratum"] in (None, after["age_band"])


def test_rows_that_comply_are_left_alone():
    people = [
        {"age_band": age, "education": None, "left_right": side, "weight": None, "stratum": age}
        for age, side in product(ages, ["left", "right"])
        for _ in range(5)
    ]

    assert anonymise(people, rules()).rows == people


def test_an_outlier_costs_a_few_cells_and_no_column():
    people = [{"age_band": age} for age in ["18-34"] * 20 + ["35-54"] * 20 + ["55+"]]
    rows = anonymise(people, rules(columns=("age_band",), sensitive=())).rows

    # One person of 41 (under 5 %) is hidden; an empty cell is a class too, so four more of 20 join them.
    assert Counter(row["age_band"] for row in rows) == {None: 5, "18-34": 16, "35-54": 20}


def test_many_in_small_classes_are_coarsened():
    people = [{"age_band": age} for age in ["18-34"] * 4 + ["35-54"] * 4 + ["55+"] * 6]
    rows = anonymise(people, rules(columns=("age_band",), sensitive=())).rows

    assert [row["age_band"] for row in rows] == ["under 55"] * 8 + ["55+"] * 6


def test_rare_levels_become_other():
    people = [{"town": name} for name in ["A"] * 9 + ["B", "C", "D"] + ["E", "F"]]
    rows = anonymise(people, rules(columns=("town",), sensitive=())).rows

    assert [row["town"] for row in rows] == ["A"] * 9 + ["other"] * 5


def test_a_class_of_one_opinion_loses_it():
    people = [{"age_band": "55+", "left_right": "left"}] * 6 + [
        {"age_band": "18-34", "left_right": side} for side in ["left", "right"] * 5
    ]
    rows = anonymise(people, rules(columns=("age_band", "left_right"))).rows

    assert {(row["age_band"], row["left_right"]) for row in rows} == {
        ("55+", None), ("18-34", "left"), ("18-34", "right"),
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 4])
def test_fewer_than_k_people_cannot_be_hidden(count):
    assert not anonymise([{"age_band": "55+"}] * count, rules(columns=("age_band",), sensitive=())).is_met
