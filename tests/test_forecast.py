"""What a jury will take, worked by hand; then from what happened."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.forecast import forecast_jury
from annotations.models import Recruitment
from annotations.statistics.forecast import Assumptions, Places, make_forecast, people_needed
from annotations.statistics.proportion import wilson_interval
from tests.builders import AGE, make_campaign, make_open_campaign, make_prompt
from tests.jurors import NOW, make_juror, sit_and_rate

SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
TEN_EACH = Assumptions(seats_per_person=10, minutes_per_seat=3, dropout=0.25, hourly_pay=12)


def test_people_hours_and_cost_of_one_stratum():
    # 4 seats on 30 prompts are 120; ten a person makes 12; of 16 who come, a quarter rates nothing.
    [stratum] = make_forecast([Places("left", 4, open=120, most_open=4)], 30, TEN_EACH).strata

    assert (stratum.people, stratum.arrivals) == (12, 16)
    assert (stratum.hours, stratum.cost) == (6.0, 72.0)  # 120 times 3 minutes, at 12 an hour


def test_nobody_sits_twice_on_a_jury_so_its_seats_take_as_many_people():
    [stratum] = make_forecast([Places("left", 25, open=50, most_open=25)], 2, TEN_EACH).strata

    # Two prompts are all that one person can rate: 50 / 2, and 25 at once.
    assert stratum.people == 25
    assert not stratum.is_thin


def test_asking_again_takes_time_and_a_share_of_each_persons_prompts():
    asked_again = Assumptions(seats_per_person=11, minutes_per_seat=3, dropout=0.0, repeats=0.1)

    [stratum] = make_forecast([Places("left", 4, open=120, most_open=4)], 30, asked_again).strata

    assert stratum.people == 12  # 11 seats are 10 prompts and a repeat
    assert stratum.hours == pytest.approx(6.6)


def test_strata_with_fewer_than_twenty_seats_are_named_and_the_wildcard_is_not():
    places = [
        Places("left", 19, 0, 0),
        Places("right", 20, 0, 0),
        Places("none", 0, 0, 0),
        Places("anyone", 5, 0, 0, is_wildcard=True),
    ]

    assert make_forecast(places, 10, TEN_EACH).thin == ["left"]


@pytest.mark.parametrize(
    ("n", "low", "high"),
    # p = .5: (.5 + z2/2n -+ z sqrt(.25/n + z2/4n2)) / (1 + z2/n) with z2 = 3.8415 is .5 -+ z / 2 sqrt(n + z2)
    [(5, 0.170, 0.830), (10, 0.237, 0.763), (20, 0.299, 0.701), (50, 0.366, 0.634)],
)
def test_wilson_intervals_of_one_half(n, low, high):
    assert wilson_interval(0.5, n) == pytest.approx((low, high), abs=5e-4)


def test_wilson_intervals_at_the_ends_stay_within_and_have_a_width():
    # p = 0, n = 10: 0 to z2 / (n + z2) = 3.8415 / 13.8415
    assert wilson_interval(0.0, 10) == pytest.approx((0.0, 0.2775), abs=5e-4)
    assert wilson_interval(0.5, 0) is None
    with pytest.raises(ValueError, match="from 0 to 1"):
        wilson_interval(1.5, 10)


@given(st.integers(0, 500), st.integers(1, 30), st.integers(1, 40))
def test_so_many_people_are_enough_and_one_fewer_are_not(seats, prompts, share):
    """Seats spread over prompts as evenly as they can be; people take their share of those with most need."""
    share = min(share, prompts)
    needs = [seats // prompts + (prompt < seats % prompts) for prompt in range(prompts)]
    people = people_needed(seats, max(needs), share)

    assert _left_open(needs, [share] * people) == 0
    assert people == 0 or _left_open(needs, [share] * (people - 1)) > 0


def _left_open(needs, shares):
    needs = list(needs)
    for share in shares:
        for prompt in sorted(range(len(needs)), key=lambda one: -needs[one])[:share]:
            needs[prompt] -= needs[prompt] > 0
    return sum(needs)


@pytest.mark.django_db
def test_a_drafts_forecast_comes_from_its_settings():
    campaign = make_campaign(
        strata=[AGE], seats_per_stratum=2, max_seats_per_annotator=5, minutes_per_prompt=3, dropout_percent=50
    )
    Recruitment.objects.create(campaign=campaign, target_hourly=10)
    for _ in range(20):
        make_prompt(campaign)

    forecast = forecast_jury(campaign)

    # 2 seats on 20 prompts, 5 a person: 8 people, of 16; and one seat for anyone: 4, of 8.
    assert [(row.people, row.arrivals) for row in forecast.strata] == [(8, 16)] * 3 + [(4, 8)]
    assert (forecast.hours, forecast.cost) == (pytest.approx(7.0), pytest.approx(70.0))  # 140 x 3 min
    assert not campaign.strata_cells.exists()  # to look is not to store


@pytest.mark.django_db
def test_a_running_forecast_counts_what_is_left_by_what_was_seen():
    campaign = make_open_campaign(
        prompts=10, candidates=1, strata=SIDES, seats_per_stratum=4, wildcard_seats=0
    )
    for _ in range(2):
        annotator = make_juror(campaign, "left")
        for _ in range(10):
            sit_and_rate(annotator, seconds=90)
    for _ in range(2):
        make_juror(campaign)  # came, and rated nothing

    forecast = forecast_jury(campaign)

    seen = forecast.assumed
    assert (seen.is_observed, seen.minutes_per_seat, seen.seats_per_person, seen.dropout) == (
        True,
        1.5,
        10,
        0.5,
    )
    # Left: 40 - 20 seats, two on each prompt: two people, of four. Right: 40, four on each.
    assert [(row.open, row.people, row.arrivals) for row in forecast.strata] == [(20, 2, 4), (40, 4, 8)]


@pytest.mark.django_db
def test_few_ballots_are_not_believed_yet():
    campaign = make_open_campaign(prompts=3, strata=SIDES)
    sit_and_rate(make_juror(campaign, "left"), now=NOW + timedelta(minutes=1))

    assert not forecast_jury(campaign).assumed.is_observed
