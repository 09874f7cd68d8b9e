"""A real worker on the file-backed broker, killed in the middle of its batch: nothing is lost or doubled."""

import pytest

from tests.workers import Workers

PROMPTS, GENERATORS = 12, ("a", "b")
PLANNED = PROMPTS * len(GENERATORS)
START = f"""
from django.utils import timezone
from collector.generation import start_generation
from collector.models import Campaign, Generator, Prompt
campaign = Campaign.objects.create(slug="study", title="Study")
for n in range({PROMPTS}):
    Prompt.objects.create(campaign=campaign, external_id=f"p{{n}}", text=f"Question {{n}}?", position=n)
for name in {GENERATORS}:
    Generator.objects.create(campaign=campaign, name=name, provider="scripted", extra={{"delay": 0.2}})
start_generation(campaign, now=timezone.now())
"""


@pytest.fixture
def workers(tmp_path):
    workers = Workers(tmp_path, GENERATION_BATCH_SIZE="8")
    workers.manage("migrate")
    yield workers
    workers.kill_everything()


@pytest.mark.slow
def test_killed_workers_and_lost_messages_lose_and_double_nothing(workers, tmp_path):
    workers.manage("shell", "-c", START)
    worker, _beat = workers.start_worker(), workers.start_beat()
    workers.wait_for("state = 'done'", 1)
    workers.wait_for("state = 'planned' AND lease_token IS NOT NULL", 1)
    workers.kill(worker)
    dropped = workers.count("state = 'planned' AND lease_token IS NOT NULL")
    for message in (tmp_path / "broker" / "queue").iterdir():
        message.unlink(missing_ok=True)

    workers.start_worker("two")
    workers.wait_for("state = 'done'", PLANNED)

    assert dropped > 0
    assert workers.count("1 = 1") == PLANNED
    assert workers.count("attempts = 1") == PLANNED - dropped
    assert workers.count("attempts = 2") == dropped
