"""Components against the analysis of variance, known truths, and the mixed model of statsmodels."""

import numpy as np
import pytest

from annotations.statistics.icc import intraclass_correlations
from annotations.statistics.variance_components import (
    absolute_reliability,
    decision_study,
    item_rater_components,
    relative_reliability,
    system_components,
    system_reliability,
)


def simulated(n_items, n_raters, seed, missing=0.0):
    rng = np.random.default_rng(seed)
    table = (
        rng.normal(0, 1, (n_items, 1))
        + rng.normal(0, 0.5, (1, n_raters))
        + rng.normal(0, 0.8, (n_items, n_raters))
    )
    item, rater = np.indices(table.shape)
    kept = rng.random(table.shape) >= missing
    return table, (item[kept], rater[kept], table[kept])


def test_complete_data_give_the_intraclass_correlations():
    table, rows = simulated(12, 4, seed=1)
    components, icc = item_rater_components(*rows), intraclass_correlations(table.T)

    assert relative_reliability(components, 1) == pytest.approx(icc["ICC(C,1)"].value)
    assert absolute_reliability(components, 1) == pytest.approx(icc["ICC(A,1)"].value)
    assert absolute_reliability(components, 4) == pytest.approx(icc["ICC(A,k)"].value)


def test_the_truth_comes_out_of_incomplete_data():
    found = [item_rater_components(*simulated(60, 30, seed, missing=0.7)[1]).raw for seed in range(30)]

    assert np.mean([one["item"] for one in found]) == pytest.approx(1, abs=0.15)
    assert np.mean([one["rater"] for one in found]) == pytest.approx(0.25, abs=0.05)
    assert np.mean([one["residual"] for one in found]) == pytest.approx(0.64, abs=0.05)


def test_systems_items_and_raters_come_apart():
    rng, found = np.random.default_rng(3), []
    shape = (6, 10, 8)
    for _ in range(40):
        values = (
            rng.normal(0, 1, (6, 1, 1))
            + rng.normal(0, 0.7, (6, 10, 1))
            + rng.normal(0, 0.5, (1, 1, 8))
            + rng.normal(0, 1, shape)
        )
        columns = [axis.ravel() for axis in np.indices(shape)]
        found.append(system_components(*columns, values.ravel()).raw)

    means = {effect: np.mean([one[effect] for one in found]) for effect in found[0]}
    truth = {"system": 1, "system:item": 0.49, "rater": 0.25, "item": 0, "system:rater": 0, "residual": 1}
    for effect, variance in truth.items():
        assert means[effect] == pytest.approx(variance, abs=0.25)


def test_more_raters_are_worth_what_the_formula_says():
    components = item_rater_components(*simulated(12, 4, seed=1)[1])
    v = components.raw
    sizes, relative, _ = zip(*decision_study(components, [1, 2, 8]), strict=True)

    assert sizes == (1, 2, 8)
    assert relative == pytest.approx([v["item"] / (v["item"] + v["residual"] / n) for n in sizes])


def test_parts_that_share_nobody_are_refused():
    components = item_rater_components([0, 0, 1, 1, 2, 2, 3, 3], list("ababcdcd"), [1, 2, 3, 4, 5, 6, 7, 8])

    assert components.undefined_reason == "items and raters fall into parts that share nobody"
    assert relative_reliability(components, 3) is None


def test_too_little_has_a_reason():
    assert item_rater_components([0, 0], [0, 1], [1, 2]).undefined_reason == "fewer than two items or raters"
    assert "too few" in item_rater_components([0, 0, 1], [0, 1, 0], [1, 2, 3]).undefined_reason
    one_each = system_components([0, 1], [0, 0], [0, 0], [1.0, 2.0])
    assert one_each.undefined_reason == "the effects cannot be told apart with these ratings"
    assert system_reliability(one_each, 5, 5) is None
