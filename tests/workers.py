"""Celery workers and a clock as processes of their own, to be killed; and what the database then holds."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.processes import ROOT

SETTINGS = {"GENERATION_LEASE_SECONDS": "5", "SWEEP_SECONDS": "1", "SENTENCE_ENCODER": "none"}


class Workers:
    """One data folder, or one database and broker, and the processes that work for it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        own = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        inherited = {key: value for key, value in os.environ.items() if key not in own}
        self.environment = inherited | SETTINGS | {"DATA_DIR": str(folder)} | environment
        self.database = self.environment.get("DATABASE_URL") or str(folder / "empanel.sqlite3")
        self.log_file = folder / "workers.log"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, cpus: set[int] | None = None) -> subprocess.Popen[bytes]:
        """A Python process in a group of its own, on the given CPUs only."""
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
            )
        self.running.append(process)
        return process

    def start_worker(self, name: str = "one", *, cpus: set[int] | None = None) -> subprocess.Popen[bytes]:
        queues = ("--queues", "generation,empanel", "--pool", "solo", "--hostname", f"{name}@%h")
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")
        return self.start("-m", "celery", "--app", "collector", "worker", *queues, *quiet, cpus=cpus)

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self.start("-m", "celery", "--app", "collector", "beat", "--loglevel", "WARNING")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill -9 the process and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)

    def kill_everything(self) -> None:
        for process in self.running:
            self.kill(process)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert not done.returncode, done.stderr
        return done.stdout

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if "://" not in self.database:
            with closing(sqlite3.connect(self.database, timeout=30)) as database:
                return database.execute(query).fetchall()
        with psycopg.connect(self.database, connect_timeout=5) as database:
            return database.execute(query).fetchall()

    def count(self, condition: str) -> int:
        return self.rows(f"SELECT count(*) FROM collector_candidate WHERE {condition}")[0][0]

    def wait_for(self, condition: str, number: int, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while self.count(condition) < number:
            assert time.monotonic() < deadline, f"waited for {number} with {condition}\n{self.log}"
            time.sleep(0.1)

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")[-6000:]
