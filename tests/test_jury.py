"""Strata, who belongs where, and the places that prompts have."""

import pytest

from annotations.assignment import next_seats
from annotations.jury import change_seats, make_strata, missing_jury, place_annotator, seat_ready_prompts
from annotations.models import Quota
from annotations.progress import annotator_progress, seat_totals, seats_by_stratum
from collector.models import Campaign, Candidate
from tests.builders import AGE, GENDER, make_campaign, make_open_campaign
from tests.jurors import NOW, make_juror, sit_and_rate

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]


def test_strata_are_the_product_of_levels_and_a_wildcard():
    campaign = make_campaign(strata=[AGE, GENDER], seats_per_stratum=2, wildcard_seats=1)

    strata = make_strata(campaign)

    assert [stratum.label for stratum in strata][:2] == ["18-34 / woman", "18-34 / man"]
    assert strata[0].attributes == {"age_band": "18-34", "gender": "woman"}
    assert [stratum.seats for stratum in strata] == [2] * 6 + [1]
    assert [stratum.label for stratum in strata if stratum.is_wildcard] == ["anyone"]


def test_strata_follow_a_draft_and_are_frozen_once_open():
    campaign = make_campaign(strata=[AGE], wildcard_seats=0)
    make_strata(campaign)
    campaign.strata, campaign.seats_per_stratum = SIDES, 3

    assert [(str(stratum), stratum.seats) for stratum in make_strata(campaign)] == [("left", 3), ("right", 3)]
    campaign.state, campaign.strata = Campaign.State.OPEN, [GENDER]
    assert [str(stratum) for stratum in make_strata(campaign)] == ["left", "right"]


def test_a_jury_without_attributes_is_open_to_anyone():
    campaign = make_campaign(strata=[], seats_per_stratum=3, wildcard_seats=0)

    assert [(stratum.label, stratum.seats) for stratum in make_strata(campaign)] == [("anyone", 3)]
    assert missing_jury(campaign) == []


@pytest.mark.parametrize(
    ("strata", "words"),
    [
        ([{"attribute": "age", "levels": []}], "needs a name and a list"),
        ([{"levels": ["a"]}], "needs a name and a list"),
        ([{"attribute": "age", "levels": ["a", "a"]}], "needs a name and a list"),
        ("age", "needs a name and a list"),
        ([AGE, AGE], "named twice"),
        ([{"attribute": "age", "levels": [str(year) for year in range(61)]}], "61 strata"),
    ],
)
def test_what_is_wrong_with_strata_is_said_in_words(strata, words):
    missing = missing_jury(make_campaign(strata=strata))

    assert len(missing) == 1
    assert words in missing[0]


def test_a_jury_without_seats_cannot_open():
    assert "no seats" in missing_jury(make_campaign(strata=[AGE], seats_per_stratum=0))[0]


def test_the_first_profile_places_an_annotator_and_later_ones_do_not_move_them():
    campaign = make_open_campaign(strata=SIDES)
    annotator = make_juror(campaign)

    assert str(place_annotator(annotator, {"side": "left", "other": "x"})) == "left"
    assert str(place_annotator(annotator, {"side": "right"})) == "left"


def test_an_annotator_who_answers_nothing_belongs_to_no_stratum_and_is_not_moved_after_their_first_seat():
    campaign = make_open_campaign(strata=SIDES)
    annotator = make_juror(campaign)

    assert place_annotator(annotator, {}) is None
    assert next_seats(annotator, now=NOW)[0].stratum.is_wildcard
    assert place_annotator(annotator, {"side": "left"}) is None


def test_only_ready_prompts_get_places_and_only_once():
    campaign = make_open_campaign(prompts=2, strata=SIDES, seats_per_stratum=2)
    assert seat_ready_prompts(campaign) == 0
    Quota.objects.all().delete()
    Candidate.objects.filter(prompt=campaign.prompts.first()).update(state=Candidate.State.PLANNED)

    assert seat_ready_prompts(campaign) == 1
    assert sorted(Quota.objects.values_list("seats", flat=True)) == [1, 2, 2]


@pytest.mark.parametrize("state", ["draft", "closed"])
def test_no_places_open_before_or_after_the_campaign(state):
    campaign = make_open_campaign(prompts=1, strata=SIDES)
    Quota.objects.all().delete()
    campaign.state = state

    assert seat_ready_prompts(campaign) == 0


def test_raising_seats_opens_places_and_lowering_leaves_those_taken():
    campaign = make_open_campaign(prompts=1, strata=SIDES, wildcard_seats=0, seats_per_stratum=2)
    left = campaign.strata_cells.get(label="left")
    for _ in range(2):
        next_seats(make_juror(campaign, "left"), now=NOW)

    change_seats(left, 1)
    assert left.quotas.get().seats == 2
    change_seats(left, 5)
    assert left.quotas.get().need == 3


def test_seats_by_stratum_adds_up_over_prompts():
    make_open_campaign(prompts=5)
    campaign = make_open_campaign(prompts=2, strata=SIDES, seats_per_stratum=2, wildcard_seats=1)
    sit_and_rate(make_juror(campaign, "left"))
    next_seats(make_juror(campaign, "left"), now=NOW)

    counts = seats_by_stratum(campaign)

    assert counts[0] == {"label": "left", "color": 0, "seats": 4, "held": 1, "filled": 1, "open": 2}
    assert counts[2] == {"label": "anyone", "color": 2, "seats": 2, "held": 0, "filled": 0, "open": 2}
    assert seat_totals(counts) == {"seats": 10, "held": 1, "filled": 1, "open": 8}


def test_progress_counts_each_prompt_once_and_measures_the_own_pace():
    campaign = make_open_campaign(prompts=4, strata=SIDES)
    annotator = make_juror(campaign, "left")
    assert annotator_progress(annotator) == (0, 4, False, None)

    sit_and_rate(annotator, seconds=120)

    assert annotator_progress(annotator) == (1, 3, False, 6)


def test_progress_respects_the_share_of_one_annotator():
    campaign = make_open_campaign(prompts=4, strata=SIDES, max_seats_per_annotator=2)
    annotator = make_juror(campaign, "left")
    sit_and_rate(annotator)

    assert annotator_progress(annotator)[:2] == (1, 1)
