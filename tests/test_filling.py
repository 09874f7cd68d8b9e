"""Campaigns in processes of their own, on both databases: they fill, and a crash costs a seat only time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import make_database

TESTS = Path(__file__).parent


def run(script, *arguments, database, folder):
    environment = os.environ | {
        "DATABASE_URL": database,
        "DATA_DIR": str(folder),
        "RATE_LIMITS": "0",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, TESTS / script, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def fill(database, folder):
    *_, audit, line = run("fill_worker.py", database=database, folder=folder)
    assert audit == "0 violations in town"
    found = json.loads(line)
    # 6 strata and anyone, on 30 prompts; a few of 400 withdrew and a few let their seat run out.
    assert (found["open"], found["seats"], found["people"]) == (0, 210, 400)
    assert found["withdrawn"] > 10
    assert found["ran out"] > 5
    return found["database"]


@pytest.mark.slow
def test_a_campaign_fills_through_its_pages_on_sqlite(tmp_path):
    assert fill(f"sqlite:///{tmp_path / 'fill.sqlite3'}", tmp_path) == "sqlite3"


@pytest.mark.slow
@pytest.mark.postgres
def test_a_campaign_fills_through_its_pages_on_postgresql(tmp_path, postgres_url):
    assert fill(make_database(postgres_url, "fill"), tmp_path) == "postgresql"


def crash(database, folder, moment):
    """Kills a process that holds a seat; returns what the next one finds."""
    environment = os.environ | {"DATABASE_URL": database, "DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"}
    command = [sys.executable, TESTS / "crash_worker.py", moment]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout.readline() == "holding\n"
        worker.kill()
    return run("crash_worker.py", "come back", database=database, folder=folder)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["hold", "submit"])
def test_a_seat_comes_back_from_a_crash_on_sqlite(tmp_path, moment):
    # One place taken and filled, no violation, two people.
    assert crash(f"sqlite:///{tmp_path / 'crash.sqlite3'}", tmp_path, moment) == ["1 1 0 2"]


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("moment", ["hold", "submit"])
def test_a_seat_comes_back_from_a_crash_on_postgresql(tmp_path, postgres_url, moment):
    assert crash(make_database(postgres_url, f"crash-{moment}"), tmp_path, moment) == ["1 1 0 2"]
