"""A real worker on the file-backed broker, killed in the middle of its batch: nothing is lost or doubled."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress

import pytest

from tests.processes import ROOT

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
SWEEP = """
import time
from django.utils import timezone
from collector.generation import sweep
from collector.models import GenerationRun
while GenerationRun.objects.filter(state__in=GenerationRun.ACTIVE).exists():
    sweep(timezone.now())
    time.sleep(1)
"""


class Machine:
    """A data folder of its own, and the processes that work in it."""

    def __init__(self, folder):
        self.database = folder / "empanel.sqlite3"
        inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        self.environment = inherited | {
            "DATA_DIR": str(folder),
            "GENERATION_BATCH_SIZE": "8",
            "GENERATION_LEASE_SECONDS": "5",
            "SWEEP_SECONDS": "1",
        }
        self.running = []

    def start(self, *arguments):
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def start_worker(self):
        return self.start("-m", "celery", "-A", "collector", "worker", "-Q", "generation", "-c", "1")

    def manage(self, *arguments):
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            timeout=120,
        )

    def count(self, condition):
        with closing(sqlite3.connect(self.database, timeout=30)) as database:
            query = f"SELECT count(*) FROM collector_candidate WHERE {condition}"
            return database.execute(query).fetchone()[0]

    def wait_for(self, condition, number, seconds):
        deadline = time.monotonic() + seconds
        while self.count(condition) < number:
            assert time.monotonic() < deadline, f"waited {seconds} s for {number} with {condition}"
            time.sleep(0.05)


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.manage("migrate")
    yield machine
    for process in machine.running:
        kill_group(process)


def kill_group(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(machine):
    machine.manage("shell", "-c", START)
    worker = machine.start_worker()
    machine.wait_for("state = 'done'", 1, 120)
    machine.wait_for("state = 'planned' AND lease_token IS NOT NULL", 1, 120)
    kill_group(worker)
    dropped = machine.count("state = 'planned' AND lease_token IS NOT NULL")

    machine.start_worker()
    machine.start("manage.py", "shell", "-c", SWEEP)
    machine.wait_for("state = 'done'", PLANNED, 180)

    assert dropped > 0
    assert machine.count("1") == PLANNED
    assert machine.count("attempts = 1") == PLANNED - dropped
    assert machine.count("attempts = 2") == dropped
