"""Agreement against worked numbers, published alphas and kappas, and the krippendorff package."""

import csv
import json

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from annotations.statistics.agreement import (
    alpha_from_counts,
    fleiss_kappa,
    krippendorff_alpha,
    raw_agreement,
    raw_agreement_from_counts,
    unit_counts,
)

NAN = float("nan")
LEVELS = ["nominal", "ordinal", "interval", "ratio"]
# Sliders in steps, with about a third of the cells missing, as in a study with partial overlap.
tables = arrays(
    np.float64,
    st.tuples(st.integers(2, 6), st.integers(2, 8)),
    elements=st.one_of(st.integers(0, 100).map(float), st.sampled_from([0.0, 50.0, 100.0, NAN, NAN, NAN])),
)


@pytest.fixture
def textbook(shared_data):
    return json.loads((shared_data / "textbook" / "textbook_checks.json").read_text())


@pytest.fixture
def squality(shared_data):
    with (shared_data / "squality" / "ratings.csv").open() as file:
        rows = list(csv.DictReader(file))
    return rows, json.loads((shared_data / "squality" / "expected.json").read_text())


def as_table(rows):
    return np.array(rows, dtype=float)


def test_alpha_by_hand():
    # Units (1, 1), (1, 2), (2, 2), so n = 6, n_1 = n_2 = 3 and coincidences o_12 = o_21 = 1.
    # Nominal: D_o = 2/6, D_e = 2 * 3 * 3 / (6 * 5) = 18/30; alpha = 1 - 10/18
    estimate = krippendorff_alpha([[1, 1, 2], [1, 2, 2]], "nominal")

    assert estimate.value == pytest.approx(8 / 18)
    assert (estimate.n_items, estimate.n_annotators, estimate.n_ratings) == (3, 2, 6)
    assert estimate.low is None
    assert estimate.seed is None


def test_ordinal_alpha_depends_on_how_many_lie_between():
    # Units (1, 3), (2, 2), (2, 2): n_1 = 1, n_2 = 4, n_3 = 1, mid-ranks 0.5, 3, 5.5.
    # n D_o = 2 * 5^2 = 50; n (n-1) D_e = 2 * (1*4*2.5^2 + 1*1*5^2 + 4*1*2.5^2) = 150; 1 - 5 * 50/150
    assert krippendorff_alpha([[1, 2, 2], [3, 2, 2]], "ordinal").value == pytest.approx(1 - 5 / 3)


def test_ordinal_alpha_ignores_the_size_of_the_steps():
    table = as_table([[1, 2, 3, 5], [1, 3, 3, 5], [2, 2, 5, NAN]])

    assert krippendorff_alpha(table, "ordinal").value == krippendorff_alpha(table**3, "ordinal").value


@pytest.mark.parametrize("level", LEVELS)
def test_perfect_agreement_is_one(level):
    assert krippendorff_alpha([[1, 7, 30], [1, 7, 30], [1, NAN, 30]], level).value == 1.0


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_without_a_pair_is_undefined(level):
    estimate = krippendorff_alpha([[1, NAN, 2], [NAN, 3, NAN]], level)

    assert estimate.value is None
    assert estimate.undefined_reason == "no unit has two or more values"
    assert estimate.n_items == 0


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_of_a_single_value_is_undefined(level):
    # The 5 was given to a unit nobody else rated, so it does not enter.
    estimate = krippendorff_alpha([[4, 4, 5], [4, 4, NAN]], level)

    assert estimate.value is None
    assert estimate.undefined_reason == "only one value is used"
    assert estimate.n_ratings == 4


def test_units_with_one_value_do_not_count():
    with_single = krippendorff_alpha([[1, 1, 2, 9], [1, 2, 2, NAN]], "interval")

    assert with_single == krippendorff_alpha([[1, 1, 2], [1, 2, 2]], "interval")


def test_long_form_counts_need_no_rater():
    counts, categories = unit_counts([5, 5, 8, 8, 8, 9], [1.0, 2.0, 2.0, 2.0, NAN, NAN])

    assert categories.tolist() == [1, 2]
    assert counts.tolist() == [[1, 1], [0, 2], [0, 0]]


def test_long_form_of_nothing_is_empty():
    counts, categories = unit_counts([], [])

    assert counts.shape == (0, 0)
    assert (
        alpha_from_counts(counts, categories, "nominal").undefined_reason == "no unit has two or more values"
    )


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="level"):
        krippendorff_alpha([[1, 2], [1, 2]], "cardinal")
    with pytest.raises(ValueError, match="categories"):
        alpha_from_counts([[1, 1]], [1], "nominal")
    with pytest.raises(ValueError, match="ascending"):
        alpha_from_counts([[1, 1]], [2, 1], "ordinal")
    with pytest.raises(ValueError, match="ratio"):
        krippendorff_alpha([[-1, 2], [1, 2]], "ratio")
    with pytest.raises(ValueError, match="counts"):
        alpha_from_counts([[1, -1]], [1, 2], "nominal")


@pytest.mark.parametrize("level", LEVELS)
@given(table=tables)
def test_alpha_agrees_with_the_krippendorff_package(level, table):
    ours = krippendorff_alpha(table, level)
    assume(ours.value is not None)

    theirs = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
    assert ours.value == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_is_right_on_a_slider_with_a_hundred_values(level):
    rng = np.random.default_rng(7)
    truth = rng.uniform(0, 100, size=400)
    table = np.clip(np.round(truth + rng.normal(0, 20, size=(12, 400))), 0, 100)
    table[rng.random(table.shape) < 0.4] = NAN

    theirs = krippendorff.alpha(reliability_data=table, level_of_measurement=level)
    assert np.unique(table[~np.isnan(table)]).size == 101
    assert krippendorff_alpha(table, level).value == pytest.approx(theirs, abs=1e-9)


@given(table=tables, data=st.data())
def test_alpha_does_not_depend_on_the_order_of_raters_or_units(table, data):
    raters = data.draw(st.permutations(range(table.shape[0])))
    units = data.draw(st.permutations(range(table.shape[1])))
    before, after = (
        krippendorff_alpha(table, "ordinal"),
        krippendorff_alpha(table[raters][:, units], "ordinal"),
    )

    assert after.value == (None if before.value is None else pytest.approx(before.value, abs=1e-9))


@pytest.mark.parametrize(
    "name",
    [
        "krippendorff_2011_C_4x12",
        "krippendorff_2011_A_binary_2x10",
        "krippendorff_2011_B_nominal_2x12",
        "wikipedia_kripp_3x15",
    ],
)
def test_alpha_agrees_with_published_values(textbook, name):
    for level, value in textbook[name]["alpha"].items():
        assert krippendorff_alpha(as_table(textbook[name]["data"]), level).value == pytest.approx(
            value, abs=1e-9
        )


def test_alpha_agrees_with_irrcac(textbook):
    table = as_table(textbook["krippendorff_2011_C_4x12"]["data"])

    expected = textbook["irrCAC_same_4x12"]["krippendorff"]
    assert krippendorff_alpha(table, "nominal").value == pytest.approx(expected, abs=5e-6)


def test_recipe_ratings_without_rater_ids_give_the_published_alphas(shared_data):
    with (shared_data / "recipes" / "ratings.csv").open() as file:
        rows = list(csv.DictReader(file))
    expected = json.loads((shared_data / "recipes" / "expected.json").read_text())

    for criterion, value in expected["alpha_ordinal"].items():
        rated = [row for row in rows if row["criterion"] == criterion]
        counts, categories = unit_counts(
            [row["item_id"] for row in rated], [float(row["score"]) for row in rated]
        )
        estimate = alpha_from_counts(counts, categories, "ordinal")
        assert estimate.value == pytest.approx(value, abs=1e-9)
        assert estimate.n_items == expected["units"]


@pytest.mark.parametrize("criterion", ["correctness", "coverage", "overall"])
def test_squality_alphas_come_out(squality, criterion):
    rows, expected = squality
    counts, categories = unit_counts(
        [row["response_id"] for row in rows], [float(row[criterion]) for row in rows]
    )

    for level, value in expected["computed_here_not_published"]["alpha"][criterion].items():
        assert alpha_from_counts(counts, categories, level).value == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_interval_reweights_counts_as_recomputing_would(level):
    rng = np.random.default_rng(3)
    table = rng.integers(0, 6, size=(4, 12)).astype(float)
    table[rng.random(table.shape) < 0.2] = NAN
    estimate = krippendorff_alpha(table, level, resamples=200, seed=11)

    draws = np.random.default_rng(11).integers(12, size=(200, 12))
    recomputed = [krippendorff_alpha(table[:, drawn], level).value for drawn in draws]
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(recomputed, [0.025, 0.975])))
    assert estimate.seed == 11


def test_interval_is_the_same_for_the_same_seed_only():
    rng = np.random.default_rng(5)
    table = rng.integers(0, 101, size=(4, 30)).astype(float)
    first, again, other = (
        krippendorff_alpha(table, "ordinal", resamples=300, seed=seed) for seed in [1, 1, 2]
    )

    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert first.low < first.value < first.high


def test_a_single_unit_has_an_alpha_but_no_interval():
    estimate = krippendorff_alpha([[1], [2]], "nominal", resamples=100, seed=1)

    assert estimate.value == 0.0  # D_o = 1, D_e = 2 * 1 * 1 / (2 * 1)
    assert (estimate.low, estimate.high) == (None, None)


def test_fleiss_kappa_by_hand():
    # P_i = 1, 1/3, 1; P = 7/9. Shares 4/9 and 5/9: P_e = 41/81. (63 - 41) / (81 - 41)
    estimate = fleiss_kappa([[3, 0], [1, 2], [0, 3]])

    assert estimate.value == pytest.approx(22 / 40)
    assert (estimate.n_items, estimate.n_ratings) == (3, 9)


@pytest.mark.parametrize("name", ["fleiss_1971_30x6", "fleiss_wikipedia_10x14"])
def test_fleiss_kappa_agrees_with_published_values(textbook, name):
    assert fleiss_kappa(textbook[name]["counts"]).value == pytest.approx(textbook[name]["kappa"], abs=1e-12)


def test_fleiss_kappa_says_why_it_is_undefined():
    assert fleiss_kappa([[3, 0], [1, 1]]).undefined_reason == "items have different numbers of ratings"
    assert fleiss_kappa([[3, 0], [3, 0]]).undefined_reason == "only one value is used"
    assert fleiss_kappa([[1, 0], [0, 1]]).undefined_reason == "no unit has two or more values"


def test_fleiss_kappa_interval_holds_the_value():
    rng = np.random.default_rng(2)
    estimate = fleiss_kappa(rng.multinomial(5, [0.5, 0.3, 0.2], size=40), resamples=400, seed=9)

    assert estimate.low < estimate.value < estimate.high


def test_raw_agreement_by_hand():
    # Pairs that are equal: 1 of 3, 1 of 1; the unit with one value has no pair. (1/3 + 1) / 2
    estimate = raw_agreement([[1, 2, 5], [1, 2, NAN], [3, NAN, NAN]])

    assert estimate.value == pytest.approx(2 / 3)
    assert (estimate.n_items, estimate.n_annotators, estimate.n_ratings) == (2, 3, 5)


def test_raw_agreement_without_a_pair_is_undefined():
    assert raw_agreement([[1, NAN], [NAN, 2]]).undefined_reason == "no unit has two or more values"


def test_raw_agreement_interval_stays_within_its_values():
    estimate = raw_agreement_from_counts([[2, 0], [1, 1], [0, 2], [2, 0]], resamples=500, seed=4)

    assert 0 <= estimate.low < estimate.value < estimate.high <= 1


@pytest.mark.parametrize("level", LEVELS)
def test_units_drawn_together_give_the_interval_of_units_drawn_apart(level, monkeypatch):
    rng = np.random.default_rng(6)
    counts = rng.multinomial(4, rng.dirichlet(np.ones(4), size=11_000))
    together = alpha_from_counts(counts, [1, 2, 3, 4], level, resamples=1000, seed=1)
    monkeypatch.setattr("annotations.statistics.agreement.POOL_ABOVE", 1e9)
    apart = alpha_from_counts(counts, [1, 2, 3, 4], level, resamples=1000, seed=1)

    assert together.value == pytest.approx(apart.value)
    assert (together.low, together.high) == pytest.approx((apart.low, apart.high), abs=0.002)
