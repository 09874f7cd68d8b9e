"""A real Empanel for tests: web, workers and beat under the supervisor, as `make run` starts them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
import pytest

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 120  # generous: the machine may be busy with other tests
# What tells each child's command from the others.
MARKS = {"web": "gunicorn", "worker": "short@%h", "generation": "generation@%h", "beat": "beat"}


class RunningEmpanel:
    """One `manage.py up` with a data folder and port of its own, its output in a file."""

    def __init__(self, data_folder: Path, **environment: str) -> None:
        self.data_folder = data_folder
        self.port = int(environment.get("PORT") or free_port())
        self.address = f"http://127.0.0.1:{self.port}"
        own = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        inherited = {key: value for key, value in os.environ.items() if key not in own}
        self.environment = inherited | {"DATA_DIR": str(data_folder), "DEMO": "0", "SENTENCE_ENCODER": "none"}
        self.environment |= environment
        self.environment["PORT"] = str(self.port)
        self.log_file = data_folder.with_name(f"{data_folder.name}.log")
        self.process: subprocess.Popen | None = None

    def start(self) -> "RunningEmpanel":
        """Start it in a session of its own, so that a signal to the tests is not one to it."""
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def wait_ready(self, seconds: float = READY_SECONDS) -> "RunningEmpanel":
        self.wait_for(lambda: self.readiness().get("status") == "ok", "it is ready", seconds)
        self.wait_for(lambda: "Ctrl-C" in self.log, "it says how to stop it", seconds)
        return self

    def wait_for(self, holds: Callable[[], bool], words: str, seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if self.process is not None and self.process.poll() is not None:
                pytest.fail(f"Empanel ended with status {self.process.returncode}:\n{self.log[-4000:]}")
            if time.monotonic() > deadline:
                pytest.fail(f"waited {seconds:g} s until {words}:\n{self.log[-4000:]}")
            time.sleep(0.1)

    def readiness(self) -> dict:
        """What /readyz says; empty where nothing answers."""
        try:
            with urlopen(f"{self.address}/readyz", timeout=5) as answer:
                return json.load(answer)
        except HTTPError as error:
            return json.load(error)
        except (URLError, OSError, ValueError):
            return {}

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def child(self, name: str) -> psutil.Process | None:
        """The running process called "web", "worker", "generation" or "beat"."""
        if self.process is None or not psutil.pid_exists(self.process.pid):
            return None
        for process in psutil.Process(self.process.pid).children():
            try:
                if any(MARKS[name] in part for part in process.cmdline()):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def kill_child(self, name: str) -> int:
        """Kill -9 the process group of a child; returns the process id it had."""
        process = self.child(name)
        if process is None:
            pytest.fail(f"{name} is not running")
        os.killpg(process.pid, signal.SIGKILL)
        return process.pid

    def manage(self, *arguments: str) -> str:
        """The output of a `manage.py` command run with this Empanel's settings."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=600
        )
        if done.returncode:
            pytest.fail(f"{' '.join(arguments)} ended with status {done.returncode}:\n{done.stderr[-4000:]}")
        return done.stdout

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send the signal and wait; returns the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def kill_everything(self) -> None:
        """Leave nothing behind, whatever state the test left it in."""
        if self.process is None:
            return
        groups = {self.process.pid}
        if psutil.pid_exists(self.process.pid):
            groups |= {child.pid for child in psutil.Process(self.process.pid).children()}
        for group in groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(timeout=30)


@pytest.fixture
def start_empanel(tmp_path: Path) -> Iterator[Callable[..., RunningEmpanel]]:
    """A function that starts an Empanel with these environment variables; all are gone when the test ends."""
    started: list[RunningEmpanel] = []

    def start(folder: str = "data", **environment: str) -> RunningEmpanel:
        started.append(RunningEmpanel(tmp_path / folder, **environment))
        return started[-1].start()

    yield start
    for empanel in started:
        empanel.kill_everything()
