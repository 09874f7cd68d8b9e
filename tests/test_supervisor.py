"""`manage.py up`, driven as a person at a terminal drives it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.processes import MARKS, ROOT, RunningEmpanel
from tests.servers import free_port


def run_up(**environment: str) -> subprocess.CompletedProcess:
    """`manage.py up` where it should refuse to start."""
    command = [sys.executable, "manage.py", "up"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


def children_of(empanel: RunningEmpanel) -> dict[str, psutil.Process | None]:
    return {name: empanel.child(name) for name in MARKS}


def test_a_busy_port_is_said_in_one_line(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = run_up(DATA_DIR=str(tmp_path / "data"), PORT=str(port))

    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        f"Empanel cannot start: port {port} is in use; choose another with PORT=...\n"
    )


def test_an_unwritable_folder_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("a file, in which no folder can be made")
    done = run_up(DATA_DIR=str(tmp_path / "file" / "data"), PORT=str(free_port()))

    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        f"Empanel cannot start: the data folder {tmp_path}/file/data cannot be written (Not a directory); "
        "choose another with DATA_DIR=...\n"
    )


def test_a_bad_port_is_said_in_one_line(tmp_path):
    done = run_up(DATA_DIR=str(tmp_path / "data"), PORT="http")

    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        "Empanel cannot start: PORT='http': must be a whole number from 1 to 65535\n"
    )


@pytest.mark.slow
def test_starts_and_goes_on_and_stops(start_empanel):
    first = start_empanel().wait_ready()
    assert "manager, password " in first.log
    assert "/join/demo/" not in first.log  # DEMO=0
    assert run_up(DATA_DIR=str(first.data_folder), PORT=str(free_port())).stderr == (
        f"Empanel cannot start: another Empanel is already running on the data folder {first.data_folder}\n"
    )
    children = children_of(first)
    assert all(children.values())

    assert first.stop(signal.SIGINT) == 0
    assert not any(child.is_running() for child in children.values())

    first.log_file.write_text("")
    second = start_empanel().wait_ready()
    assert "manager, with the password of the first start" in second.log
    assert "shown only now" not in second.log
    assert second.stop(signal.SIGTERM) == 0


@pytest.mark.slow
def test_a_killed_child_is_started_again(start_empanel):
    empanel = start_empanel().wait_ready()
    killed = [empanel.kill_child("generation"), empanel.kill_child("web")]

    empanel.wait_for(lambda: None not in children_of(empanel).values(), "all children run again")
    empanel.wait_for(lambda: empanel.readiness().get("status") == "ok", "it is ready again")
    assert not set(killed) & {child.pid for child in children_of(empanel).values()}
    assert "generation was ended by signal 9; starting it again in 0.5 s" in empanel.log


@pytest.mark.slow
def test_a_worker_that_hangs_is_missed_by_readyz(start_empanel):
    empanel = start_empanel().wait_ready()
    os.killpg(empanel.child("generation").pid, signal.SIGSTOP)

    empanel.wait_for(lambda: empanel.readiness()["status"] == "not ready", "readyz misses the worker")
    assert empanel.readiness()["checks"]["worker generation"] == (
        'no worker is taking tasks from the queue "generation"'
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_children_die_with_a_killed_supervisor(start_empanel):
    empanel = start_empanel().wait_ready()
    children = [child for child in children_of(empanel).values() if child]
    os.kill(empanel.process.pid, signal.SIGKILL)

    psutil.wait_procs(children, timeout=15)
    assert not [child for child in children if child.is_running()]


@pytest.mark.slow
def test_a_new_manager_password_replaces_the_old_one(start_empanel):
    empanel = start_empanel().wait_ready()

    assert empanel.manage("reset_manager").startswith("sign in as manager with ")


def test_web_process_needs_no_model_library():
    code = "import collector.wsgi, sys; print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "collector.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert done.stdout == "[]\n", done.stderr


@pytest.mark.slow
def test_runs_on_postgresql_and_redis(start_empanel, postgres_url, redis_url):
    empanel = start_empanel(DATABASE_URL=postgres_url, REDIS_URL=redis_url).wait_ready()

    assert not list(Path(empanel.data_folder).glob("*.sqlite3"))
    assert empanel.readiness()["checks"]["broker"] == "ok"
