"""The browser that the tests drive: the system's Chromium, else the one Playwright downloads."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.browser.stage import USERNAME, run_on_stage
from tests.processes import RunningEmpanel

# The browser runs its own event loop in the tests' thread, beside which Django would refuse the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None and "CI" not in os.environ:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    return {"executable_path": program, "args": FLAGS}


@pytest.fixture(scope="session")
def stage() -> Iterator[RunningEmpanel]:
    """One Empanel for every test that only looks at it or adds people of its own."""
    with run_on_stage() as empanel:
        empanel.token = empanel.manage("create_token", USERNAME).strip().splitlines()[-1]
        yield empanel
