"""Which run is next: priority, the model at hand, fair shares; and work that outlasts a lost database."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection

from collector.claims import claim_batch
from collector.generation import start_generation
from collector.models import Candidate, GenerationRun
from collector.persistence import persist
from collector.run_control import pause_runs
from collector.scheduling import SHARE_WINDOW, STAY, Loaded, charge, next_run, stay_with, window_start
from tests.builders import make_campaign, make_generator, make_prompt

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
SOON = NOW + timedelta(seconds=1)
pytestmark = pytest.mark.django_db


def start(slug, *, prompts=100, **fields):
    """A campaign with one generator and its run."""
    campaign = make_campaign(slug)
    for _ in range(prompts):
        make_prompt(campaign)
    make_generator(campaign, **{"max_new_tokens": 10} | fields)
    return start_generation(campaign, now=NOW, publish=False)[0]


def turns(number, now=NOW, loaded=None):
    """The campaigns of the next batches of one candidate each."""
    served = []
    for _ in range(number):
        run = next_run("generation", now, loaded)
        claim_batch(run, 1, now)
        served.append(run.generator.campaign.slug)
        now += timedelta(milliseconds=1)
    return served


def test_a_small_campaign_is_not_held_up_by_a_large_one():
    start("large", prompts=200)
    turns(50)
    start("small", prompts=5)

    assert turns(5) == ["small"] * 5


def test_campaigns_that_ask_alike_take_turns():
    start("one"), start("two")

    assert turns(6) == ["one", "two"] * 3


def test_shares_are_of_tokens_not_of_batches():
    start("long", max_new_tokens=30), start("short", max_new_tokens=10)

    assert turns(8).count("short") == 6  # 2 x 30 tokens and 6 x 10


def test_a_campaign_of_many_generators_has_one_share():
    many = start("many").generator.campaign
    for _ in range(3):
        make_generator(many, max_new_tokens=10)
    start_generation(many, now=NOW, publish=False)
    start("one")

    assert turns(8).count("one") == 4


def test_shares_start_anew_with_the_window():
    busy = start("busy")
    start("idle")
    charge(busy, 100, NOW)
    assert turns(2) == ["idle"] * 2

    assert turns(2, NOW + SHARE_WINDOW) == ["busy", "idle"]  # equal again: who waits longest


def test_the_highest_priority_goes_first_whatever_the_shares():
    start("bulk")
    live = start("live")
    charge(live, 100, NOW)
    GenerationRun.objects.filter(pk=live.pk).update(priority=10)

    assert turns(3) == ["live"] * 3


def test_a_worker_stays_with_its_model_for_a_bounded_time():
    first = start("one", model="a")
    start("two", model="b")
    loaded = stay_with(first, None, NOW)
    charge(first, 100, NOW)

    assert next_run("generation", NOW, loaded).generator.model == "a"
    assert next_run("generation", NOW + STAY, loaded).generator.model == "b"
    assert next_run("generation", NOW).generator.model == "b"


def test_the_time_of_staying_is_not_renewed_by_staying():
    run = start("one", model="a")
    loaded = stay_with(run, None, NOW)

    assert stay_with(run, loaded, SOON) == loaded
    assert stay_with(run, loaded, NOW + STAY).until == NOW + 2 * STAY
    assert stay_with(run, Loaded("scripted", "b", NOW + STAY), SOON).until == SOON + STAY


def test_priority_takes_a_worker_from_its_model():
    first, second = start("one", model="a"), start("two", model="b")
    GenerationRun.objects.filter(pk=second.pk).update(priority=1)

    assert next_run("generation", NOW, stay_with(first, None, NOW)) == second


def test_only_runs_of_the_queue_that_have_work_are_chosen():
    start("elsewhere", queue="large")
    held = start("held", prompts=2)
    claim_batch(held, 9, NOW)
    paused = start("paused")
    pause_runs(GenerationRun.objects.filter(pk=paused.pk))

    assert next_run("generation", NOW) is None
    assert next_run("large", NOW).generator.campaign.slug == "elsewhere"


def test_choosing_takes_one_query_however_many_runs(django_assert_num_queries):
    for number in range(10):
        start(f"c{number}", prompts=1)

    with django_assert_num_queries(1):
        next_run("generation", NOW)


def test_a_first_batch_makes_a_queued_run_a_running_one_but_wakes_no_paused_one():
    run, paused = start("one"), start("two")
    pause_runs(GenerationRun.objects.filter(pk=paused.pk))
    charge(run, 1, NOW), charge(paused, 1, NOW)

    assert list(GenerationRun.objects.order_by("pk").values_list("state", flat=True)) == ["running", "paused"]


def test_windows_begin_on_the_clock():
    assert window_start(NOW) == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


# --- work that outlasts a lost database -------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_work_is_done_again_on_a_new_connection():
    tries = []

    def count():
        tries.append(connection.connection)
        if len(tries) == 1:
            raise OperationalError("the server went away")
        return Candidate.objects.count()

    assert persist(count) == 0
    assert len(tries) == 2


@pytest.mark.django_db(transaction=True)
def test_patience_ends():
    def fail():
        raise OperationalError("gone for good")

    with pytest.raises(OperationalError, match="gone for good"):
        persist(fail, patience=0.2)


def test_nothing_is_done_again_inside_a_transaction():
    tries = []

    def fail():
        tries.append(1)
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        persist(fail)
    assert len(tries) == 1
