"""Files of whom to pay, live pay an hour, and forgetting platform ids when they are no longer needed."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from annotations import tasks
from annotations.models import Annotator, Ballot, Completion, Identity, Recruitment, SpentToken, ValueProfile
from annotations.pay import pay_so_far
from annotations.payments import latest_completion, mark_paid, owed, write_payments
from annotations.recruitment import recruitment_of
from annotations.retention import delete_old_ids
from annotations.simulation import simulate
from collector.models import Campaign
from collector.spreadsheets import FORMULA_STARTS, safe_cell
from tests.builders import make_open_campaign
from tests.people import Person

pytestmark = pytest.mark.django_db
Kind = Completion.Kind
PAID = {
    "keep_ids": True,
    "reward_complete": Decimal("3.00"),
    "reward_partial": Decimal("1.50"),
    "reward_screened_out": Decimal("0.20"),
    "currency": "GBP",
    "ways": ["link", "prolific", "mturk", "panel"],
}


@pytest.fixture
def campaign() -> Campaign:
    return make_open_campaign(prompts=1, strata=[], wildcard_seats=9, recruitment=PAID)


def complete(campaign: Campaign, **query: str) -> Annotator:
    return Person(campaign).join(**query).agree().skip_profile().rate(acceptable=4, helpful=70).annotator


def file_of(campaign: Campaign, source: str, up_to: int = 10**9) -> list[dict[str, str]]:
    file = io.StringIO()
    write_payments(campaign, recruitment_of(campaign), source, file, up_to=up_to)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def test_prolifics_file_names_person_submission_and_amount(campaign) -> None:
    complete(campaign, PROLIFIC_PID="5f2b", SESSION_ID="sub-1")
    complete(make_open_campaign(prompts=1, strata=[], wildcard_seats=1), PROLIFIC_PID="a stranger")
    (row,) = file_of(campaign, "prolific")

    assert (row["participant_id"], row["submission_id"]) == ("5f2b", "sub-1")
    assert (row["outcome"], row["amount"], row["currency"]) == ("complete", "3.00", "GBP")


def test_mturks_file_has_its_columns(campaign) -> None:
    complete(campaign, workerId="A1", assignmentId="3X")

    assert list(file_of(campaign, "mturk")[0].items())[:2] == [("WorkerId", "A1"), ("AssignmentId", "3X")]


def test_where_no_ids_are_kept_people_are_paid_by_their_code() -> None:
    campaign = make_open_campaign(prompts=1, strata=[], wildcard_seats=1)
    complete(campaign, PROLIFIC_PID="5f2b")
    (row,) = file_of(campaign, "prolific")

    assert row["participant_id"] == ""
    assert len(row["code"]) == 8


def test_under_a_lost_key_people_are_paid_by_their_code_too(campaign, settings) -> None:
    complete(campaign, PROLIFIC_PID="5f2b")
    settings.IDENTITY_KEY = "y" * 40
    (row,) = file_of(campaign, "prolific")

    assert (row["participant_id"], len(row["code"])) == ("", 8)


def test_each_way_to_end_has_its_amount(campaign) -> None:
    annotators = [complete(campaign, PROLIFIC_PID=f"p{at}") for at in range(3)]
    for annotator, kind in zip(annotators, Kind, strict=True):
        Completion.objects.filter(annotator=annotator).update(kind=kind)

    assert [row["amount"] for row in file_of(campaign, "prolific")] == ["3.00", "1.50", "0.20"]


def test_marking_as_paid_means_the_people_of_the_file(campaign) -> None:
    complete(campaign, PROLIFIC_PID="one")
    up_to = latest_completion(campaign)
    complete(campaign, PROLIFIC_PID="late")
    rules = recruitment_of(campaign)

    assert [row["participant_id"] for row in file_of(campaign, "prolific", up_to)] == ["one"]
    assert mark_paid(campaign, rules, "prolific", up_to=up_to, now=timezone.now()) == 1
    assert mark_paid(campaign, rules, "prolific", up_to=up_to, now=timezone.now()) == 0
    assert [row["participant_id"] for row in file_of(campaign, "prolific")] == ["late"]
    assert Completion.objects.get(paid_at__isnull=False).amount == Decimal("3.00")


def test_what_is_owed_is_counted_by_platform(campaign) -> None:
    complete(campaign, PROLIFIC_PID="one")
    complete(campaign)
    simulate(campaign, 2, seed=1, now=timezone.now())

    assert [(row.source, row.complete, row.open, row.paid) for row in owed(campaign)] == [
        ("link", 1, 1, 0),
        ("prolific", 1, 1, 0),
    ]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_is_a_formula(campaign, start: str) -> None:
    complete(campaign, PROLIFIC_PID=f"x{start}cmd", SESSION_ID=f"{start}1+1")
    (row,) = file_of(campaign, "prolific")

    assert safe_cell(f"{start}1").startswith("'")
    assert row["submission_id"] == f"'{start}1+1"


# --- pay an hour ---------------------------------------------------------------------------------------


def worked(campaign: Campaign, name: str, form_seconds: int, ballot_seconds: float) -> None:
    annotator = complete(campaign, PROLIFIC_PID=name)
    Ballot.objects.filter(seat__annotator=annotator).update(active_seconds=ballot_seconds)
    ValueProfile.objects.filter(annotator=annotator).update(
        created_at=annotator.enrolled_at + timedelta(seconds=form_seconds)
    )


def test_pay_an_hour_is_the_reward_over_the_median_of_time_at_work(campaign) -> None:
    for name, form, ballot in [("a", 60, 540), ("b", 120, 1080), ("c", 60, 1740)]:  # 10, 20, 30 minutes
        worked(campaign, name, form, ballot)
    pay = pay_so_far(campaign, recruitment_of(campaign))

    assert (pay.people, pay.low, pay.median, pay.high) == (3, 15, 20, 25)
    assert pay.hourly == Decimal("9.00")  # 3.00 for 20 minutes
    assert pay.is_below_target  # of 12
    assert pay.fair_reward == Decimal("4.00")  # 12 * 20 / 60


def test_enough_pay_gives_no_warning(campaign) -> None:
    worked(campaign, "a", 60, 540)
    pay = pay_so_far(campaign, recruitment_of(campaign))

    assert pay.hourly == Decimal("18.00")
    assert not pay.is_below_target


def test_a_night_between_consent_and_profile_is_no_work(campaign) -> None:
    worked(campaign, "a", 60 * 60 * 10, 540)

    assert pay_so_far(campaign, recruitment_of(campaign)).median == 30 + 9


def test_before_anybody_is_done_there_is_no_number(campaign) -> None:
    Person(campaign).join().agree()
    simulate(campaign, 2, seed=1, now=timezone.now())
    pay = pay_so_far(campaign, recruitment_of(campaign))

    assert (pay.people, pay.hourly, pay.is_below_target) == (0, None, False)


# --- forgetting platform ids -----------------------------------------------------------------------------


def test_ids_are_deleted_so_many_days_after_payment_and_not_before(campaign) -> None:
    complete(campaign, PROLIFIC_PID="paid")
    unpaid = complete(campaign)  # no id at all
    other = complete(campaign, PROLIFIC_PID="unpaid")
    Completion.objects.exclude(annotator__in=[unpaid, other]).update(paid_at=timezone.now())
    now = timezone.now()

    assert delete_old_ids(now + timedelta(days=59)) == 0
    assert delete_old_ids(now + timedelta(days=61)) == 1
    assert Identity.objects.get().annotator == other


def test_the_campaign_says_how_many_days(campaign) -> None:
    complete(campaign, PROLIFIC_PID="paid")
    Completion.objects.update(paid_at=timezone.now())
    Recruitment.objects.update(retention_days=7)

    assert delete_old_ids(timezone.now() + timedelta(days=8)) == 1


def test_who_is_owed_nothing_is_forgotten_after_the_campaign(campaign) -> None:
    Person(campaign).join(PROLIFIC_PID="gone").agree()
    owed_still = complete(campaign, PROLIFIC_PID="done")
    now = timezone.now()
    assert delete_old_ids(now + timedelta(days=365)) == 0
    Campaign.objects.update(closed_at=now, state="closed")

    assert delete_old_ids(now + timedelta(days=61)) == 1
    assert Identity.objects.get().annotator == owed_still


def test_the_task_does_it_when_the_clock_has_moved_on(campaign, settings, monkeypatch) -> None:
    complete(campaign, PROLIFIC_PID="paid")
    Completion.objects.update(paid_at=timezone.now())
    SpentToken.objects.create(token_hash="x", expires_at=timezone.now() + timedelta(hours=1))
    assert "annotations.tasks.delete_old_ids" in settings.CELERY_BEAT_SCHEDULE
    tasks.delete_old_ids()
    assert (Identity.objects.count(), SpentToken.objects.count()) == (1, 1)

    later = timezone.now() + timedelta(days=61)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    tasks.delete_old_ids()
    assert not Identity.objects.exists()
    assert not SpentToken.objects.exists()
    assert not Session.objects.exists()  # thirty days are long over
    assert Annotator.objects.count() == 1
