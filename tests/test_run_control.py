"""Pausing, resuming, cancelling and retrying runs by function, command and API, and what prompts become."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from collector.claims import claim_batch
from collector.generation import finish_run, start_generation, sweep, work_batch, work_candidates
from collector.lifecycle import WrongState
from collector.models import Campaign, Candidate, GenerationRun, Membership
from collector.providers import PROVIDERS
from collector.run_control import cancel_runs, pause_runs, resume_runs, retry_runs
from tests.api_client import client_for
from tests.builders import make_campaign, make_generator, make_prompt, make_user

NOW = timezone.now()
SCRIPTED = PROVIDERS["scripted"]()
ALL = GenerationRun.objects
RUNS = "/api/v1/campaigns/study/generation-runs/"


@pytest.fixture(autouse=True)
def small_batches(settings):
    settings.GENERATION_BATCH_SIZE = 4


@pytest.fixture
def campaign(db):
    campaign = make_campaign(slug="study")
    for _ in range(6):
        make_prompt(campaign)
    make_generator(campaign, provider="scripted")
    return campaign


@pytest.fixture
def run(campaign):
    [run] = start_generation(campaign, now=NOW, publish=False)
    return run


@pytest.fixture
def sent(monkeypatch):
    messages = []
    monkeypatch.setattr("collector.celery.app.send_task", lambda name, args, queue: messages.append(queue))
    return messages


def state_of(run):
    return GenerationRun.objects.get(pk=run.pk).state


def count(**fields):
    return Candidate.objects.filter(**fields).count()


# --- pausing ----------------------------------------------------------------------------------------
def test_a_paused_run_gets_no_further_batch(run):
    assert pause_runs(ALL.all()) == 1

    assert claim_batch(run, 4, NOW) == []
    assert sweep(NOW) == 0


def test_a_batch_in_a_workers_hands_is_stored_although_its_run_was_paused(run):
    batch = claim_batch(run, 4, NOW)
    pause_runs(ALL.all())
    work_candidates(batch, SCRIPTED, now=NOW)

    assert (count(state="done"), count(state="planned"), state_of(run)) == (4, 2, "paused")


def test_a_resumed_run_goes_on_and_its_workers_are_told(run, sent, django_capture_on_commit_callbacks):
    work_batch(run, SCRIPTED, now=NOW)
    pause_runs(ALL.all())
    with django_capture_on_commit_callbacks(execute=True):
        assert resume_runs(ALL.all(), now=NOW) == 1

    assert sent == ["generation"]
    assert state_of(run) == "running"
    assert len(claim_batch(run, 4, NOW)) == 2


def test_a_run_paused_before_it_began_is_queued_again(run):
    pause_runs(ALL.all())
    resume_runs(ALL.all(), now=NOW)

    assert state_of(run) == "queued"


def test_starting_again_leaves_a_paused_run_paused(campaign, run, sent, django_capture_on_commit_callbacks):
    pause_runs(ALL.all())
    make_prompt(campaign)
    with django_capture_on_commit_callbacks(execute=True):
        [again] = start_generation(campaign, now=NOW)

    assert (again, state_of(run)) == (run, "paused")
    assert run.candidates.count() == 7
    assert sent == []


def test_a_paused_run_whose_last_batch_came_in_is_done(run):
    claimed = claim_batch(run, 4, NOW) + claim_batch(run, 4, NOW)
    pause_runs(ALL.all())
    for candidate in claimed:
        Candidate.objects.filter(pk=candidate.pk).update(state="failed", lease_token=None)
    sweep(NOW)

    assert state_of(run) == "done"


# --- cancelling -------------------------------------------------------------------------------------
def test_cancelling_keeps_what_is_done_and_works_on_nothing_else(run):
    work_batch(run, SCRIPTED, now=NOW)
    assert cancel_runs(ALL.all(), now=NOW) == 1

    assert (count(state="done"), count(state="planned")) == (4, 2)
    assert claim_batch(run, 4, NOW) == []
    assert GenerationRun.objects.get().finished_at == NOW


def test_what_a_cancelled_run_left_joins_the_next(campaign, run):
    work_batch(run, SCRIPTED, now=NOW)
    cancel_runs(ALL.all(), now=NOW)
    [later] = start_generation(campaign, now=NOW, publish=False)

    assert later != run
    assert (later.candidates.count(), campaign.candidates.count()) == (2, 6)
    assert work_batch(later, SCRIPTED, now=NOW) == 2
    assert finish_run(later, NOW)


def test_a_batch_in_a_workers_hands_is_stored_although_its_run_was_cancelled(run):
    batch = claim_batch(run, 4, NOW)
    cancel_runs(ALL.all(), now=NOW)
    work_candidates(batch, SCRIPTED, now=NOW)

    assert (count(state="done"), state_of(run)) == (4, "cancelled")


def test_what_a_cancelled_run_left_holds_no_jury_up(campaign, run):
    make_generator(campaign, provider="scripted")
    first, _second = start_generation(campaign, now=NOW, publish=False)
    work_batch(first, SCRIPTED, now=NOW)
    assert campaign.prompts.ready().count() == 0

    cancel_runs(ALL.all(), now=NOW)

    assert campaign.prompts.ready().count() == 4  # the two prompts without a candidate have nothing to show


def test_a_paused_run_still_holds_juries_up(campaign, run):
    make_generator(campaign, provider="scripted")
    first, _second = start_generation(campaign, now=NOW, publish=False)
    work_batch(first, SCRIPTED, now=NOW)
    pause_runs(ALL.all())

    assert campaign.prompts.ready().count() == 0


# --- retrying ---------------------------------------------------------------------------------------
def test_what_failed_is_tried_again_in_a_new_run(run):
    run.candidates.update(state="failed", attempts=3, error="no")
    finish_run(run, NOW)
    [again] = retry_runs(ALL.filter(pk=run.pk), now=NOW)

    assert again != run
    assert len(claim_batch(again, 4, NOW)) == 4
    assert count(error="no") == 0


def test_what_failed_in_a_run_under_way_joins_it_again(run):
    work_batch(run, SCRIPTED, now=NOW)
    first = run.candidates.filter(state="planned").first()
    Candidate.objects.filter(pk=first.pk).update(state="failed", attempts=3)

    assert retry_runs(ALL.filter(pk=run.pk), now=NOW) == [run]
    assert len(claim_batch(run, 4, NOW)) == 2


def test_nothing_is_tried_again_where_nothing_failed(run):
    assert retry_runs(ALL.all(), now=NOW) == []


def test_a_closed_campaign_takes_up_nothing(campaign, run):
    pause_runs(ALL.all())
    Candidate.objects.filter(pk__in=[run.candidates.first().pk]).update(state="failed")
    Campaign.objects.update(state="closed")

    for step in (resume_runs, retry_runs):
        with pytest.raises(WrongState):
            step(ALL.all(), now=NOW)


# --- the command ------------------------------------------------------------------------------------
def generate(*arguments):
    out = StringIO()
    call_command("generate", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_pauses_resumes_and_cancels_only_its_campaigns_runs(run, sent):
    stranger = make_campaign(slug="other")
    make_prompt(stranger)
    make_generator(stranger, provider="scripted")
    [theirs] = start_generation(stranger, now=NOW, publish=False)

    assert generate("study", "--pause") == "study: 1 runs paused.\n"
    assert state_of(run) == "paused"
    assert generate("study", "--resume") == "study: 1 runs resumed.\n"
    assert generate("study", "--cancel") == "study: 1 runs cancelled.\n"
    assert generate("study", "--cancel") == "study: 0 runs cancelled.\n"
    assert (state_of(run), state_of(theirs)) == ("cancelled", "queued")


def test_the_command_says_that_runs_are_paused(run):
    pause_runs(ALL.all())

    assert "1 of them paused; --resume goes on with them." in generate("study", "--inline")
    assert count(state="done") == 0


def test_the_command_sets_the_priority(run, sent):
    generate("study", "--priority", "5")

    assert GenerationRun.objects.get().priority == 5


def test_the_command_pauses_no_campaign_that_does_not_exist(db):
    with pytest.raises(CommandError, match='no campaign "nonesuch"'):
        generate("nonesuch", "--pause")


# --- the API ----------------------------------------------------------------------------------------
def part_of(campaign, role):
    user = make_user()
    Membership.objects.create(user=user, campaign=campaign, role=role)
    return client_for(user)


@pytest.fixture
def manager(campaign):
    return part_of(campaign, "manager")


def post(client, path):
    return client.post(f"{RUNS}{path}")


def test_the_api_tells_how_far_a_run_is(manager, run):
    Candidate.objects.filter(run=run).update(new_tokens=None)
    GenerationRun.objects.update(state="running", started_at=timezone.now() - timedelta(seconds=30))
    for candidate in run.candidates.all()[:3]:
        done = {"state": "done", "text": "x", "new_tokens": 20, "cost": 0.5, "generated_at": timezone.now()}
        Candidate.objects.filter(pk=candidate.pk).update(**done)
    found = manager.get(f"{RUNS}{run.pk}/").json()

    assert [found[key] for key in ("planned", "done", "failed", "new_tokens", "cost")] == [3, 3, 0, 60, 1.5]
    assert found["tokens_per_second"] == pytest.approx(2.0, rel=0.3)  # 60 tokens in 30 s
    assert found["seconds_left"] == pytest.approx(30, rel=0.4)
    assert (found["queue"], found["priority"]) == ("generation", 0)


def test_the_api_pauses_resumes_and_cancels_a_run(manager, run, sent):
    assert post(manager, f"{run.pk}/pause/").json()["state"] == "paused"
    assert post(manager, f"{run.pk}/resume/").json()["state"] == "queued"
    assert post(manager, f"{run.pk}/cancel/").json()["state"] == "cancelled"
    refused = post(manager, f"{run.pk}/pause/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "wrong_state")


def test_the_api_tries_again_what_failed(manager, run, sent):
    run.candidates.update(state="failed")
    finish_run(run, NOW)
    answer = post(manager, f"{run.pk}/retry/").json()

    assert answer["id"] != run.pk
    assert answer["planned"] == 6


def test_the_api_moves_all_runs_of_a_campaign(manager, campaign, run, sent):
    make_generator(campaign, provider="scripted")
    start_generation(campaign, now=NOW, publish=False)

    assert [row["state"] for row in post(manager, "pause/").json()] == ["paused", "paused"]
    assert [row["state"] for row in post(manager, "resume/").json()] == ["queued", "queued"]
    assert [row["state"] for row in post(manager, "cancel/").json()] == ["cancelled", "cancelled"]
    assert post(manager, "pause/").json() == []


def test_only_managers_move_runs(campaign, run):
    researcher, stranger = part_of(campaign, "researcher"), client_for(make_user())

    assert post(researcher, f"{run.pk}/cancel/").status_code == 403
    assert post(stranger, f"{run.pk}/cancel/").status_code == 404
    assert state_of(run) == "queued"


def test_a_run_of_another_campaign_is_not_found(manager, run):
    stranger = make_campaign(slug="other")
    make_prompt(stranger)
    make_generator(stranger, provider="scripted")
    [theirs] = start_generation(stranger, now=NOW, publish=False)

    assert post(manager, f"{theirs.pk}/cancel/").status_code == 404
    assert manager.get(f"{RUNS}{theirs.pk}/").status_code == 404
