"""Every kind of harm in the middle of one real run: PostgreSQL, Redis, two workers, the small real model."""

import os

import pytest
import redis

from collector.providers.weights import find_weights
from tests.servers import make_database
from tests.workers import Workers

PROMPTS, GENERATORS, SAMPLES = 60, ("cool", "warm"), 4
MODEL = "smollm2-135m-instruct"
PLANNED = PROMPTS * len(GENERATORS) * SAMPLES
START = f"""
from collector.models import Campaign, Generator, Prompt
campaign = Campaign.objects.create(slug="study", title="Study", languages=["en"])
for n in range({PROMPTS}):
    Prompt.objects.create(campaign=campaign, external_id=f"p{{n}}", text=f"Name {{n}} colours.", position=n)
for number, name in enumerate({GENERATORS}):
    Generator.objects.create(
        campaign=campaign, name=name, provider="transformers_local", model="{MODEL}",
        samples={SAMPLES}, max_new_tokens=4, temperature=0.5 + number / 2)
"""
IN_HAND = "state = 'planned' AND lease_token IS NOT NULL"
PLACES = "SELECT DISTINCT prompt_id, generator_id, sample_index FROM collector_candidate WHERE state = 'done'"


@pytest.fixture
def workers(tmp_path, settings, redis_url, postgres_server):
    find_weights(MODEL)  # converted once, not by each worker
    workers = Workers(
        tmp_path,
        DATABASE_URL=make_database(postgres_server.url, "chaos"),
        REDIS_URL=redis_url,
        MODELS_DIR=str(settings.MODELS_DIR),
        GENERATION_BATCH_SIZE="32",
    )
    workers.manage("migrate")
    yield workers
    workers.kill_everything()


def start_two(workers, number):
    """Each on its own half of the CPUs: two models that share all of them are slower than one."""
    cpus = sorted(os.sched_getaffinity(0))
    halves = ({*cpus[::2]}, {*cpus[1::2]} or {*cpus})
    return [workers.start_worker(f"{number}-{place}", cpus=half) for place, half in enumerate(halves)]


@pytest.mark.slow
@pytest.mark.postgres
def test_a_run_survives_killed_workers_a_flushed_broker_and_a_restarted_database(
    workers, redis_url, postgres_server
):
    workers.manage("shell", "-c", START)
    workers.start_beat()
    first = start_two(workers, "first")
    assert f"study: {PLANNED} candidates to generate, 2 runs." in workers.manage("generate", "study")

    workers.wait_for("state = 'done'", PLANNED // 6)
    with redis.Redis.from_url(redis_url) as broker:
        broker.flushall()
    workers.wait_for("state = 'done'", PLANNED // 3)
    workers.wait_for(IN_HAND, 1)
    for worker in first:
        workers.kill(worker)
    dropped = workers.count(IN_HAND)
    start_two(workers, "second")
    workers.wait_for("state = 'done'", PLANNED // 2)
    postgres_server.restart(pause=1.0)
    workers.wait_for("state = 'done'", PLANNED)

    assert dropped > 0
    assert (workers.count("1 = 1"), len(workers.rows(PLACES))) == (PLANNED, PLANNED)
    assert workers.count("text = '' OR lease_token IS NOT NULL") == 0
    assert workers.count("attempts > 1") >= dropped
    workers.wait_for("run_id IN (SELECT id FROM collector_generationrun WHERE state = 'done')", PLANNED)
