"""Theil's and the sample Gini index against published numbers and their ends."""

import numpy as np
import pytest

from annotations.statistics.inequality import gini_of_sample, theil_inequality
from tests.textbook import load_textbook


def test_published_indices_come_out(shared_data):
    example = load_textbook(shared_data)["ineq_example"]

    assert theil_inequality(example["x"]) == pytest.approx(example["theil_T"], abs=1e-12)
    assert gini_of_sample(example["x"]) == pytest.approx(example["gini_unbiased"], abs=1e-12)


def test_ends_and_undefined():
    assert theil_inequality([0, 0, 0, 1]) == pytest.approx(np.log(4))
    assert gini_of_sample([0, 0, 0, 1]) == pytest.approx(1)
    assert theil_inequality([0, 0]) is None
    assert gini_of_sample([1]) is None
