"""Sixteen processes at once on a real database file or server: every seat filled, none twice, no errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import make_database

RACE = Path(__file__).parent / "race_worker.py"
WON = {"filled": 300, "duplicates": 0, "ballots": 300, "ratings": 1200, "violations": 0, "errors": 0}


@pytest.mark.slow
def test_race_for_seats_on_sqlite(tmp_path):
    assert _race(tmp_path, f"sqlite:///{tmp_path / 'race.sqlite3'}") == WON


@pytest.mark.slow
@pytest.mark.postgres
def test_race_for_seats_on_postgresql(tmp_path, postgres_url):
    assert _race(tmp_path, make_database(postgres_url, "race")) == WON


def _race(folder, database_url):
    environment = os.environ | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}
    race = subprocess.run(
        [sys.executable, RACE], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert race.returncode == 0, race.stderr
    result = json.loads(race.stdout.splitlines()[-1])
    if result != WON:
        print(race.stderr)
    return result
