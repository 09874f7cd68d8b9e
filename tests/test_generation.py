"""Tests of collector/generation.py, planning.py and claims.py: who may do what to a candidate, and when."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from collector import tasks
from collector.claims import LONGEST_BATCH, claim_batch, kept_alive
from collector.generation import (
    finish_run,
    start_generation,
    sweep,
    work_batch,
    work_candidates,
)
from collector.heartbeat import record_heartbeat
from collector.lifecycle import WrongState
from collector.models import Campaign, Candidate, GenerationRun, Generator, Prompt
from collector.planning import UnknownProvider, candidate_seed, plan_candidates
from collector.providers import PROVIDERS
from collector.providers.base import Provider, ProviderError, Response

NOW = timezone.now()
LEASE = timedelta(seconds=60)
LATER = NOW + LEASE + timedelta(seconds=1)
DONE, FAILED, PLANNED = Candidate.State.DONE, Candidate.State.FAILED, Candidate.State.PLANNED


class Answering(Provider):
    """Answers by a function of the request, which may raise; keeps what it was asked."""

    label = "answering"

    def __init__(self, answer):
        super().__init__()
        self.answer, self.asked = answer, []

    def generate(self, requests):
        self.asked.append(requests)
        return [self.answer(request) for request in requests]


@pytest.fixture(autouse=True)
def small_batches(settings):
    settings.GENERATION_BATCH_SIZE, settings.GENERATION_LEASE_SECONDS, settings.SWEEP_SECONDS = 4, 60, 10


@pytest.fixture
def sent(monkeypatch):
    """The messages that would have gone to the broker."""
    messages = []
    monkeypatch.setattr(
        "collector.celery.app.send_task", lambda name, args, queue: messages.append((queue, *args))
    )
    return messages


@pytest.fixture
def campaign(db):
    return make_campaign(prompts=6)


def make_campaign(slug="study", *, prompts, generators=("plain",), **fields):
    campaign = Campaign.objects.create(slug=slug, title=slug, seed="s")
    # Prompts are asked in the order of their positions, not of their ids.
    for n in reversed(range(prompts)):
        Prompt.objects.create(campaign=campaign, external_id=f"p{n}", text=f"Question {n}?", position=n)
    for name in generators:
        Generator.objects.create(campaign=campaign, name=name, **{"provider": "scripted"} | fields)
    return campaign


def start(campaign, **options):
    [run] = start_generation(campaign, now=NOW, publish=False, **options)
    return run


def states(campaign):
    return list(campaign.candidates.order_by("prompt__position").values_list("state", flat=True))


# --- planning ---------------------------------------------------------------------------------------
def test_a_candidate_is_planned_for_every_prompt_and_sample(campaign):
    generator = campaign.generators.get()
    generator.samples = 2

    assert plan_candidates(generator) == 12
    assert campaign.candidates.filter(external_id="p3-plain-1", state=PLANNED, sample_index=1).count() == 1


def test_planning_twice_adds_nothing(campaign):
    generator = campaign.generators.get()
    plan_candidates(generator)

    assert plan_candidates(generator) == 0
    Prompt.objects.create(campaign=campaign, external_id="new", text="New?", position=9)
    assert plan_candidates(generator) == 1
    assert campaign.candidates.count() == 7


def test_nothing_is_planned_for_imported_candidates(campaign):
    campaign.generators.update(provider="imported")

    assert start_generation(campaign, now=NOW) == []
    assert not campaign.candidates.exists()


def test_seeds_differ_but_depend_only_on_names_and_seeds(campaign):
    plan_candidates(campaign.generators.get())
    seeds = dict(campaign.candidates.values_list("prompt__external_id", "seed"))
    twin = Campaign(seed="s")
    prompt = Prompt(campaign=twin, external_id="p3")

    assert len(set(seeds.values())) == 6
    assert candidate_seed(prompt, Generator(campaign=twin, name="plain"), 0) == seeds["p3"]
    assert candidate_seed(prompt, Generator(campaign=twin, name="plain", seed=1), 0) != seeds["p3"]


def test_names_that_run_together_still_give_two_candidates(db):
    campaign = make_campaign(prompts=0, generators=("b-c", "c"))
    for name in ("a", "a-b"):
        Prompt.objects.create(campaign=campaign, external_id=name, text="?")

    start_generation(campaign, now=NOW, publish=False)

    ids = campaign.candidates.values_list("external_id", flat=True)  # "a" + "b-c" and "a-b" + "c"
    assert len(set(ids)) == 4


def test_an_id_too_long_for_its_column_is_shortened(db):
    campaign = make_campaign(prompts=0)
    Prompt.objects.create(campaign=campaign, external_id="x" * 200, text="?")

    start(campaign)

    assert len(campaign.candidates.get().external_id) <= 200


# --- runs -------------------------------------------------------------------------------------------
def test_starting_again_joins_the_active_run(campaign, sent):
    [first] = start_generation(campaign, now=NOW)
    Prompt.objects.create(campaign=campaign, external_id="new", text="New?", position=9)
    [second] = start_generation(campaign, now=LATER)

    assert first == second
    assert campaign.candidates.filter(run=first).count() == 7


def test_starting_tells_the_workers_after_commit(campaign, sent, django_capture_on_commit_callbacks):
    campaign.generators.update(queue="large")
    with django_capture_on_commit_callbacks(execute=True):
        start_generation(campaign, now=NOW)
        assert sent == []

    assert sent == [("large", "large", 1)]  # to the queue: its name and the ticket


def test_an_unknown_provider_is_named_before_anything_is_planned(campaign):
    Generator.objects.create(campaign=campaign, name="odd", provider="oracle")

    with pytest.raises(UnknownProvider, match='generator "odd": there is no provider "oracle"'):
        start_generation(campaign, now=NOW)
    assert not campaign.candidates.exists()


def test_a_closed_campaign_takes_no_more_candidates(campaign):
    campaign.state = Campaign.State.CLOSED

    with pytest.raises(WrongState):
        start_generation(campaign, now=NOW)


def test_a_run_is_done_when_nothing_of_it_is_planned(campaign):
    run = start(campaign)
    provider = PROVIDERS["scripted"]()

    assert work_batch(run, provider, now=NOW) == 4
    assert not finish_run(run, NOW)
    assert work_batch(run, provider, now=NOW) == 2
    assert finish_run(run, LATER)
    run.refresh_from_db()
    assert (run.state, run.started_at, run.finished_at) == ("done", NOW, LATER)
    assert finish_run(run, LATER + LEASE)


# --- claims -----------------------------------------------------------------------------------------
def test_the_first_prompts_are_claimed_first(campaign):
    batch = claim_batch(start(campaign), 4, NOW)

    assert [candidate.prompt.external_id for candidate in batch] == ["p0", "p1", "p2", "p3"]
    assert {candidate.lease_until for candidate in batch} == {NOW + LEASE}


def test_a_claimed_candidate_is_nobody_elses_until_its_lease_ends(campaign):
    run = start(campaign)
    first = claim_batch(run, 4, NOW)

    assert len(claim_batch(run, 4, NOW)) == 2
    assert claim_batch(run, 4, NOW + LEASE) == []
    assert claim_batch(run, 4, LATER)[0].pk == first[0].pk


def test_only_the_runs_own_candidates_are_claimed(campaign):
    stranger = make_campaign("other", prompts=3)
    start(stranger)

    assert {candidate.campaign_id for candidate in claim_batch(start(campaign), 99, NOW)} == {campaign.pk}


def test_a_late_text_from_a_lost_lease_is_ignored(campaign):
    run = start(campaign)
    late = claim_batch(run, 1, NOW)
    second = claim_batch(run, 1, LATER)
    work_candidates(second, Answering(lambda _: Response("in time")), now=LATER)

    work_candidates(late, Answering(lambda _: Response("late")), now=LATER)

    assert late[0].pk == second[0].pk
    assert Candidate.objects.get(pk=late[0].pk).text == "in time"


def test_a_late_failure_from_a_lost_lease_is_ignored(campaign):
    run = start(campaign)
    late = claim_batch(run, 1, NOW)
    claim_batch(run, 1, LATER)

    work_candidates(late, Answering(lambda _: ProviderError("no", permanent=True)), now=LATER)

    assert FAILED not in states(campaign)


def test_a_late_text_is_kept_while_nobody_else_has_claimed(campaign):
    batch = claim_batch(start(campaign), 1, NOW)

    work_candidates(batch, Answering(lambda _: Response("slow but fine")), now=LATER)

    assert Candidate.objects.get(pk=batch[0].pk).state == DONE


def test_batches_shrink_with_every_attempt_until_a_killer_is_alone(campaign, settings):
    # 64 at once, then 64/8 = 8, then 8/8 = 1; two prompts kill any worker that has them in its batch.
    for n in range(6, 70):
        Prompt.objects.create(campaign=campaign, external_id=f"p{n}", text=f"Question {n}?", position=n)
    run, now, killers = start(campaign), NOW, {"p3", "p40"}
    settings.GENERATION_BATCH_SIZE = 64
    for _ in range(40):
        batch = claim_batch(run, 64, now)
        if killers & {candidate.prompt.external_id for candidate in batch}:
            now += LEASE + timedelta(seconds=1)
        else:
            work_candidates(batch, PROVIDERS["scripted"](), now=now)
    finish_run(run, now)

    failed = campaign.candidates.filter(state=FAILED)
    assert {candidate.prompt.external_id for candidate in failed} == killers
    assert {candidate.error for candidate in failed} == {"the worker stopped during each of 3 attempts"}
    assert campaign.candidates.filter(state=DONE).count() == 68


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_never_get_the_same_candidate():
    campaign = make_campaign(prompts=60)
    run, claimed, gate = start(campaign), [], threading.Barrier(4)

    def work():
        gate.wait()
        try:
            while batch := claim_batch(run, 3, NOW):
                claimed.extend(candidate.pk for candidate in batch)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == len(set(claimed)) == 60


@pytest.mark.django_db(transaction=True)
def test_two_who_plan_at_once_plan_once():
    campaign, gate, runs = make_campaign(prompts=60), threading.Barrier(2), []

    def plan():
        gate.wait()
        try:
            runs.append(start(campaign))
        finally:
            connection.close()

    threads = [threading.Thread(target=plan) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert campaign.candidates.filter(run=runs[0]).count() == 60
    assert runs[0] == runs[1]


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_while_its_worker_works(settings):
    settings.GENERATION_LEASE_SECONDS = 0.3
    run = start(make_campaign(prompts=1))
    [candidate] = claim_batch(run, 1, NOW)

    with kept_alive([candidate], NOW):
        threading.Event().wait(0.5)
    candidate.refresh_from_db()

    assert candidate.lease_until > NOW + timedelta(seconds=0.3)
    assert candidate.lease_until < NOW + LONGEST_BATCH


# --- texts and failures -----------------------------------------------------------------------------
def test_a_text_is_stored_with_its_html_and_where_it_came_from(campaign):
    campaign.generators.update(steerings=[{"label": "strict", "system": "Be strict."}], temperature=0.3)
    batch = claim_batch(start(campaign), 4, NOW)
    work_candidates(batch, Answering(lambda _: Response(" **Yes** \0 ", {"new_tokens": 3})), now=NOW)

    candidate = campaign.candidates.get(external_id="p2-plain-strict-0")
    assert (candidate.text, candidate.html) == ("**Yes**", "<p><strong>Yes</strong></p>\n")
    assert (candidate.steering, candidate.temperature, candidate.attempts) == ("strict", 0.3, 1)
    assert (candidate.lease_token, candidate.lease_until) == (None, None)
    assert candidate.generated_at >= NOW
    known = candidate.provenance
    assert known["messages"] == [
        {"role": "system", "content": "Be strict."},
        {"role": "user", "content": "Question 2?"},
    ]
    assert (known["provider"], known["seed"]) == ("scripted", candidate.seed)
    assert (known["batch_size"], known["new_tokens"], known["attempt"]) == (4, 3, 1)


def test_a_passing_failure_is_tried_again_then_given_up(campaign):
    run = start(campaign)
    provider = Answering(lambda _: ProviderError("busy", permanent=False))
    for _ in range(20):
        work_batch(run, provider, now=NOW)

    assert states(campaign) == [FAILED] * 6
    assert set(campaign.candidates.values_list("error", "attempts")) == {("busy", 3)}


def test_a_lasting_failure_is_not_tried_again_and_spares_its_neighbours(campaign):
    def answer(request):
        if request.messages[0]["content"] == "Question 2?":
            return ProviderError("refused by the chat template", permanent=True)
        return Response("fine")

    run, provider = start(campaign), Answering(answer)
    while work_batch(run, provider, now=NOW):
        pass

    poison = campaign.candidates.get(state=FAILED)
    assert (poison.external_id, poison.attempts) == ("p2-plain-0", 1)
    assert poison.error == "refused by the chat template"
    assert campaign.candidates.filter(state=DONE).count() == 5


def test_a_provider_that_breaks_fails_its_batch_for_now(campaign):
    def answer(_):
        raise ZeroDivisionError("by zero")

    run = start(campaign)
    work_batch(run, Answering(answer), now=NOW)

    assert states(campaign) == [PLANNED] * 6
    assert campaign.candidates.filter(error="ZeroDivisionError: by zero").count() == 4


def test_an_empty_text_is_tried_again_with_another_seed(campaign):
    seeds = dict(campaign.candidates.values_list("pk", "seed"))
    run, provider = start(campaign), Answering(lambda r: Response("" if r.seed in seeds.values() else "ok"))
    seeds |= dict(campaign.candidates.values_list("pk", "seed"))
    while work_batch(run, provider, now=NOW):
        pass

    assert states(campaign) == [DONE] * 6
    assert all(candidate.seed == seeds[candidate.pk] + 1 for candidate in campaign.candidates.all())


def test_a_provider_may_ask_for_patience(campaign):
    run = start(campaign)
    work_batch(run, Answering(lambda _: ProviderError("slow down", permanent=False, retry_after=30)), now=NOW)

    assert len(claim_batch(run, 4, NOW + timedelta(seconds=20))) == 2
    assert len(claim_batch(run, 4, NOW + timedelta(seconds=40))) == 4  # no attempt was used up: whole batches


def test_a_worker_told_to_stop_gives_its_batch_back_uncounted(campaign):
    def answer(_):
        raise KeyboardInterrupt

    run = start(campaign)
    with pytest.raises(KeyboardInterrupt):
        work_batch(run, Answering(answer), now=NOW)

    assert [candidate.attempts for candidate in claim_batch(run, 4, NOW)] == [1] * 4


def test_failed_candidates_are_tried_again_only_when_asked(campaign):
    run = start(campaign)
    while work_batch(run, Answering(lambda _: ProviderError("no", permanent=True)), now=NOW):
        pass
    finish_run(run, NOW)

    assert start_generation(campaign, now=NOW) == []
    again = start(campaign, retry_failed=True)
    assert again != run
    assert len(claim_batch(again, 9, NOW)) == 6


# --- messages and the sweeper -----------------------------------------------------------------------
@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    """Runs what waits for commit at once, as it would without the test's transaction."""

    def run(function, *arguments, **options):
        with django_capture_on_commit_callbacks(execute=True):
            return function(*arguments, **options)

    return run


def deliver(commits, message):
    _queue, *arguments = message
    commits(tasks.generate_batch, *arguments)


@pytest.fixture
def short_turns(monkeypatch):
    """Every batch is a turn of its own."""
    monkeypatch.setattr("collector.generation.TURN_SECONDS", 0)


def test_messages_carry_a_run_to_its_end(campaign, sent, commits, short_turns):
    commits(start_generation, campaign, now=NOW)
    delivered = []
    while sent:
        delivered.append(sent.pop(0))
        deliver(commits, delivered[-1])

    assert states(campaign) == [DONE] * 6
    assert len(delivered) == 3  # 4 + 2, and the one that was passed on twice
    assert GenerationRun.objects.get().state == "done"


def test_one_message_is_worth_many_batches(campaign, sent, commits):
    commits(start_generation, campaign, now=NOW)
    deliver(commits, sent.pop())

    assert states(campaign) == [DONE] * 6


def test_a_worker_that_was_told_to_stop_passes_the_rest_on(campaign, sent, commits, monkeypatch):
    monkeypatch.setattr("celery.worker.state.should_stop", 0)
    commits(start_generation, campaign, now=NOW)
    deliver(commits, sent.pop())

    assert states(campaign) == [DONE] * 4 + [PLANNED] * 2
    assert len(sent) == 2


def test_of_many_messages_only_the_newest_does_any_work(campaign, sent, commits, short_turns):
    for _ in range(5):
        commits(start_generation, campaign, now=NOW)
    for message in sent[:4]:
        deliver(commits, message)
    assert len(sent) == 5
    assert states(campaign) == [PLANNED] * 6

    deliver(commits, sent[4])

    assert states(campaign) == [DONE] * 4 + [PLANNED] * 2


def test_a_doubled_message_does_no_harm(campaign, sent, commits, short_turns):
    commits(start_generation, campaign, now=NOW)
    for _ in range(5):
        for message in list(sent):
            deliver(commits, message)

    assert states(campaign) == [DONE] * 6
    assert campaign.candidates.filter(attempts=1).count() == 6


def test_a_message_from_before_the_upgrade_is_dropped(campaign, sent, commits):
    run = start(campaign)
    commits(tasks.generate_batch, run.pk)

    assert states(campaign) == [PLANNED] * 6


def test_runs_of_several_generators_progress_in_step(db, sent, commits, short_turns):
    campaign = make_campaign(prompts=8, generators=("a", "b"))
    commits(start_generation, campaign, now=NOW)
    for _ in range(2):
        deliver(commits, sent[-1])

    assert list(campaign.prompts.ready().values_list("external_id", flat=True)) == ["p0", "p1", "p2", "p3"]


def test_a_generator_whose_provider_is_gone_fails_with_the_reason(campaign, sent, commits):
    run = start(campaign)
    campaign.generators.update(provider="oracle")

    commits(sweep, NOW)
    deliver(commits, sent.pop())

    assert 'no provider "oracle"' in campaign.candidates.filter(state=FAILED).first().error
    run.refresh_from_db()
    assert run.state == "done"


@pytest.fixture
def live_worker(db):
    record_heartbeat("generation@here", ["generation"], LATER)


def test_the_sweeper_publishes_what_was_never_published(campaign, sent, commits):
    start(campaign)

    assert commits(sweep, NOW) == 1
    assert sent == [("generation", "generation", 1)]
    assert commits(sweep, NOW) == 0


def test_the_sweeper_publishes_a_lost_message_again(campaign, sent, commits, live_worker):
    commits(start_generation, campaign, now=NOW)

    assert commits(sweep, NOW + timedelta(seconds=9)) == 0
    assert commits(sweep, NOW + timedelta(seconds=10)) == 1


def test_the_sweeper_waits_while_some_worker_is_busy(campaign, sent, commits, live_worker):
    other = start(make_campaign("other", prompts=2))
    commits(start_generation, campaign, now=NOW)
    claim_batch(other, 2, NOW + timedelta(seconds=15))

    assert commits(sweep, NOW + timedelta(seconds=20)) == 0
    assert commits(sweep, NOW + timedelta(seconds=61)) == 1


def test_the_sweeper_does_not_pile_up_messages_that_nobody_reads(campaign, sent, commits):
    commits(start_generation, campaign, now=NOW)
    for minute in range(60):
        commits(sweep, NOW + timedelta(minutes=minute))

    assert len(sent) == 6


def test_the_sweeper_closes_what_is_finished(campaign, sent):
    run = start(campaign)
    campaign.candidates.update(state=FAILED)
    sweep(NOW)

    run.refresh_from_db()
    assert run.state == "done"
    assert sent == []


def test_a_broker_that_is_down_does_not_stop_the_start(campaign, monkeypatch, commits):
    def refuse(*_, **__):
        raise ConnectionError("no broker")

    monkeypatch.setattr("collector.celery.app.send_task", refuse)
    [run] = commits(start_generation, campaign, now=NOW)

    assert run.state == "queued"


# --- the command ------------------------------------------------------------------------------------
def generate(*arguments):
    out = StringIO()
    call_command("generate", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_generate_enqueues(campaign, sent, commits):
    assert commits(generate, "study") == "study: 6 candidates to generate, 1 runs.\n"
    assert len(sent) == 1
    assert states(campaign) == [PLANNED] * 6


def test_generate_inline_does_the_work_and_needs_no_broker(campaign, sent, commits):
    output = commits(generate, "study", "--inline")

    assert states(campaign) == [DONE] * 6
    assert "6/6 candidates, 0 failed" in output
    assert sent == []
    assert generate("study", "--inline") == "study: no candidate is missing.\n"


def test_generate_reports_failures(campaign):
    campaign.generators.update(provider="transformers_local", model="nonesuch")

    with pytest.raises(CommandError, match='6 candidates failed; p0-plain-0: there is no model "nonesuch"'):
        generate("study", "--inline")


def test_generate_names_a_campaign_that_does_not_exist(db):
    with pytest.raises(CommandError, match='no campaign "nonesuch"'):
        generate("nonesuch")
