"""Chance-corrected coefficients against irrCAC's published run, Wikipedia's tables and each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from annotations.statistics.agreement import fleiss_kappa, unit_counts
from annotations.statistics.kappa import (
    chance_corrected_agreement,
    cohen_kappa,
    conger_kappa,
    partial_credit,
)
from tests.textbook import load_textbook


def test_cohens_kappas_of_wikipedia_come_out(shared_data):
    for example in load_textbook(shared_data)["cohen_wikipedia"]:
        assert cohen_kappa(example["table"]).value == pytest.approx(example["kappa"], abs=1e-12)


def test_irrcac_comes_out_with_missing_ratings(shared_data):
    textbook = load_textbook(shared_data)
    table, expected = (
        np.array(textbook["krippendorff_2011_C_4x12"]["data"], float),
        textbook["irrCAC_same_4x12"],
    )
    counts = unit_counts(np.tile(np.arange(12), 4), table.ravel()).counts

    def value(chance):
        return chance_corrected_agreement(counts, chance).value

    assert value("gwet") == pytest.approx(expected["gwet_ac1"], abs=5e-6)
    assert value("fleiss") == pytest.approx(expected["fleiss_kappa_missing"], abs=5e-6)
    assert value("brennan_prediger") == pytest.approx(expected["brennan_prediger"], abs=5e-6)
    assert conger_kappa(table).value == pytest.approx(expected["conger"], abs=5e-6)


@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=3, max_size=3))
def test_cohen_agrees_with_statsmodels(table):
    ours = cohen_kappa(table).value

    if ours is not None:
        assert ours == pytest.approx(cohens_kappa(np.array(table), return_results=False), abs=1e-9)


def test_equal_numbers_of_ratings_give_fleiss_kappa():
    counts = np.random.default_rng(1).multinomial(5, [0.5, 0.3, 0.2], size=30)

    assert chance_corrected_agreement(counts, "fleiss").value == pytest.approx(fleiss_kappa(counts).value)


def test_conger_of_two_raters_is_cohen():
    table = np.random.default_rng(2).integers(0, 4, size=(2, 50))
    crossed = np.zeros((4, 4))
    np.add.at(crossed, tuple(table), 1)

    # Conger takes the variance over g - 1 = 1, which makes chance the product of the two margins.
    assert conger_kappa(table).value == pytest.approx(cohen_kappa(crossed).value)


def test_gwet_stands_where_one_answer_prevails():
    # 18 items of two ratings: 17 agree on yes, 1 is split.
    counts = [[2, 0]] * 17 + [[1, 1]]

    assert chance_corrected_agreement(counts, "gwet").value > 0.9
    assert chance_corrected_agreement(counts, "fleiss").value < 0


def test_near_answers_earn_partial_credit():
    near, far = [[1, 1, 0], [0, 1, 1]], [[1, 0, 1], [1, 0, 1]]
    weights = partial_credit(3, "quadratic")

    values = [chance_corrected_agreement(counts, "gwet", weights=weights).value for counts in (near, far)]
    assert values[0] > values[1]
    assert partial_credit(3, "linear")[0].tolist() == [1, 0.5, 0]


def test_interval_holds_the_value_and_keeps_to_the_seed():
    counts = np.random.default_rng(1).multinomial(5, [0.7, 0.2, 0.1], size=40)
    one = chance_corrected_agreement(counts, "gwet", resamples=300, seed=5)

    assert one.low < one.value < one.high
    assert one == chance_corrected_agreement(counts, "gwet", resamples=300, seed=5)


def test_undefined_has_a_reason():
    assert cohen_kappa([[0, 0], [0, 0]]).undefined_reason == "no item was rated by both"
    assert cohen_kappa([[4, 0], [0, 0]]).undefined_reason == "only one value is used"
    assert chance_corrected_agreement([[1, 0]], "gwet").undefined_reason == "no unit has two or more values"
    assert chance_corrected_agreement([[2]], "gwet").undefined_reason == "fewer than two categories"
    assert (
        chance_corrected_agreement([[2, 0]], "fleiss").undefined_reason
        == "chance alone makes agreement perfect"
    )
    assert conger_kappa([[1, 1], [1, 1]]).undefined_reason == "only one value is used"
