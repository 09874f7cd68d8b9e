"""Simulated annotators: labelled, spread over strata, of opinions that differ, done when juries are full."""

from io import StringIO
from statistics import mean

import pytest
from django.core.management import CommandError, call_command

from annotations.audit import audit_juries
from annotations.enrolment import Refused
from annotations.jury import make_strata
from annotations.models import Annotator, Ballot, Consent, Quota, Rating, Seat, ValueProfile
from annotations.simulation import simulate
from annotations.tasks import expire_seats, seat_ready_prompts, simulate_annotators
from collector.lifecycle import close_campaign, pause_campaign
from collector.models import Criterion
from tests.builders import AGE, make_criterion, make_open_campaign
from tests.jurors import NOW

pytestmark = pytest.mark.django_db


def test_simulated_annotators_fill_every_jury():
    campaign = make_open_campaign(prompts=6, candidates=2, wildcard_seats=1)

    summary = simulate(campaign, 7, now=NOW)

    assert summary == (7, 42, 0)
    assert Seat.objects.filter(state="filled").count() == 42
    assert Rating.objects.count() == 42 * 2 * 2
    assert audit_juries(campaign) == []


def test_they_are_labelled_consented_and_placed_by_their_answers():
    campaign = make_open_campaign(prompts=1)

    simulate(campaign, 7, now=NOW)

    assert set(Annotator.objects.values_list("source", flat=True)) == {"simulated"}
    assert Consent.objects.count() == ValueProfile.objects.count() == 7
    placed = Annotator.objects.exclude(stratum=None)
    assert placed.count() == 6
    for annotator in placed:
        assert annotator.stratum.attributes.items() <= annotator.profiles.get().attributes.items()
    assert Annotator.objects.get(stratum=None).profiles.get().attributes == {}


def test_the_same_seed_goes_on_with_the_same_annotators():
    campaign = make_open_campaign(prompts=3)
    simulate(campaign, 3, now=NOW)

    assert simulate(campaign, 3, now=NOW).ballots == 0
    assert Annotator.objects.count() == 3
    simulate(campaign, 3, seed=1, now=NOW)
    assert Annotator.objects.count() == 6


def test_strata_lean_apart_and_people_within_them_less_so():
    campaign = make_open_campaign(
        prompts=12, candidates=2, strata=[AGE], seats_per_stratum=3, wildcard_seats=0, seed="0" * 32
    )
    simulate(campaign, 9, now=NOW)

    between, within = [], []
    for criterion in campaign.criteria.all():
        spread = criterion.scale_max - criterion.scale_min
        for generator in campaign.generators.all():
            for annotator in Annotator.objects.all():
                for other in Annotator.objects.filter(pk__gt=annotator.pk):
                    gap = (
                        abs(_mean(annotator, criterion, generator) - _mean(other, criterion, generator))
                        / spread
                    )
                    (within if annotator.stratum_id == other.stratum_id else between).append(gap)
    assert mean(between) > 1.5 * mean(within)


def _mean(annotator, criterion, generator):
    ratings = Rating.objects.filter(annotator=annotator, criterion=criterion, candidate__generator=generator)
    return mean(ratings.values_list("value", flat=True))


@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_every_kind_of_criterion_is_answered_on_its_scale(kind):
    campaign = make_open_campaign(prompts=3, strata=[AGE])
    make_criterion(campaign, "extra", kind=kind, categories=["a", "b", "c"], ordered=True)
    Criterion.objects.filter(name="helpful").update(higher_is_better=False, required=False)

    simulate(campaign, 4, now=NOW)

    low, high = Criterion.objects.get(name="extra").bounds
    values = Rating.objects.filter(criterion__name="extra").values_list("value", flat=True)
    assert len(values) == 3 * 4 * 2
    assert all(low <= value <= high and value == int(value) for value in values)


def test_a_stratum_that_no_instrument_asks_for_is_filled_too():
    campaign = make_open_campaign(prompts=1, strata=[{"attribute": "side", "levels": ["left", "right"]}])

    assert simulate(campaign, 3, now=NOW).left == 0


@pytest.mark.parametrize("stop", [pause_campaign, lambda campaign: close_campaign(campaign, now=NOW)])
def test_nobody_is_simulated_in_a_campaign_that_is_not_open(stop):
    campaign = make_open_campaign(prompts=1)
    stop(campaign)

    with pytest.raises(Refused):
        simulate(campaign, 2, now=NOW)
    simulate_annotators(campaign.pk, 2)
    assert not Annotator.objects.exists()


def test_the_command_says_what_happened():
    make_open_campaign("town", prompts=2, strata=[AGE], wildcard_seats=0)
    out = StringIO()

    call_command("simulate", "town", "--annotators", "2", stdout=out)

    assert out.getvalue() == "2 simulated annotators gave 4 ballots; 2 seats are open\n"


@pytest.mark.parametrize(
    ("slug", "annotators", "words"), [("nowhere", 1, "no campaign"), ("town", 0, "at least 1")]
)
def test_the_command_refuses_in_one_line(slug, annotators, words):
    make_open_campaign("town", prompts=1)

    with pytest.raises(CommandError, match=words):
        call_command("simulate", slug, annotators=annotators)


def test_tasks_do_their_work_and_may_run_twice():
    campaign = make_open_campaign(prompts=2, strata=[AGE], wildcard_seats=0)
    Quota.objects.all().delete()

    assert [seat_ready_prompts(), seat_ready_prompts()] == [2, 0]
    for _ in range(2):
        simulate_annotators(campaign.pk, 3)
    assert Ballot.objects.count() == 2 * len(make_strata(campaign))
    assert expire_seats() == 0


def test_the_audit_command_finds_what_was_tampered_with():
    campaign = make_open_campaign("town", prompts=2, strata=[AGE], wildcard_seats=0)
    simulate(campaign, 3, now=NOW)
    out = StringIO()
    call_command("audit_juries", "town", stdout=out)
    assert out.getvalue() == "0 violations in town\n"
    Quota.objects.filter(filled=1).update(filled=0)
    Ballot.objects.filter(pk=Ballot.objects.first().pk).update(is_current=False)
    Annotator.objects.filter(pk=Annotator.objects.first().pk).update(stratum=None)

    with pytest.raises(CommandError, match="violations"):
        call_command("audit_juries", "town", stdout=out)

    assert {line.split(":")[0] for line in out.getvalue().splitlines()[1:]} == {"I3", "I4", "I8", "I9"}
