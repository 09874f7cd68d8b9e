"""Welfare functions against worked numbers, published ones, and the axioms they are chosen for."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.welfare import (
    WELFARE,
    approval,
    atkinson,
    atkinson_equivalent,
    cvar,
    gini,
    gini_welfare,
    leximin_key,
    leximin_ranks,
    maximin,
    maximin_strata,
    median,
    nash,
    power_mean,
    quantile,
    utilitarian,
)

# Utilities as scales give them: hundredths, so that sums and transfers are not lost to rounding.
utility = st.integers(0, 100).map(lambda hundredths: hundredths / 100)
juries = st.lists(utility, min_size=1, max_size=12)
powers = st.floats(-30, 30, allow_nan=False)

CONCAVE = {
    "utilitarian": utilitarian,
    "maximin": maximin,
    "nash": nash,
    "power_m1": lambda jury: power_mean(jury, -1),
    "power_half": lambda jury: power_mean(jury, 0.5),
    "gini_welfare": gini_welfare,
    "atkinson_equivalent": lambda jury: atkinson_equivalent(jury, 2),
    "cvar": cvar,
}
UP = {**CONCAVE, "median": median, "quantile": lambda jury: quantile(jury, 0.3), "approval": approval}
MEANS = {name: function for name, function in UP.items() if name != "approval"}
# The linear quantile interpolates between jurors, so only the median of the quantiles survives replication.
REPLICABLE = {
    **{name: function for name, function in UP.items() if name != "quantile"},
    "gini": gini,
    "atkinson": lambda jury: atkinson(jury, 0.5),
}


def over(functions):
    return pytest.mark.parametrize("welfare", functions.values(), ids=functions.keys())


@pytest.fixture
def textbook(shared_data):
    return json.loads((shared_data / "textbook" / "textbook_checks.json").read_text())


def test_every_named_welfare_by_hand():
    jury, strata = [0.25, 0.5, 0.75, 1.0, 1.0], ["a", "a", "b", "b", "b"]

    values = {name: welfare(jury, strata) for name, welfare in WELFARE.items()}

    assert values == {
        "utilitarian": pytest.approx(0.7),  # 3.5 / 5
        "maximin_strata": pytest.approx(0.375),  # a: 0.75 / 2; b: 2.75 / 3
        "maximin": 0.25,
        "nash": pytest.approx(0.09375**0.2),  # (1/4 * 1/2 * 3/4)^(1/5)
        # sum_i (2i - n - 1) u_(i) = -4/4 - 2/2 + 0 + 2 + 4 = 4; over n sum = 5 * 3.5
        "gini": pytest.approx(4 / 17.5),
        # roots 0.5 + 0.707107 + 0.866025 + 1 + 1 = 4.073132; (mean)^2 = 0.663616; 1 - 0.663616 / 0.7
        "atkinson_0_5": pytest.approx(0.051977, abs=1e-6),
        "power_m1": pytest.approx(5 / (4 + 2 + 4 / 3 + 1 + 1)),
        "median": 0.75,
        "cvar_20": 0.25,  # a fifth of five is the worst one
        "approval": 0.8,  # all but 0.25 reach 0.5
    }


def test_names_are_the_fields_of_the_jury_benchmark_in_order():
    assert list(WELFARE) == [
        "utilitarian",
        "maximin_strata",
        "maximin",
        "nash",
        "gini",
        "atkinson_0_5",
        "power_m1",
        "median",
        "cvar_20",
        "approval",
    ]


def test_only_the_inequality_indices_count_down():
    assert [name for name, welfare in WELFARE.items() if not welfare.higher_is_better] == [
        "gini",
        "atkinson_0_5",
    ]


@pytest.mark.parametrize("name", WELFARE)
def test_a_jury_of_nobody_has_no_welfare(name):
    assert WELFARE[name]([], []) is None


@pytest.mark.parametrize("name", WELFARE)
def test_a_missing_utility_is_refused(name):
    with pytest.raises(ValueError, match="leave out jurors"):
        WELFARE[name]([0.5, math.nan], ["a", "b"])


@pytest.mark.parametrize("name", WELFARE)
def test_many_juries_at_once_equal_one_by_one(name):
    rows = np.array([[0.0, 0.25, 1.0], [0.0, 0.0, 0.0], [0.5, 0.5, 0.75]])
    strata = ["a", "b", "b"]

    together = WELFARE[name].of_juries(rows, strata)

    one_by_one = [WELFARE[name](row, strata) for row in rows]
    assert [None if np.isnan(value) else value for value in together] == one_by_one


def test_a_jury_all_at_zero_has_no_inequality_index():
    assert gini([0, 0]) is None
    assert atkinson([0, 0], 0.5) is None
    assert gini_welfare([0, 0]) == 0.0
    assert atkinson_equivalent([0, 0], 0.5) == 0.0


def test_strata_are_averaged_before_the_worst_is_taken():
    # a: (0 + 1) / 2; b: 0.4; the juror at 0.1 has no stratum
    assert maximin_strata([0.0, 1.0, 0.4, 0.1], ["a", "a", "b", None]) == 0.4


def test_no_strata_means_no_stratum_welfare():
    assert maximin_strata([0.5, 1.0], None) is None
    assert maximin_strata([0.5, 1.0], [None, None]) is None


def test_strata_must_match_the_jury():
    with pytest.raises(ValueError, match="one label per juror"):
        maximin_strata([0.5, 1.0], ["a"])


def test_one_zero_makes_nash_and_negative_powers_zero():
    assert nash([0.0, 1.0, 1.0]) == 0.0
    assert power_mean([0.0, 1.0], -2) == 0.0
    assert power_mean([0.0, 1.0], 0.5) == 0.25


def test_power_mean_keeps_its_digits_at_extreme_powers():
    assert power_mean([0.2, 0.8], 1e-9) == pytest.approx(0.4, abs=1e-8)
    assert power_mean([0.2, 0.8], -5000) == pytest.approx(0.2, rel=1e-3)
    assert power_mean([0.2, 0.8], 5000) == pytest.approx(0.8, rel=1e-3)


def test_weights_count_jurors_several_times():
    jury, weights, spelled_out = [0.2, 0.6, 0.9], [2, 1, 3], [0.2, 0.2, 0.6, 0.9, 0.9, 0.9]

    assert utilitarian(jury, weights) == pytest.approx(utilitarian(spelled_out))
    assert nash(jury, weights) == pytest.approx(nash(spelled_out))
    assert power_mean(jury, -1, weights) == pytest.approx(power_mean(spelled_out, -1))
    assert atkinson(jury, 0.5, weights) == pytest.approx(atkinson(spelled_out, 0.5))
    assert approval(jury, 0.5, weights) == pytest.approx(approval(spelled_out, 0.5))


def test_weight_zero_leaves_a_juror_out():
    assert nash([0.0, 0.5], [0, 1]) == 0.5
    assert utilitarian([0.5], [0]) is None


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="weights"):
        utilitarian([0.5], [-1])
    with pytest.raises(ValueError, match="share"):
        cvar([0.5], 0)
    with pytest.raises(ValueError, match="share"):
        quantile([0.5], 1.1)
    with pytest.raises(ValueError, match="epsilon"):
        atkinson([0.5], -1)
    with pytest.raises(ValueError, match="not negative"):
        nash([-0.5])


def test_worst_share_takes_a_fraction_of_the_juror_on_its_edge():
    # k = 0.4 * 4 = 1.6: (0.1 + 0.6 * 0.5) / 1.6
    assert cvar([1.0, 0.5, 0.1, 0.9], 0.4) == pytest.approx(0.25)
    assert cvar([1.0, 0.5, 0.1, 0.9], 0.1) == 0.1
    assert cvar([1.0, 0.5, 0.1, 0.9], 1) == pytest.approx(0.625)


def test_leximin_breaks_the_tie_of_the_worst_off_by_the_next():
    assert leximin_key([0.9, 0.1]) == (0.1, 0.9)
    assert leximin_ranks([[0.1, 0.5, 0.9], [0.5, 0.2, 0.1], [0.9, 0.1, 0.5], [0.0, 1, 1]]) == [1, 2, 1, 3]


def test_juries_of_unequal_size_have_no_leximin_rank():
    assert leximin_ranks([[0.1, 0.2], [0.3]]) == [None, None]
    assert leximin_ranks([[0.1, 0.2], [], [0.3, 0.2]]) == [2, None, 1]
    assert leximin_ranks([]) == []


@over(UP | {"gini": gini, "atkinson": lambda jury: atkinson(jury, 0.5)})
@given(jury=juries, data=st.data())
def test_who_holds_which_utility_does_not_matter(welfare, jury, data):
    shuffled = data.draw(st.permutations(jury))

    assert welfare(shuffled) == pytest.approx(welfare(jury))


@over(UP)
@given(jury=juries, data=st.data())
def test_raising_one_juror_never_lowers_welfare(welfare, jury, data):
    index = data.draw(st.integers(0, len(jury) - 1))
    raised = list(jury)
    raised[index] = data.draw(st.integers(round(100 * jury[index]), 100)) / 100

    assert welfare(raised) >= welfare(jury) - 1e-12


@over(CONCAVE)
@given(jury=st.lists(utility, min_size=2, max_size=12), data=st.data())
def test_a_transfer_from_better_to_worse_off_never_lowers_welfare(welfare, jury, data):
    jury = sorted(jury)
    poor, rich = sorted(data.draw(st.lists(st.integers(0, len(jury) - 1), min_size=2, max_size=2)))
    amount = data.draw(st.integers(0, round(100 * (jury[rich] - jury[poor])) // 2)) / 100
    after = list(jury)
    after[poor] += amount
    after[rich] -= amount

    assert welfare(after) >= welfare(jury) - 1e-9


@over({"gini": gini, "atkinson": lambda jury: atkinson(jury, 0.5)})
@given(jury=st.lists(st.integers(1, 100), min_size=2, max_size=12))
def test_a_transfer_from_best_to_worst_off_never_raises_inequality(welfare, jury):
    after = sorted(jury)
    amount = (after[-1] - after[0]) / 2
    after[0] += amount
    after[-1] -= amount

    assert welfare(after) <= welfare(jury) + 1e-12


@over(REPLICABLE)
@given(jury=juries, times=st.integers(2, 4))
def test_replicating_the_jury_changes_nothing(welfare, jury, times):
    assert welfare(jury * times) == pytest.approx(welfare(jury), abs=1e-12)


@over(MEANS)
@given(jury=juries)
def test_a_mean_lies_between_worst_and_best(welfare, jury):
    assert min(jury) <= welfare(jury) <= max(jury)


@over(MEANS)
@given(value=utility, size=st.integers(1, 9))
def test_when_all_are_equal_that_is_the_welfare(welfare, value, size):
    assert welfare([value] * size) == value


@over(MEANS)
@given(jury=juries, factor=st.sampled_from([0.5, 3.0]))
def test_means_scale_with_the_utilities(welfare, jury, factor):
    assert welfare([factor * value for value in jury]) == pytest.approx(factor * welfare(jury), abs=1e-12)


@given(jury=juries, low=powers, high=powers)
def test_power_mean_never_falls_as_its_power_grows(jury, low, high):
    low, high = sorted([low, high])

    assert power_mean(jury, low) <= power_mean(jury, high) + 1e-12


@given(jury=juries, p=powers)
def test_power_mean_stays_between_its_limits(jury, p):
    assert power_mean(jury, -math.inf) == min(jury)
    assert power_mean(jury, math.inf) == max(jury)
    assert min(jury) <= power_mean(jury, p) <= max(jury)


@given(jury=juries)
def test_gini_welfare_is_the_discounted_mean_and_not_above_it(jury):
    mean = utilitarian(jury)

    assert gini_welfare(jury) <= mean + 1e-12
    if mean > 0:
        assert gini_welfare(jury) == pytest.approx(mean * (1 - gini(jury)))


@given(jury=juries)
def test_inequality_lies_between_none_and_all_in_one_hand(jury):
    if any(jury):
        assert 0 <= gini(jury) <= 1 - 1 / len(jury) + 1e-12
        assert 0 <= atkinson(jury, 0.5) <= 1


def test_inequality_agrees_with_published_values(textbook):
    case = textbook["ineq_example"]
    assert gini(case["x"]) == pytest.approx(case["gini"])
    for epsilon, value in case["atkinson"].items():
        assert atkinson(case["x"], float(epsilon)) == pytest.approx(value)
    for case in textbook["gini_small"]:
        assert gini(case["x"]) == pytest.approx(case["gini"])


def test_atkinson_agrees_with_published_values(textbook):
    case = textbook["atkinson_1_5"]
    jury = case.pop("x")
    for epsilon, value in case.items():
        assert atkinson(jury, float(epsilon)) == pytest.approx(value)


def test_power_mean_agrees_with_published_values(textbook):
    for p, value in textbook["generalised_mean_1_2_4"].items():
        assert power_mean([1, 2, 4], float(p)) == pytest.approx(value)
