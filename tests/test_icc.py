"""Intraclass correlations against Shrout and Fleiss's table and pingouin."""

import numpy as np
import pandas as pd
import pingouin
import pytest

from annotations.statistics.icc import NAMES, intraclass_correlations
from tests.textbook import load_textbook


def in_pingouin(table):
    raters, items = np.indices(table.shape)
    frame = pd.DataFrame({"i": items.ravel(), "r": raters.ravel(), "v": table.ravel()})
    return pingouin.intraclass_corr(frame, targets="i", raters="r", ratings="v").set_index("Type")


def test_shrout_and_fleiss_come_out(shared_data):
    example = load_textbook(shared_data)["shrout_fleiss_1979_6x4"]
    ours = intraclass_correlations(np.array(example["data"]).T)

    published = dict(zip(NAMES, example["icc"].values(), strict=True))
    assert {name: ours[name].value for name in NAMES} == pytest.approx(published, abs=1e-9)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning", "ignore:divide by zero")
@pytest.mark.parametrize("seed", range(5))
def test_values_and_intervals_agree_with_pingouin(seed):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(1, 15)) + rng.normal(0, 0.7, size=(4, 1)) + rng.normal(0, 0.8, size=(4, 15))
    ours, theirs = intraclass_correlations(table), in_pingouin(table)

    for name in NAMES:
        assert ours[name].value == pytest.approx(theirs.loc[name, "ICC"], abs=1e-9)
        interval = theirs.loc[name, "CI95"]
        assert [ours[name].low, ours[name].high] == pytest.approx(list(interval), abs=0.0051)


def test_a_lenient_rater_costs_agreement_but_not_consistency():
    # The second rater gives one more each time.
    ours = intraclass_correlations([[1, 2, 3, 4], [2, 3, 4, 5]])

    assert ours["ICC(C,1)"].value == pytest.approx(1)
    assert ours["ICC(A,1)"].value < 0.9


def test_incomplete_small_and_constant_tables_have_a_reason():
    def reason(table):
        return intraclass_correlations(table)["ICC(A,1)"].undefined_reason

    assert reason([[1, np.nan], [2, 3]]) == "not every rater rated every item"
    assert reason([[1, 2, 3]]) == "fewer than two raters or items"
    assert reason([[2, 2], [2, 2]]) == "only one value is used"
