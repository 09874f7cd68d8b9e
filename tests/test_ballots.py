"""Ballots: every answer checked, all or nothing, late ones kept, repeated ones stored once."""

from datetime import timedelta

import pytest

from annotations.assignment import expire_seats, next_seats, void_seat
from annotations.audit import audit_juries
from annotations.ballots import CampaignClosed, InvalidAnswers, SeatGone, revise_ballot, submit_ballot
from annotations.models import Annotator, Ballot, Missing, Quota, Rating, Seat
from collector.lifecycle import close_campaign, pause_campaign
from collector.models import Criterion
from tests.builders import make_criterion, make_open_campaign
from tests.jurors import NOW, answer_all, make_juror, sit_and_rate

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
LATER = NOW + timedelta(minutes=31)


@pytest.fixture
def campaign():
    return make_open_campaign(prompts=1, strata=SIDES, wildcard_seats=0)


@pytest.fixture
def seat(campaign):
    return next_seats(make_juror(campaign, "left"), now=NOW)[0]


def test_a_ballot_fills_the_seat_with_a_rating_for_each_candidate_and_criterion(campaign, seat):
    answers = answer_all(seat) | {(seat.candidate_order[1], "helpful"): 12.5}

    ballot = submit_ballot(seat, answers, now=NOW + timedelta(seconds=90), active_seconds=70)

    assert (seat.state, ballot.seconds, ballot.active_seconds) == ("filled", 90, 70)
    assert ballot.form == campaign.form_versions.get()
    assert ballot.ratings.count() == 4
    second = ballot.ratings.get(candidate=seat.candidate_order[1], criterion__name="helpful")
    assert (second.value, second.position, second.missing) == (12.5, 2, "")
    assert Quota.objects.values_list("taken", "filled").get(stratum=seat.stratum) == (1, 1)


def test_a_second_submission_keeps_the_first(seat):
    first = submit_ballot(seat, answer_all(seat), now=NOW)

    again = submit_ballot(seat, answer_all(seat, share=1), now=LATER)

    assert again == first
    assert Ballot.objects.count() == 1
    assert first.ratings.get(candidate=seat.candidate_order[0], criterion__name="helpful").value == 50
    assert Quota.objects.get(stratum=seat.stratum).filled == 1


@pytest.mark.parametrize(
    ("criterion", "answer", "words"),
    [
        ("acceptable", 0.0, "outside"),
        ("acceptable", 6.0, "outside"),
        ("acceptable", 2.5, "between two steps"),
        ("acceptable", float("nan"), "not a number"),
        ("acceptable", float("inf"), "not a number"),
        ("acceptable", "3", "not a number"),
        ("acceptable", True, "not a number"),
        ("acceptable", Missing.NOT_APPLICABLE, "answer this"),
        ("helpful", 100.01, "outside"),
        ("unheard-of", 1.0, "not asked"),
    ],
)
def test_a_bad_answer_refuses_the_whole_ballot(seat, criterion, answer, words):
    key = (seat.candidate_order[0], criterion)

    with pytest.raises(InvalidAnswers) as refusal:
        submit_ballot(seat, answer_all(seat) | {key: answer}, now=NOW)

    assert list(refusal.value.fields) == [key]
    assert words in str(refusal.value.fields[key])
    assert not Rating.objects.exists()
    assert Seat.objects.get(pk=seat.pk).state == "held"


def test_every_fault_is_named_at_once(seat):
    with pytest.raises(InvalidAnswers) as refusal:
        submit_ballot(seat, {(seat.candidate_order[0], "helpful"): -1.0}, now=NOW)

    assert len(refusal.value.fields) == 4


def test_another_prompts_candidates_are_refused(seat):
    stranger = make_open_campaign(prompts=1).candidates.first()

    with pytest.raises(InvalidAnswers, match="not asked"):
        submit_ballot(seat, answer_all(seat) | {(stranger.pk, "helpful"): 1.0}, now=NOW)


@pytest.mark.parametrize(
    ("kind", "good", "bad"), [("binary", 1, 2), ("categorical", 2, 3), ("categorical", 0, 0.5)]
)
def test_each_kind_has_its_values(campaign, seat, kind, good, bad):
    make_criterion(campaign, "extra", kind=kind, categories=["a", "b", "c"])
    keys = [(candidate, "extra") for candidate in seat.candidate_order]

    with pytest.raises(InvalidAnswers):
        submit_ballot(seat, answer_all(seat) | dict.fromkeys(keys, bad), now=NOW)
    submit_ballot(seat, answer_all(seat) | dict.fromkeys(keys, good), now=NOW)

    assert set(Rating.objects.filter(criterion__name="extra").values_list("value", flat=True)) == {good}


def test_an_optional_question_may_be_left_empty_and_says_why(campaign, seat):
    Criterion.objects.update(required=False)
    first, second = seat.candidate_order

    ballot = submit_ballot(
        seat, {(first, "helpful"): 10.0, (second, "helpful"): Missing.NOT_APPLICABLE}, now=NOW
    )

    missing = ballot.ratings.order_by("pk").values_list("value", "missing")
    assert list(missing) == [(None, "declined"), (10.0, ""), (None, "declined"), (None, "not_applicable")]


def test_a_late_ballot_takes_its_free_place_back(campaign, seat):
    expire_seats(LATER)

    ballot = submit_ballot(seat, answer_all(seat), now=LATER)

    assert (ballot.seat.state, ballot.seat.is_surplus) == ("filled", False)
    assert Quota.objects.values_list("taken", "filled").get(stratum=seat.stratum) == (1, 1)
    assert audit_juries(campaign) == []


def test_a_late_ballot_for_a_place_given_away_is_kept_as_surplus(campaign, seat):
    expire_seats(LATER)
    sit_and_rate(make_juror(campaign, "left"), now=LATER)

    ballot = submit_ballot(seat, answer_all(seat), now=LATER)

    assert (ballot.seat.state, ballot.seat.is_surplus) == ("filled", True)
    assert ballot.ratings.count() == 4
    assert Quota.objects.values_list("taken", "filled").get(stratum=seat.stratum) == (1, 1)
    assert audit_juries(campaign) == []


def test_a_surplus_seat_leaves_no_place_behind(campaign, seat):
    expire_seats(LATER)
    sit_and_rate(make_juror(campaign, "left"), now=LATER)
    submit_ballot(seat, answer_all(seat), now=LATER)

    assert void_seat(seat, Seat.VoidReason.WITHDRAWN, now=LATER)

    assert Quota.objects.values_list("taken", "filled").get(stratum=seat.stratum) == (1, 1)


def test_a_ballot_that_is_late_but_unnoticed_is_in_time(seat):
    assert not submit_ballot(seat, answer_all(seat), now=LATER).seat.is_surplus


def test_an_answered_skip_counts_as_answered(campaign, seat):
    void_seat(seat, Seat.VoidReason.SKIPPED, now=NOW)

    assert submit_ballot(seat, answer_all(seat), now=NOW).seat.state == "filled"
    assert audit_juries(campaign) == []


def test_a_paused_campaign_takes_ballots_and_a_closed_one_does_not(campaign, seat):
    pause_campaign(campaign)
    first = submit_ballot(seat, answer_all(seat), now=NOW)
    close_campaign(campaign, now=NOW)

    assert submit_ballot(seat, answer_all(seat), now=NOW) == first
    with pytest.raises(CampaignClosed):
        revise_ballot(seat, answer_all(seat, share=1), now=NOW)


def test_a_ballot_after_closing_is_refused_and_changes_nothing(campaign, seat):
    close_campaign(campaign, now=NOW)

    with pytest.raises(CampaignClosed):
        submit_ballot(seat, answer_all(seat), now=NOW)

    assert not Ballot.objects.exists()
    assert Quota.objects.values_list("taken", "filled").get(stratum=seat.stratum) == (1, 0)


def test_a_withdrawn_annotator_cannot_submit(seat):
    Annotator.objects.update(state=Annotator.State.WITHDRAWN)

    with pytest.raises(SeatGone):
        submit_ballot(seat, answer_all(seat), now=NOW)


def test_a_seat_given_back_by_a_withdrawal_is_gone(seat):
    void_seat(seat, Seat.VoidReason.WITHDRAWN, now=NOW)

    with pytest.raises(SeatGone):
        submit_ballot(seat, answer_all(seat), now=NOW)


def test_a_revision_is_added_and_the_first_stays_readable(campaign, seat):
    first = submit_ballot(seat, answer_all(seat), now=NOW)

    second = revise_ballot(seat, answer_all(seat, share=1), now=LATER)

    assert (second.revision, second.is_current) == (2, True)
    first.refresh_from_db()
    assert not first.is_current
    assert first.ratings.count() == second.ratings.count() == 4
    assert audit_juries(campaign) == []


def test_the_same_answers_again_are_no_revision(seat):
    first = submit_ballot(seat, answer_all(seat), now=NOW)

    assert revise_ballot(seat, answer_all(seat), now=LATER) == first


def test_there_is_nothing_to_revise_before_a_ballot(seat):
    with pytest.raises(SeatGone):
        revise_ballot(seat, answer_all(seat), now=NOW)


def test_a_changed_form_is_a_new_version_that_ballots_point_at(campaign, seat):
    first = submit_ballot(seat, answer_all(seat), now=NOW)
    make_criterion(campaign, "clear", kind="binary")

    second = revise_ballot(seat, answer_all(seat), now=LATER)

    assert [first.form.number, second.form.number] == [1, 2]


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_an_impossible_measure_of_activity_is_unknown(seat, seconds):
    assert submit_ballot(seat, answer_all(seat), now=NOW, active_seconds=seconds).active_seconds is None
