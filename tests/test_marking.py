"""Tests of collector/marking.py, distinct.py and lengths.py: what is marked, and what follows from it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.assignment import next_seats
from annotations.jury import seat_ready_prompts
from collector.claims import claim_batch
from collector.generation import finish_run, start_generation, sweep, work_candidates
from collector.lengths import flag_lengths
from collector.marking import LEASE, mark_candidates, mark_for, remark
from collector.models import Campaign, Candidate, Dispersion, GenerationRun, Prompt
from collector.providers.base import Provider, Response
from tests.builders import make_campaign, make_candidate, make_generator, make_open_campaign, make_prompt
from tests.jurors import make_juror

NOW = timezone.now()
TELL = "You should tell her the truth before she hears it from somebody else."
WAIT = "Wait until summer; by then nobody will remember what was said."
ASK = "Ask your brother what he would want, and do precisely that."


class Reciting(Provider):
    """Gives the texts one after the other, and the last one from then on."""

    label = "reciting"

    def __init__(self, *texts):
        super().__init__()
        self.texts, self.given = texts, 0

    def generate(self, requests):
        said = []
        for _request in requests:
            said.append(Response(self.texts[min(self.given, len(self.texts) - 1)]))
            self.given += 1
        return said


@pytest.fixture
def prompt(db):
    return make_prompt(make_campaign("study", seed="s"), "p")


def add(prompt, *texts, name="a", steering="", **fields):
    generator = prompt.campaign.generators.filter(name=name).first() or make_generator(
        prompt.campaign, name, **fields
    )
    taken = generator.candidates.filter(prompt=prompt, steering=steering).count()
    return [
        make_candidate(
            prompt,
            generator,
            text,
            sample_index=taken + n,
            steering=steering,
            external_id=f"{prompt.external_id}-{name}-{steering}{taken + n}",
        )
        for n, text in enumerate(texts)
    ]


def marks(campaign):
    """By candidate: which one it repeats and why juries do not see it."""
    return {
        row.external_id: (row.duplicate_of and row.duplicate_of.external_id, row.left_out)
        for row in campaign.candidates.select_related("duplicate_of").order_by("pk")
    }


def work(run, provider):
    """Everything that is planned in the run, as a worker would."""
    while batch := claim_batch(run, 100, NOW):
        work_candidates(batch, provider, now=NOW)


# --- near-duplicates --------------------------------------------------------------------------------
def test_a_later_candidate_repeats_the_earliest_that_says_the_same(prompt):
    add(prompt, TELL, WAIT, TELL.upper(), TELL.replace("somebody", "someone"))
    mark_candidates(NOW)

    assert marks(prompt.campaign) == {
        "p-a-0": (None, ""),
        "p-a-1": (None, ""),
        "p-a-2": ("p-a-0", ""),
        "p-a-3": ("p-a-0", ""),
    }


def test_a_generators_own_candidates_are_looked_at_before_those_of_others(prompt):
    add(prompt, TELL)
    add(prompt, TELL, TELL + " Now.", name="b")
    mark_candidates(NOW)

    assert marks(prompt.campaign)["p-b-0"][0] == "p-a-0"
    assert marks(prompt.campaign)["p-b-1"][0] == "p-b-0"


def test_steerings_are_groups_of_their_own(prompt):
    add(prompt, TELL, steering="old")
    add(prompt, TELL, steering="young")
    prompt.campaign.generators.update(distinct_samples=1)
    mark_candidates(NOW)

    assert marks(prompt.campaign) == {"p-a-old0": (None, ""), "p-a-young0": ("p-a-old0", "")}


def test_candidates_of_other_prompts_are_not_compared(prompt):
    add(prompt, TELL)
    add(make_prompt(prompt.campaign, "q"), TELL)
    mark_candidates(NOW)

    assert marks(prompt.campaign)["q-a-0"][0] is None


def test_marking_again_changes_nothing(prompt):
    add(prompt, TELL, TELL, WAIT)
    mark_candidates(NOW)
    before = marks(prompt.campaign)
    remark(prompt.campaign, ["duplicate_threshold"])

    assert mark_candidates(NOW) == 1
    assert mark_candidates(NOW) == 0
    assert marks(prompt.campaign) == before


def test_the_manager_decides_how_alike_is_a_duplicate(prompt):
    add(prompt, TELL, TELL.replace("somebody", "someone"))
    prompt.campaign.duplicate_threshold = 0.99
    prompt.campaign.save()
    mark_candidates(NOW)

    assert marks(prompt.campaign)["p-a-1"][0] is None
    assert prompt.candidates.last().marked_with == {"flags": 1, "measure": "shingles", "threshold": 0.99}


def test_nothing_is_compared_while_an_active_run_still_generates(prompt):
    make_generator(prompt.campaign, "a", samples=2)
    [run] = start_generation(prompt.campaign, now=NOW, publish=False)
    work_candidates(claim_batch(run, 1, NOW), Reciting(TELL), now=NOW)

    assert mark_candidates(NOW) == 0
    GenerationRun.objects.update(state=GenerationRun.State.CANCELLED)
    assert mark_candidates(NOW) == 1


def test_two_workers_do_not_mark_one_prompt_and_a_silent_one_is_replaced(prompt):
    add(prompt, TELL)
    Prompt.objects.update(marking_until=NOW + LEASE)

    assert mark_candidates(NOW) == 0
    assert mark_candidates(NOW + LEASE + timedelta(seconds=1)) == 1


def test_marking_takes_as_many_queries_for_many_prompts(prompt, django_assert_max_num_queries):
    for n in range(30):
        add(make_prompt(prompt.campaign, f"q{n}"), TELL, WAIT, TELL)

    with django_assert_max_num_queries(20):
        assert mark_candidates(NOW) == 30


# --- what juries see --------------------------------------------------------------------------------
def test_juries_see_duplicates_unless_distinct_ones_are_asked_for(prompt):
    add(prompt, TELL, TELL)
    mark_candidates(NOW)
    assert Candidate.objects.for_juries().count() == 2

    prompt.campaign.generators.update(distinct_samples=2)
    remark(prompt.campaign, ["distinct_samples"])
    mark_candidates(NOW)
    assert marks(prompt.campaign)["p-a-1"] == ("p-a-0", "duplicate")


def test_a_seat_leaves_out_what_is_marked_as_left_out(db):
    campaign = make_open_campaign(prompts=1, candidates=2, strata=[])
    left_out = campaign.candidates.first()
    Candidate.objects.filter(pk=left_out.pk).update(left_out="duplicate")
    [seat] = next_seats(make_juror(campaign, "anyone"), now=NOW)

    assert seat.candidate_order == [campaign.candidates.last().pk]


def test_a_campaign_may_leave_out_refusals_and_texts_that_name_themselves(prompt):
    add(prompt, "I'm sorry, but I can't help with that.", "As an AI, I have no opinion.", TELL)
    Campaign.objects.update(leaves_out_refusals=True, leaves_out_self_identifying=True)
    mark_candidates(NOW)

    assert [why for _original, why in marks(prompt.campaign).values()] == ["refusal", "self_identifying", ""]


def test_what_an_opened_campaign_shows_stays_as_it_was(prompt):
    add(prompt, TELL, "As an AI, I have no opinion.")
    mark_candidates(NOW)
    Campaign.objects.update(leaves_out_self_identifying=True, state=Campaign.State.OPEN)
    add(prompt, "As an AI, I cannot say.")
    remark(Campaign.objects.get(), ["leaves_out_self_identifying"])
    mark_candidates(NOW)

    assert [why for _original, why in marks(prompt.campaign).values()] == ["", "", "self_identifying"]


def test_a_prompt_of_which_nothing_is_left_to_see_gets_no_jury(prompt):
    add(prompt, "As an AI, I have no opinion.")
    Campaign.objects.update(leaves_out_self_identifying=True)

    assert not Prompt.objects.ready().exists()  # not marked yet
    mark_candidates(NOW)
    assert not Prompt.objects.ready().exists()


# --- until so many are distinct ---------------------------------------------------------------------
def distinct_run(prompt, *, samples=2, distinct=3, most=6):
    make_generator(prompt.campaign, "a", samples=samples, distinct_samples=distinct, max_samples=most, seed=7)
    [run] = start_generation(prompt.campaign, now=NOW, publish=False)
    return run


def test_sampling_goes_on_until_enough_are_distinct(prompt):
    run, provider = distinct_run(prompt), Reciting(TELL, TELL, WAIT, WAIT, ASK, ASK)
    rounds = []
    while not finish_run(run, NOW):
        work(run, provider)
        mark_candidates(NOW)
        rounds.append(prompt.candidates.count())

    # 1 distinct of 2: two more; 2 of 4: one more; 3 of 5.
    assert rounds == [4, 5, 5]
    assert Candidate.objects.for_juries().count() == 3
    assert list(prompt.candidates.order_by("pk").values_list("sample_index", flat=True)) == [0, 1, 2, 3, 4]
    assert set(prompt.candidates.values_list("run", flat=True)) == {run.pk}


def test_sampling_ends_with_the_budget(prompt):
    run, provider = distinct_run(prompt), Reciting(TELL)
    while not finish_run(run, NOW):
        work(run, provider)
        mark_candidates(NOW)

    assert prompt.candidates.count() == 6
    assert Candidate.objects.for_juries().count() == 1


def test_a_run_is_not_over_while_its_candidates_are_uncompared(prompt):
    run = distinct_run(prompt)
    work(run, Reciting(TELL, WAIT))

    assert not finish_run(run, NOW)
    assert not Prompt.objects.ready().exists()
    sweep(NOW)
    assert GenerationRun.objects.open().exists()


def test_a_worker_killed_while_comparing_costs_nothing(prompt, monkeypatch):
    run = distinct_run(prompt)
    work(run, Reciting(TELL))
    monkeypatch.setattr("collector.marking._plan_further", lambda prompts, runs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        mark_candidates(NOW)
    monkeypatch.undo()

    assert Candidate.objects.unmarked().count() == 2
    assert mark_candidates(NOW + LEASE + timedelta(seconds=1)) == 1
    assert prompt.candidates.unfinished().count() == 2


def test_the_workers_are_told_of_further_samples(prompt, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr("collector.celery.app.send_task", lambda name, *args, **options: sent.append(name))
    run = distinct_run(prompt)
    work(run, Reciting(TELL))
    with django_capture_on_commit_callbacks(execute=True):
        mark_candidates(NOW)

    assert sent == ["collector.tasks.generate_batch"]


def test_seeds_of_further_samples_are_the_same_again(prompt):
    run = distinct_run(prompt)
    work(run, Reciting(TELL))
    mark_candidates(NOW)
    seeds = list(prompt.candidates.order_by("sample_index").values_list("seed", flat=True))
    prompt.candidates.filter(sample_index__gte=2).delete()
    start_generation(prompt.campaign, now=NOW, publish=False)

    assert list(prompt.candidates.order_by("sample_index").values_list("seed", flat=True)) == seeds


def test_a_higher_budget_is_used_by_the_next_start(prompt):
    run = distinct_run(prompt, most=2)
    work(run, Reciting(TELL))
    mark_candidates(NOW)
    assert finish_run(run, NOW)
    prompt.campaign.generators.update(max_samples=3)

    [again] = start_generation(prompt.campaign, now=NOW, publish=False)
    assert again.candidates.count() == 1


def test_a_cancelled_run_is_not_extended(prompt):
    run = distinct_run(prompt)
    work(run, Reciting(TELL))
    GenerationRun.objects.update(state=GenerationRun.State.CANCELLED)
    mark_candidates(NOW)

    assert prompt.candidates.count() == 2


# --- dispersion -------------------------------------------------------------------------------------
def test_dispersion_is_kept_for_every_prompt_and_generator(prompt):
    add(prompt, TELL, TELL, TELL)
    add(prompt, WAIT, name="b")
    mark_candidates(NOW)
    figures = {row.generator.name: row for row in Dispersion.objects.select_related("generator")}

    assert (figures["a"].candidates, figures["a"].distinct, figures["a"].measure) == (3, 1, "shingles")
    assert figures["a"].value == pytest.approx(0, abs=1e-6)
    assert (figures["b"].candidates, figures["b"].distinct, figures["b"].value) == (1, 1, None)


def test_models_are_held_against_what_people_wrote(prompt):
    add(prompt, TELL, WAIT, ASK, name="people", provider="imported", written_by_people=True)
    add(prompt, TELL, TELL)
    mark_candidates(NOW)
    figure = Dispersion.objects.get(generator__name="a")

    assert figure.people == 3
    assert 1 / 3 <= figure.coverage <= 1  # one of the three has a candidate of the same words
    assert figure.value < figure.people_value
    assert Dispersion.objects.get(generator__name="people").people == 0


# --- lengths ----------------------------------------------------------------------------------------
def test_a_text_of_unusual_length_is_flagged_once_all_are_marked(prompt):
    for n in range(20):
        add(make_prompt(prompt.campaign, f"q{n}"), f"{WAIT} {n:02}")
    [long] = add(prompt, WAIT * 10)
    mark_for(60, timezone.now)

    assert [row.external_id for row in Candidate.objects.exclude(flags=[])] == [long.external_id]
    assert Candidate.objects.get(pk=long.pk).flags == ["length_outlier"]
    assert flag_lengths() == 0


def test_a_length_that_is_usual_again_loses_its_flag(prompt):
    [first] = add(prompt, WAIT * 10)
    Candidate.objects.update(flags=["length_outlier"])
    for n in range(25):
        add(make_prompt(prompt.campaign, f"q{n}"), f"{WAIT * 10} {n:02}")
    mark_for(60, timezone.now)

    assert Candidate.objects.get(pk=first.pk).flags == []


def test_seats_wait_for_marks_only_where_they_matter(db):
    campaign = make_open_campaign(prompts=2, candidates=1)
    assert campaign.quota_set.values("prompt").distinct().count() == 2

    campaign.generators.update(distinct_samples=1)
    make_candidate(make_prompt(campaign), campaign.generators.get(), TELL)
    assert seat_ready_prompts(campaign) == 0
    mark_candidates(NOW)
    assert seat_ready_prompts(campaign) == 1
