"""Cronbach's alpha by hand, beside pingouin's, at its edges; and over the people of a campaign."""

import math
import random

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.models import Annotator
from annotations.profiles import record_profile
from annotations.reliability import score_reliability
from annotations.statistics.reliability import cronbach_alpha
from tests.builders import make_campaign

MISSING = float("nan")


def make_answers(people, items, *, spread=1.0, seed=0):
    """Five-point answers that share a common part and differ by `spread`."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(people, 1))
    return np.clip(np.round(3 + common + spread * rng.normal(size=(people, items))), 1, 5)


def test_alpha_by_hand():
    # Items 1 2 3, 2 4 3: variances 1 and 1; sums 3 6 6, variance 3; alpha = 2 * (1 - 2 / 3).
    alpha = cronbach_alpha([[1, 2], [2, 4], [3, 3]])

    assert alpha.value == pytest.approx(2 / 3)
    assert (alpha.n_annotators, alpha.n_items, alpha.n_ratings) == (3, 2, 6)


def test_interval_by_hand():
    # n = 3, k = 2: ln(1 - 2/3) - ln(3/2) -+ 1.959964 * sqrt(4 / 1).
    alpha = cronbach_alpha([[1, 2], [2, 4], [3, 3]])

    middle = math.log(1 / 3) - math.log(1.5)
    assert alpha.low == pytest.approx(1 - math.exp(middle + 2 * 1.959964), abs=1e-5)
    assert alpha.high == pytest.approx(1 - math.exp(middle - 2 * 1.959964), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("people", "items"), [(10, 2), (60, 4), (300, 21)])
def test_alpha_is_pingouin_s(people, items, seed):
    answers = make_answers(people, items, seed=seed)
    answers[0, 0] = MISSING  # left out listwise by both

    value, (low, high) = pingouin.cronbach_alpha(data=pd.DataFrame(answers), nan_policy="listwise")

    ours = cronbach_alpha(answers)
    assert ours.value == pytest.approx(value, abs=1e-12)
    # Its interval is Feldt's exact one for normal answers, ours Bonett's; they agree as people become many.
    assert abs(ours.low - low) < 1.5 / people + 0.01
    assert abs(ours.high - high) < 1.5 / people + 0.01


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    # Items of a common part and noise, both of variance 1: alpha = 4 * 1 / (4 * 1 + 1) = 0.8.
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        answers = rng.normal(size=(50, 1)) + rng.normal(size=(50, 4))
        alpha = cronbach_alpha(answers)
        held += alpha.low <= 0.8 <= alpha.high

    assert 0.92 < held / 400 < 0.98


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([[1], [2]], "fewer than two items"),
        ([[1, 2]], "fewer than two people"),
        ([[1, MISSING], [2, 3], [MISSING, 1]], "fewer than two people"),
        ([[3, 3], [3, 3]], "add up to the same"),
        ([[1, 5], [5, 1], [2, 4]], "add up to the same"),
    ],
)
def test_undefined_alpha_has_a_reason(answers, reason):
    alpha = cronbach_alpha(answers)

    assert alpha.value is None
    assert reason in alpha.undefined_reason


def test_items_that_always_agree_have_alpha_one_and_no_interval():
    alpha = cronbach_alpha([[1, 1], [4, 4], [2, 2]])

    assert alpha.value == pytest.approx(1)
    assert alpha.low is None


def test_items_that_contradict_each_other_have_a_negative_alpha():
    assert cronbach_alpha([[1, 5], [5, 2], [2, 5]]).value < 0


@given(st.integers(0, 10_000))
def test_the_order_of_people_and_items_does_not_matter(seed):
    answers = make_answers(20, 4, seed=seed)
    shuffled = np.random.default_rng(seed).permutation(answers)[:, ::-1]

    before, after = cronbach_alpha(answers), cronbach_alpha(shuffled)
    assert (before.value is None) == (after.value is None)
    if before.value is not None:
        assert after.value == pytest.approx(before.value)


# Over a campaign


def take_part(campaign, common, rng, **fields):
    annotator = Annotator.objects.create(campaign=campaign, **fields)
    raw = {}
    for item in range(1, 21):
        typed = min(max(round(common + rng.gauss(0, 0.7)), 1), 5)
        turned = item in (6, 7, 8, 9, 10, 15, 16, 17, 18, 19, 20)
        raw[f"i{item:02d}"] = str(6 - typed if turned else typed)
    record_profile(annotator, {"mini-ipip-20": raw})
    return annotator


@pytest.mark.django_db
def test_a_campaign_shows_how_reliable_its_scores_are(django_assert_max_num_queries):
    campaign = make_campaign(instruments=["core-demographics", "mini-ipip-20"])
    rng = random.Random(3)
    for _ in range(12):
        take_part(campaign, rng.uniform(1, 5), rng)
    take_part(campaign, 1, rng, source="simulated")
    take_part(campaign, 1, rng, state="withdrawn")
    take_part(make_campaign(instruments=["mini-ipip-20"]), 1, rng)

    with django_assert_max_num_queries(1):
        rows = score_reliability(campaign)

    assert [row.score.id for row in rows] == [
        "ipip_extraversion",
        "ipip_agreeableness",
        "ipip_conscientiousness",
        "ipip_neuroticism",
        "ipip_imagination",
    ]
    # Reversed items are turned round first: without that, alpha would be far below zero.
    assert all(row.alpha.value > 0.7 for row in rows)
    assert {row.alpha.n_annotators for row in rows} == {12}


@pytest.mark.django_db
def test_only_a_person_s_latest_answers_count():
    campaign = make_campaign(instruments=["mini-ipip-20"])
    annotator = take_part(campaign, 3, random.Random(1))
    record_profile(annotator, {})

    assert score_reliability(campaign)[0].alpha.n_annotators == 0


@pytest.mark.django_db
def test_without_people_reliability_is_undefined_with_a_reason():
    campaign = make_campaign(instruments=["mini-ipip-20"])

    assert "fewer than two people" in score_reliability(campaign)[0].alpha.undefined_reason
