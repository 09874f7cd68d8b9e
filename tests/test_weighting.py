"""Weights meet their targets, and means that use them are as sure as they say."""

import numpy as np
import pytest

from annotations.statistics.weighting import (
    hajek_mean,
    post_stratification_weights,
    post_stratified_mean,
    rake,
)


def test_post_stratification_by_hand():
    # Of four, three are a; wanted half: 0.5 / 0.75 and 0.5 / 0.25.
    weights = post_stratification_weights(["a", "a", "a", "b"], {"a": 50, "b": 50})

    assert weights.values == pytest.approx([2 / 3] * 3 + [2])
    assert weights.effective_size == pytest.approx(16 / (3 * 4 / 9 + 4))


def test_raking_meets_every_margin():
    rng = np.random.default_rng(1)
    age, sex = rng.choice(["18", "35", "60"], 200), rng.choice(["f", "m"], 200, p=[0.7, 0.3])
    targets = {"age": {"18": 0.2, "35": 0.5, "60": 0.3}, "sex": {"f": 0.51, "m": 0.49}}
    weights = rake({"age": age.tolist(), "sex": sex.tolist()}, targets).values

    assert weights.mean() == pytest.approx(1)
    for level, share in targets["age"].items():
        assert weights[age == level].sum() / 200 == pytest.approx(share)
    assert weights[sex == "f"].sum() / 200 == pytest.approx(0.51)


def test_a_target_nobody_can_speak_for_is_undefined():
    weights = post_stratification_weights(["a", "a"], {"a": 0.5, "b": 0.5})

    assert weights.undefined_reason == "no annotator of stratum b"
    assert np.isnan(weights.values).all()
    assert weights.effective_size is None


def test_targets_that_contradict_each_other_are_undefined():
    # Everybody a is also x, so shares of a and x cannot differ.
    weights = rake(
        {"p": ["a", "b"], "q": ["x", "y"]}, {"p": {"a": 1, "b": 1}, "q": {"x": 3, "y": 1}}, most_rounds=50
    )

    assert weights.undefined_reason == "the targets cannot be met together"


def test_an_annotator_outside_the_target_is_named():
    with pytest.raises(ValueError, match="'c' has no target"):
        post_stratification_weights(["a", "c"], {"a": 1})


def test_post_stratified_mean_by_hand():
    # Means 1 and 4; 0.75 * 1 + 0.25 * 4; variances 2 and 2 of n = 2: .5625 * 1 + .0625 * 1
    found = post_stratified_mean([0, 2, 3, 5], ["a", "a", "b", "b"], {"a": 3, "b": 1})

    assert found.value == pytest.approx(1.75)
    assert found.high - found.value == pytest.approx(1.959964 * np.sqrt(0.625), abs=1e-6)


def test_a_stratum_asked_whole_adds_no_uncertainty():
    found = post_stratified_mean([0, 2, 3, 5], list("aabb"), {"a": 1, "b": 1}, population={"a": 2, "b": 2})

    assert found.low == found.high == found.value


def test_post_stratified_interval_holds_the_mean_about_as_often_as_it_says():
    rng, inside = np.random.default_rng(2), []
    for _ in range(400):
        values = np.concatenate([rng.normal(0, 1, 40), rng.normal(2, 2, 20)])
        found = post_stratified_mean(values, ["a"] * 40 + ["b"] * 20, {"a": 0.3, "b": 0.7})
        inside.append(found.low <= 1.4 <= found.high)

    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_a_stratum_without_or_with_one_rating():
    nobody = post_stratified_mean([1.0], ["a"], {"a": 1, "b": 1})
    one = post_stratified_mean([1.0, 2.0, 3.0], ["a", "b", "b"], {"a": 1, "b": 1})

    assert nobody.undefined_reason == "stratum b has no rating"
    assert (one.value, one.low) == (1.75, None)


def test_rare_seats_count_for_those_that_were_not_filled():
    # 2 / .5 + 4 / 1 over 1 / .5 + 1
    assert hajek_mean([2, 4], [0.5, 1]) == pytest.approx(8 / 3)
    assert hajek_mean([], []) is None
