"""Shares, entropy and distances against worked numbers, published ones, and their own laws."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.distribution import (
    category_share,
    entropy,
    js_divergence,
    normalised_entropy,
    total_variation,
    wasserstein_ordinal,
)

counts = st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any)
DISTANCES = [js_divergence, total_variation, wasserstein_ordinal]


@pytest.fixture
def textbook(shared_data):
    return json.loads((shared_data / "textbook" / "textbook_checks.json").read_text())


def test_category_share_keeps_declared_order_and_empty_categories():
    assert category_share([3, 3, 1, 3], [1, 2, 3]).tolist() == [0.25, 0.0, 0.75]


def test_category_share_leaves_missing_values_out():
    assert category_share([1, np.nan, 2, np.nan], [1, 2]).tolist() == [0.5, 0.5]


def test_category_share_of_nothing_is_undefined():
    assert category_share([np.nan], [1, 2]) is None


def test_category_share_names_an_undeclared_value():
    with pytest.raises(ValueError, match=r"value 9\.0 is not a declared category"):
        category_share([1, 9], [1, 2])


def test_entropy_by_hand():
    # 1/2 log2 2 + 2 * 1/4 log2 4 = 0.5 + 1
    assert entropy([2, 1, 1]) == 1.5
    assert normalised_entropy([2, 1, 1]) == pytest.approx(1.5 / math.log2(3))


def test_entropy_of_one_answer_is_zero_and_of_none_undefined():
    assert entropy([0, 7, 0]) == 0.0
    assert entropy([0, 0]) is None
    assert normalised_entropy([5]) is None
    assert normalised_entropy([0, 0]) is None


def test_distances_by_hand():
    p, q = [3, 1, 0], [1, 1, 2]

    # |3/4 - 1/4| + |1/4 - 1/4| + |0 - 2/4| = 1, halved
    assert total_variation(p, q) == 0.5
    # F_p = 3/4, 1; F_q = 1/4, 2/4: gaps 1/2 and 1/2
    assert wasserstein_ordinal(p, q) == 1.0
    assert wasserstein_ordinal(p, q, normalised=True) == 0.5
    # H(1/2, 1/4, 1/4) = 1.5; H(p) = 0.811278; H(q) = 1.5: 1.5 - 2.311278 / 2
    assert js_divergence(p, q) == pytest.approx(0.344361, abs=1e-6)


def test_a_distance_to_an_empty_side_is_undefined():
    assert [distance([1, 1], [0, 0]) for distance in DISTANCES] == [None, None, None]


def test_one_category_has_no_width_to_normalise_by():
    assert wasserstein_ordinal([3], [5]) == 0.0
    assert wasserstein_ordinal([3], [5], normalised=True) is None


@pytest.mark.parametrize("distance", DISTANCES)
def test_unlike_or_impossible_distributions_are_refused(distance):
    with pytest.raises(ValueError, match="over 2 and 3 categories"):
        distance([1, 1], [1, 1, 1])
    with pytest.raises(ValueError, match="not negative"):
        distance([1, -1], [1, 1])


def test_positions_must_ascend():
    with pytest.raises(ValueError, match="positions"):
        wasserstein_ordinal([1, 1], [1, 1], positions=[2, 1])


@pytest.mark.parametrize("distance", DISTANCES)
@given(p=counts, q=counts)
def test_distances_are_symmetric_bounded_and_zero_on_the_same(distance, p, q):
    bound = 3 if distance is wasserstein_ordinal else 1

    assert distance(p, q) == pytest.approx(distance(q, p))
    assert 0 <= distance(p, q) <= bound + 1e-12
    assert distance(p, p) == pytest.approx(0, abs=1e-12)


@given(p=counts, q=counts)
def test_distances_do_not_depend_on_sample_size(p, q):
    ten_times = [10 * number for number in p]

    assert total_variation(ten_times, q) == pytest.approx(total_variation(p, q))


@given(p=counts)
def test_normalised_entropy_lies_between_zero_and_one(p):
    assert 0 <= normalised_entropy(p) <= 1


def test_js_agrees_with_scipy_documentation(textbook):
    for case in textbook["js_distance_scipy_docs"]:
        bits = js_divergence(case["p"], case["q"])
        divergence = bits * math.log(2) if case["base"] == "e" else bits

        assert math.sqrt(divergence) == pytest.approx(case["d"], abs=1e-12)


def test_js_agrees_with_the_worked_dices_item(textbook):
    case = textbook["js_divergence_worked_dices_item140"]
    everyone, kept = case["counts_all_No_Yes_Unsure"], case["counts_kept"]
    mixed = np.array(everyone) / sum(everyone) + np.array(kept) / sum(kept)

    assert entropy(everyone) == pytest.approx(case["H_all_bits"], abs=5e-7)
    assert entropy(kept) == pytest.approx(case["H_kept_bits"], abs=5e-7)
    assert entropy(mixed) == pytest.approx(case["H_mix_bits"], abs=5e-7)
    assert js_divergence(everyone, kept) == pytest.approx(case["JSD_bits"], abs=5e-7)


def test_wasserstein_agrees_with_scipy_documentation(textbook):
    for case in textbook["wasserstein_scipy_docs"]:
        places = sorted({*case["u"], *case["v"]})
        u = np.zeros(len(places))
        v = np.zeros(len(places))
        np.add.at(u, [places.index(x) for x in case["u"]], case.get("u_weights", 1))
        np.add.at(v, [places.index(x) for x in case["v"]], case.get("v_weights", 1))

        assert wasserstein_ordinal(u, v, positions=places) == pytest.approx(case["w"], abs=1e-12)
