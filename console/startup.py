"""What one machine's Empanel is made of: its database, static files and first account, and its processes."""

import sys
from collections.abc import Callable
from socket import gethostname
from typing import NamedTuple

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from collector.models import Campaign, WorkerHeartbeat
from console.accounts import has_accounts, make_manager
from console.preflight import HOST
from console.static_files import collect_changed_files
from console.supervisor import Child

DEMO_SLUG = "demo"


class Prepared(NamedTuple):
    """What the first page of instructions needs to know."""

    new_password: str | None
    has_demo: bool


def prepare(*, wants_demo: bool, say: Callable[[str], None]) -> Prepared:
    """Bring database and static files up to date; at first also load the demo and make the manager."""
    if _is_behind():
        say("preparing the database")
        call_command("migrate", interactive=False, verbosity=0)
    if collect_changed_files():
        say("static files collected")
    password = None
    if not has_accounts():
        if wants_demo:
            say("loading the demo campaign")
            call_command("load_demo", verbosity=0)
        # Last, so that a start that was interrupted before counts as none.
        password = make_manager()
    # Rows of workers that were killed would pass for workers that are already up.
    WorkerHeartbeat.objects.filter(name__endswith=f"@{gethostname()}").delete()
    has_demo = Campaign.objects.filter(slug=DEMO_SLUG).exists()
    connections.close_all()
    return Prepared(password, has_demo)


def make_children(port: int) -> list[Child]:
    return [
        Child("web", _web(port)),
        *_workers(),
        Child("beat", [*_celery(), "beat", "--loglevel", "WARNING"]),
    ]


def _is_behind() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _web(port: int) -> list[str]:
    options = {
        "bind": f"{HOST}:{port}",
        "workers": 2,
        "worker-class": "gthread",
        "threads": 4,
        "timeout": 120,
        "graceful-timeout": 3,
        "log-level": "warning",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    # No access log: Django's own request log leaves out queries, which carry platform ids.
    return [
        sys.executable,
        "-m",
        "gunicorn",
        *flags,
        "--preload",
        "--no-control-socket",
        "collector.wsgi:application",
    ]


def _workers() -> list[Child]:
    """Two workers, so that a long batch of candidates never holds up the short tasks."""
    return [
        Child("worker", [*_celery(), *_worker("short", "empanel")]),
        Child("generation", [*_celery(), *_worker("generation", ",".join(settings.WORKER_QUEUES))]),
    ]


def _worker(name: str, queues: str) -> list[str]:
    return [
        "worker",
        *("--hostname", f"{name}@%h"),
        *("--queues", queues),
        *("--pool", "solo"),
        *("--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def _celery() -> list[str]:
    # As root Celery warns in eight lines; docs/running.md says it once.
    return [
        sys.executable,
        "-W",
        "ignore:You're running the worker",
        "-m",
        "celery",
        "--quiet",
        "--app",
        "collector",
    ]
