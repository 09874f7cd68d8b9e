"""Prompts asked a second time: at a distance, in a small share, and counted nowhere twice."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.utils import timezone

from annotations.assignment import expire_seats, next_seats, void_seat
from annotations.audit import audit_juries
from annotations.ballots import submit_ballot
from annotations.consent import give_consent
from annotations.models import Quota, Scope, Seat
from exports.releases import cut_release, release_folder
from tests.builders import make_open_campaign
from tests.jurors import NOW, answer_all, make_juror, sit_and_rate

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
LATER = NOW + timedelta(minutes=31)


def make_rater(*, prompts=12, rated=10, **fields):
    """Somebody who has rated ten prompts, one in ten of which is to be asked again."""
    settings = {"repeat_percent": 10, "repeat_distance": 5}
    campaign = make_open_campaign(prompts=prompts, strata=SIDES, wildcard_seats=0, **settings | fields)
    annotator = make_juror(campaign, "left")
    for _ in range(rated):
        sit_and_rate(annotator)
    return annotator


def test_a_repeat_comes_when_it_is_due_and_far_enough_back():
    annotator = make_rater()

    [again] = next_seats(annotator, now=NOW)

    first = annotator.seats.get(prompt=again.prompt_id, repeat_index=0)
    assert (again.repeat_index, again.position) == (1, 11)
    assert again.position - first.position > 5
    assert sorted(again.candidate_order) == sorted(first.candidate_order)


def test_only_the_share_asked_for_is_asked_again():
    annotator = make_rater(prompts=30, rated=22)

    # The 11th and the 22nd seat are repeats: 1 of 10 rated, 2 of 20 rated.
    assert list(annotator.seats.filter(repeat_index=1).values_list("position", flat=True)) == [11, 22]


@pytest.mark.parametrize("fields", [{"repeat_percent": 0}, {"repeat_distance": 20}])
def test_none_comes_without_a_share_or_too_near(fields):
    assert next_seats(make_rater(**fields), now=NOW)[0].repeat_index == 0


def test_a_repeat_takes_no_place_and_breaks_no_rule():
    annotator = make_rater()
    before = list(Quota.objects.order_by("pk").values_list("taken", "filled"))

    ballot = sit_and_rate(annotator)

    assert ballot.seat.repeat_index == 1
    assert list(Quota.objects.order_by("pk").values_list("taken", "filled")) == before
    assert audit_juries(annotator.campaign) == []


def test_a_repeat_that_ran_out_is_offered_again_and_may_come_late():
    annotator = make_rater()
    [again] = next_seats(annotator, now=NOW)
    assert expire_seats(LATER) == 1
    assert audit_juries(annotator.campaign) == []

    assert next_seats(annotator, now=LATER) == [again]
    expire_seats(LATER + timedelta(hours=1))
    submit_ballot(again, answer_all(again), now=LATER + timedelta(hours=2))

    assert (again.state, again.is_surplus) == ("filled", False)
    assert audit_juries(annotator.campaign) == []


def test_a_skipped_repeat_is_not_asked_again():
    annotator = make_rater()
    [again] = next_seats(annotator, now=NOW)

    void_seat(again, Seat.VoidReason.SKIPPED, now=NOW)

    assert next_seats(annotator, now=NOW)[0].repeat_index == 0


def test_the_audit_finds_a_repeat_of_nothing():
    annotator = make_rater()
    again = sit_and_rate(annotator).seat
    annotator.seats.filter(prompt=again.prompt_id, repeat_index=0).update(repeat_index=2)

    assert "I2" in {violation.rule for violation in audit_juries(annotator.campaign)}


def test_a_release_marks_repeats_and_counts_nobody_twice(tmp_path, settings):
    backend = "django.core.files.storage.FileSystemStorage"
    options = {"location": tmp_path, "base_url": None}
    releases = {"BACKEND": backend, "OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"releases": releases}
    annotator = make_rater()
    give_consent(annotator, annotator.campaign.consent_documents.get(), list(Scope))
    sit_and_rate(annotator)

    release = cut_release(annotator.campaign, "1.0", now=timezone.now())

    folder = Path(storages["releases"].path(release_folder(release)))
    marks = pq.read_table(folder / "data/ratings.parquet")["repeat_index"].to_pylist()
    # Two candidates by two criteria: of ten prompts, and of one again.
    assert Counter(marks) == {0: 40, 1: 4}
    means = [one for one in json.loads((folder / "metrics.json").read_text()) if one["metric"] == "mean"]
    assert {one["n_ratings"] for one in means if one["group"] is None} == {20}
    jury = pq.read_table(folder / "benchmarks/jury")
    assert set(jury["n_jurors"].to_pylist()) == {1}
