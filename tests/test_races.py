"""Sixteen processes at once on a real database file or server: every seat filled, none twice, no errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import make_database

RACE = Path(__file__).parent / "race_worker.py"
WON = {"filled": 300, "duplicates": 0, "lost_ballots": 0, "lost_ratings": 0, "violations": 0, "errors": 0}


@pytest.mark.slow
@pytest.mark.parametrize("sweeps", [False, True], ids=["in time", "all late"])
def test_race_for_seats_on_sqlite(tmp_path, sweeps):
    assert _race(tmp_path, f"sqlite:///{tmp_path / 'race.sqlite3'}", sweeps) == WON


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("sweeps", [False, True], ids=["in time", "all late"])
def test_race_for_seats_on_postgresql(tmp_path, postgres_url, sweeps):
    assert _race(tmp_path, make_database(postgres_url, f"race-{sweeps}"), sweeps) == WON


def _race(folder, database_url, sweeps):
    environment = os.environ | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}
    command = [sys.executable, RACE, *(["--sweep"] if sweeps else [])]
    race = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert race.returncode == 0, race.stderr
    result = json.loads(race.stdout.splitlines()[-1])
    if result != WON:
        print(race.stderr)
    return result
