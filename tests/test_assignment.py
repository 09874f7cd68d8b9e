"""Choosing and holding seats: need first, own stratum first, nothing twice."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.assignment import current_seat, expire_seats, extend_hold, next_seats, void_seat
from annotations.audit import audit_juries
from annotations.ballots import submit_ballot
from annotations.models import Annotator, Quota, Seat
from collector.lifecycle import close_campaign, pause_campaign
from tests.builders import make_open_campaign
from tests.jurors import NOW, answer_all, make_juror, sit_and_rate

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
LATER = NOW + timedelta(minutes=31)
SKIPPED, WITHDRAWN = Seat.VoidReason.SKIPPED, Seat.VoidReason.WITHDRAWN


def test_a_seat_is_held_for_the_lease_and_counted():
    campaign = make_open_campaign(prompts=1, strata=SIDES, lease_minutes=10)
    annotator = make_juror(campaign, "left")

    [seat] = next_seats(annotator, now=NOW)

    assert (seat.state, seat.held_until) == ("held", NOW + timedelta(minutes=10))
    assert str(seat.stratum) == "left"
    assert Quota.objects.get(stratum=seat.stratum).taken == 1


def test_a_reload_returns_the_same_seat_and_claims_nothing():
    annotator = make_juror(make_open_campaign(strata=SIDES), "left")
    [seat] = next_seats(annotator, now=NOW)

    with CaptureQueriesContext(connection) as queries:
        again = next_seats(annotator, now=NOW + timedelta(minutes=5))

    assert again == [seat] == [current_seat(annotator, now=NOW)]
    assert len(queries) == 1


def test_who_comes_back_after_the_hold_ran_out_goes_on_where_they_were():
    annotator = make_juror(make_open_campaign(strata=SIDES), "left")
    [seat] = next_seats(annotator, now=NOW)
    assert current_seat(annotator, now=LATER) is None

    assert next_seats(annotator, now=LATER) == [seat]
    assert current_seat(annotator, now=LATER) == seat


def test_the_largest_need_comes_first():
    # More prompts than a claim looks at, the needy one last in their shuffled order.
    campaign = make_open_campaign(prompts=70, candidates=1, strata=SIDES, seats_per_stratum=2)
    needy = Quota.objects.filter(stratum__label="left").order_by("shuffle").last()
    Quota.objects.filter(pk=needy.pk).update(seats=3)

    [seat] = next_seats(make_juror(campaign, "left"), now=NOW)

    assert seat.prompt == needy.prompt


def test_juries_fill_evenly():
    campaign = make_open_campaign(prompts=6, strata=SIDES, seats_per_stratum=3)

    for _ in range(12):
        next_seats(make_juror(campaign, "left"), now=NOW)

    assert set(Quota.objects.filter(stratum__label="left").values_list("taken", flat=True)) == {2}


def test_annotators_meet_prompts_in_orders_of_their_own():
    campaign = make_open_campaign(prompts=8, strata=SIDES, seats_per_stratum=20)
    firsts = {next_seats(make_juror(campaign, "left"), now=NOW)[0].prompt_id for _ in range(6)}

    assert len(firsts) == 6


def test_nobody_is_asked_about_one_prompt_twice():
    campaign = make_open_campaign(prompts=4, strata=SIDES, seats_per_stratum=5, wildcard_seats=5)
    annotator = make_juror(campaign, "left")

    prompts = [sit_and_rate(annotator).seat.prompt_id for _ in range(4)]

    assert len(set(prompts)) == 4
    assert next_seats(annotator, now=NOW) == []


def test_a_full_stratum_overflows_to_anyone_and_never_to_another_stratum():
    campaign = make_open_campaign(prompts=1, strata=SIDES, wildcard_seats=1)
    jurors = [make_juror(campaign, "left") for _ in range(3)]

    taken = [[str(seat.stratum) for seat in next_seats(juror, now=NOW)] for juror in jurors]

    assert taken == [["left"], ["anyone"], []]


def test_an_annotator_without_a_stratum_sits_among_anyone_only():
    campaign = make_open_campaign(prompts=2, strata=SIDES, wildcard_seats=1)
    annotator = make_juror(campaign)

    strata = [str(sit_and_rate(annotator).seat.stratum) for _ in range(2)]

    assert strata == ["anyone", "anyone"]
    assert next_seats(annotator, now=NOW) == []


def test_only_prompts_in_the_annotators_languages_are_offered():
    campaign = make_open_campaign(prompts=3, strata=SIDES)
    spanish = campaign.prompts.all()[1]
    Quota.objects.filter(prompt=spanish).update(language="es")

    assert next_seats(make_juror(campaign, "left", languages=["de"]), now=NOW) == []
    [seat] = next_seats(make_juror(campaign, "left", languages=["es", "de"]), now=NOW)
    assert seat.prompt == spanish


def test_the_largest_need_counts_across_languages():
    campaign = make_open_campaign(prompts=3, strata=SIDES, seats_per_stratum=2)
    spanish = campaign.prompts.all()[1]
    Quota.objects.filter(prompt=spanish).update(language="es", seats=3)

    [seat] = next_seats(make_juror(campaign, "left", languages=["en", "es"]), now=NOW)

    assert seat.prompt == spanish


def test_several_seats_can_be_held_at_once_and_are_topped_up():
    annotator = make_juror(make_open_campaign(prompts=5, strata=SIDES), "left")
    first = next_seats(annotator, now=NOW)

    three = next_seats(annotator, count=3, now=NOW)

    assert three[:1] == first
    assert len({seat.pk for seat in three}) == 3
    with pytest.raises(ValueError, match="from 1 to 5"):
        next_seats(annotator, count=6, now=NOW)


def test_nobody_sits_more_often_than_the_campaign_allows():
    annotator = make_juror(make_open_campaign(prompts=4, strata=SIDES, max_seats_per_annotator=2), "left")
    sit_and_rate(annotator)

    assert len(next_seats(annotator, count=3, now=NOW)) == 1


@pytest.mark.parametrize("stop", [pause_campaign, lambda campaign: close_campaign(campaign, now=NOW)])
def test_a_campaign_that_is_not_open_gives_out_nothing(stop):
    campaign = make_open_campaign(strata=SIDES)
    annotator = make_juror(campaign, "left")
    stop(campaign)

    assert next_seats(annotator, now=NOW) == []


def test_a_withdrawn_annotator_gets_nothing():
    annotator = make_juror(make_open_campaign(strata=SIDES), "left", state=Annotator.State.WITHDRAWN)

    assert next_seats(annotator, now=NOW) == []


def test_expiry_gives_the_place_back_and_the_same_person_may_have_it_again():
    campaign = make_open_campaign(prompts=1, strata=SIDES, wildcard_seats=0)
    annotator = make_juror(campaign, "left")
    [seat] = next_seats(annotator, now=NOW)

    assert expire_seats(LATER) == 1
    assert expire_seats(LATER) == 0
    assert Quota.objects.get(stratum__label="left").taken == 0
    assert next_seats(annotator, now=LATER) == [seat]
    assert audit_juries(campaign) == []


def test_a_claim_takes_a_place_whose_holder_left_before_the_sweeper_does():
    campaign = make_open_campaign(prompts=1, strata=SIDES, wildcard_seats=0)
    [left_behind] = next_seats(make_juror(campaign, "left"), now=NOW)

    [seat] = next_seats(make_juror(campaign, "left"), now=LATER)

    left_behind.refresh_from_db()
    assert (left_behind.state, left_behind.void_reason, seat.state) == ("void", "expired", "held")


def test_extending_keeps_the_seat_and_does_not_revive_a_lost_one():
    annotator = make_juror(make_open_campaign(strata=SIDES, lease_minutes=30), "left")
    [seat] = next_seats(annotator, now=NOW)

    assert extend_hold(seat, now=NOW + timedelta(minutes=20))
    assert expire_seats(LATER) == 0
    assert expire_seats(LATER + timedelta(hours=1)) == 1
    assert not extend_hold(seat, now=LATER)


def test_a_skipped_prompt_goes_to_others_and_not_to_the_same_person():
    campaign = make_open_campaign(prompts=1, strata=SIDES, wildcard_seats=0)
    annotator = make_juror(campaign, "left")
    [seat] = next_seats(annotator, now=NOW)

    assert void_seat(seat, SKIPPED, now=NOW)
    assert not void_seat(seat, SKIPPED, now=NOW)
    assert next_seats(annotator, now=NOW) == []
    assert len(next_seats(make_juror(campaign, "left"), now=NOW)) == 1


def test_a_filled_seat_cannot_be_skipped_but_is_emptied_by_a_withdrawal():
    campaign = make_open_campaign(prompts=1, strata=SIDES)
    seat = sit_and_rate(make_juror(campaign, "left")).seat

    assert not void_seat(seat, SKIPPED, now=NOW)
    assert void_seat(seat, WITHDRAWN, now=NOW)
    assert Quota.objects.filter(stratum=seat.stratum).values_list("taken", "filled").get() == (0, 0)


def test_each_candidate_stands_in_each_place_equally_often():
    campaign = make_open_campaign(
        prompts=1, candidates=3, strata=SIDES, seats_per_stratum=3, wildcard_seats=0
    )
    orders = []
    for side in ("left", "right"):
        orders += [next_seats(make_juror(campaign, side), now=NOW)[0].candidate_order for _ in range(3)]

    for place in range(3):
        assert set(Counter(order[place] for order in orders).values()) == {2}
    assert len({tuple(order) for order in orders}) == 6


def test_positions_count_the_annotators_seats():
    annotator = make_juror(make_open_campaign(prompts=3, strata=SIDES), "left")

    assert [sit_and_rate(annotator).seat.position for _ in range(3)] == [1, 2, 3]


def test_claim_and_ballot_cost_the_same_queries_whatever_the_campaigns_size():
    assert _queries_of_a_claim_and_a_ballot(10) == _queries_of_a_claim_and_a_ballot(300)


def _queries_of_a_claim_and_a_ballot(prompts):
    campaign = make_open_campaign(prompts=prompts, strata=SIDES, seats_per_stratum=2)
    annotator = make_juror(campaign, "left")
    for _ in range(3):
        sit_and_rate(annotator)
    with CaptureQueriesContext(connection) as claim:
        [seat] = next_seats(annotator, now=NOW)
    answers = answer_all(seat)
    with CaptureQueriesContext(connection) as ballot:
        submit_ballot(seat, answers, now=NOW)
    return len(claim), len(ballot)
