"""Third attributes: each jury gets a like mix, without seats of their own."""

import random

import pytest

from annotations.assignment import next_seats
from annotations.jury import place_annotator
from annotations.models import Annotator
from annotations.soft_targets import soft_balance
from tests.builders import make_open_campaign
from tests.jurors import NOW, make_juror, sit_and_rate

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
SOFT = [{"attribute": "age", "levels": ["old", "young"]}, {"attribute": "town", "levels": ["yes", "no"]}]


def make_juror_of(campaign, side, **levels):
    annotator = make_juror(campaign)
    place_annotator(annotator, {"side": side} | levels)
    return annotator


def test_levels_are_kept_from_the_first_profile_and_move_no_more():
    campaign = make_open_campaign(strata=SIDES, soft_targets=SOFT)
    annotator = make_juror_of(campaign, "left", age="old", hair="red")
    place_annotator(annotator, {"side": "left", "age": "young"})

    annotator.refresh_from_db()
    assert annotator.soft_levels == {"age": "old"}


def test_juries_are_more_alike_than_chance_makes_them():
    assert _deviations(SOFT) < 0.6 * _deviations([])


def _deviations(targets):
    """People of both ages from town and country come in a random order; each rates two of eight prompts."""
    campaign = make_open_campaign(
        prompts=8,
        candidates=1,
        strata=SIDES,
        seats_per_stratum=12,
        wildcard_seats=0,
        soft_targets=targets,
        seed="0" * 32,
    )
    rng = random.Random(3)
    for _ in range(48):
        levels = {"age": rng.choice(["old", "young"]), "town": rng.choice(["yes", "no"])}
        annotator = make_juror_of(campaign, "left", **levels)
        for _ in range(2):
            sit_and_rate(annotator)
        Annotator.objects.filter(pk=annotator.pk).update(soft_levels=levels)  # to be told, whoever decided
    campaign.soft_targets = SOFT
    return sum(row.largest_deviation for row in soft_balance(campaign))


def test_need_goes_before_balance():
    campaign = make_open_campaign(
        prompts=2, candidates=1, strata=SIDES, seats_per_stratum=2, wildcard_seats=0, soft_targets=SOFT
    )
    first = next_seats(make_juror_of(campaign, "left", age="old"), now=NOW)[0]

    # The other prompt needs two more, this one only one, whoever sits there.
    assert next_seats(make_juror_of(campaign, "left", age="young"), now=NOW)[0].prompt_id != first.prompt_id


def test_balance_is_told_with_its_worst_jury():
    campaign = make_open_campaign(
        prompts=2, candidates=1, strata=SIDES, seats_per_stratum=2, wildcard_seats=0, soft_targets=SOFT[:1]
    )
    for age in ("old", "young"):
        annotator = make_juror_of(campaign, "left", age=age)
        sit_and_rate(annotator)
        sit_and_rate(annotator)

    # One old and one young on each jury of two: shares of one half, nobody off.
    assert soft_balance(campaign) == [("age", "old", 2, 0.5, 0.0), ("age", "young", 2, 0.5, 0.0)]
