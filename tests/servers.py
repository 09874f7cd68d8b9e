"""Private PostgreSQL and Redis servers for the tests, on free ports and in folders that go away."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

START_SECONDS = 30


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of an empty Redis that nothing else uses."""
    program = shutil.which("redis-server") or _absent("redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="empanel-redis-") as folder:
        server = subprocess.Popen(
            [
                program,
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                folder,
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _wait_until(lambda: _redis_answers(url), "Redis")
            yield url
        finally:
            _end(server)


class PostgresServer:
    """A PostgreSQL server in a folder of its own, which can be restarted under those who use it."""

    def __init__(self, folder: Path) -> None:
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [
            str(Path(shutil.which("initdb") or _absent("PostgreSQL")).parent)
        ]
        self.programs = Path(found[-1])
        self.folder = folder
        self.port = free_port()
        self.url = f"postgres://empanel@127.0.0.1:{self.port}/postgres"
        self.as_owner = _unprivileged(folder)
        options = ("-U", "empanel", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        subprocess.run(
            [self.programs / "initdb", "-D", folder / "data", *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **self.as_owner,
        )
        self.start()

    def start(self) -> None:
        settings = (
            "fsync=off",
            "full_page_writes=off",
            "max_connections=200",
            f"unix_socket_directories={self.folder}",
        )
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder / "data", "-h", "127.0.0.1", "-p", str(self.port)]
            + [part for setting in settings for part in ("-c", setting)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **self.as_owner,
        )
        _wait_until(lambda: _postgres_answers(self.url), "PostgreSQL")

    def restart(self, *, pause: float = 0.0) -> None:
        """A fast shutdown, which ends everybody's connection and transaction, and a new start."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        time.sleep(pause)
        self.start()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="empanel-postgres-") as folder:
        server = PostgresServer(Path(folder))
        try:
            yield server
        finally:
            _end(server.process)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The address of an empty PostgreSQL database that nothing else uses; its owner may create more."""
    return make_database(postgres_server.url, "empanel")


def make_database(server_url: str, name: str) -> str:
    """Create a database on the server; returns its address."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server_url.rsplit('/', 1)[0]}/{name}"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _absent(program: str) -> str:
    """In CI nothing may be skipped for want of a server."""
    words = f"{program} is not installed; see `make packages`"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


def _unprivileged(folder: Path) -> dict[str, object]:
    """PostgreSQL refuses to run as root: there it gets the folder and runs as another user."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return pytest.skip("PostgreSQL cannot run as root, and there is no other user")


def _wait_until(answers: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if time.monotonic() > deadline:
            pytest.fail(f"{name} did not start within {START_SECONDS} seconds")
        time.sleep(0.05)


def _redis_answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def _postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _end(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
