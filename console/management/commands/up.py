"""`manage.py up`: everything one machine needs, as `make run` starts it."""

import json
import os
import sys
import time
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from django.core.management.base import BaseCommand
from django.urls import reverse

from collector.environment import read_flag
from console.preflight import BASE_DIR, HOST, check_machine, chosen_port, data_folder, lock_folder
from console.startup import DEMO_SLUG, Prepared, make_children, prepare
from console.supervisor import Supervisor

READY_WITHIN = 60.0
ASK_EVERY = 0.2
# Progress bars would be a log line for every step.
QUIET = {"PYTHONUNBUFFERED": "1", "TQDM_DISABLE": "1"}
RESET = ".venv/bin/python manage.py reset_manager"


class Command(BaseCommand):
    help = "Start web, workers and beat on this machine, and keep them running until Ctrl-C."
    requires_system_checks = []
    requires_migrations_checks = False

    def handle(self, *args: object, **options: object) -> None:
        began = time.monotonic()
        wants_demo = read_flag("DEMO", True)
        check_machine()
        port, folder = chosen_port(), data_folder()
        with lock_folder(folder):
            prepared = prepare(wants_demo=wants_demo, say=lambda line: self.print_line("empanel", line))
            supervisor = Supervisor(
                make_children(port),
                environment={**os.environ, "DATA_DIR": str(folder), **QUIET},
                folder=BASE_DIR,
                print_line=self.print_line,
            )
            status = supervisor.run(on_tick=Announcer(self, port, prepared, began))
        if status:
            sys.exit(status)
        self.stdout.write("empanel    | stopped")

    def print_line(self, name: str, line: str) -> None:
        self.stdout.write(f"{name:<10} | {line}")
        self.stdout.flush()


class Announcer:
    """Asks until everything is ready, then says once where it is and how to sign in."""

    def __init__(self, command: Command, port: int, prepared: Prepared, began: float) -> None:
        self.command = command
        self.address = f"http://{HOST}:{port}"
        self.prepared = prepared
        self.began = self.asked = began
        self.is_done = False

    def __call__(self) -> None:
        now = time.monotonic()
        if self.is_done or now - self.asked < ASK_EVERY:
            return
        self.asked = now
        problems = self._ask()
        if not problems or now - self.began > READY_WITHIN:
            self.is_done = True
            self._announce(problems)

    def _ask(self) -> list[str]:
        """What keeps Empanel from being ready; empty when nothing does."""
        try:
            with urlopen(f"{self.address}{reverse('readyz')}", timeout=2):  # noqa: S310 (our own http address)
                return []
        except HTTPError as error:
            return _problems(error.read())
        except (URLError, OSError):
            return ["the web process does not answer"]

    def _announce(self, problems: list[str]) -> None:
        seconds = time.monotonic() - self.began
        lines = (
            [f"Not ready after {seconds:.0f} s:", *problems] if problems else [f"Ready in {seconds:.1f} s"]
        )
        lines += [f"  Empanel    {self.address}/", f"  sign in    {self._sign_in()}"]
        if self.prepared.has_demo:
            lines.append(f"  annotators {self.address}/join/{DEMO_SLUG}/")
        for line in ["", *lines, "  stop       Ctrl-C", ""]:
            self.command.print_line("empanel", line)

    def _sign_in(self) -> str:
        if self.prepared.new_password:
            return f"manager, password {self.prepared.new_password} (shown only now)"
        return f"manager, with the password of the first start ({RESET} makes another)"


def _problems(body: bytes) -> list[str]:
    try:
        checks = json.loads(body)["checks"]
    except (ValueError, KeyError, TypeError):
        return ["/readyz answers with an error"]
    return [words for words in checks.values() if words != "ok"]
