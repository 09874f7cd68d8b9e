"""Whether this Empanel lives, whether it can do its work, and its numbers for Prometheus."""

import hmac
import ipaddress
import os
from collections.abc import Callable
from datetime import datetime

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from collector.heartbeat import workers_alive
from collector.metrics import all_metrics, to_prometheus
from collector.queues import active_queues

OK = "ok"


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Each check as "ok" or what is wrong in words; status 503 unless all are ok."""
    checks = run_checks()
    ready = all(words == OK for words in checks.values())
    return JsonResponse(
        {"status": OK if ready else "not ready", "checks": checks}, status=200 if ready else 503
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not _may_read_metrics(request):
        return HttpResponse(
            "metrics are for this machine or holders of METRICS_TOKEN\n", "text/plain", status=403
        )
    return HttpResponse(to_prometheus(all_metrics()), content_type="text/plain; version=0.0.4; charset=utf-8")


def run_checks() -> dict[str, str]:
    """Each check with "ok" or what is wrong; what cannot be known without the database is left out."""
    checks = {"database": _words(_check_database), "broker": _words(_check_broker)}
    if checks["database"] != OK:
        return checks
    checks["migrations"] = _words(_check_migrations)
    if checks["migrations"] == OK:
        now = timezone.now()
        checks |= {f"worker {queue}": _check_worker(queue, now) for queue in worker_queues()}
    return checks


def worker_queues() -> list[str]:
    """The queues that need a worker: those that are always used, and those with candidates to make."""
    routed = (str(route["queue"]) for route in settings.CELERY_TASK_ROUTES.values())
    always = (settings.CELERY_TASK_DEFAULT_QUEUE, *routed, *settings.WORKER_QUEUES)
    return sorted({*always, *active_queues()})


def _words(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, redis.RedisError, OSError) as error:
        # The message of a driver may quote an address with a password in it.
        return f"unreachable ({type(error).__name__})"


def _check_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _check_broker() -> str:
    if settings.REDIS_URL:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as client:
            client.ping()
        return OK
    return (
        OK if os.access(settings.BROKER_DIR, os.R_OK | os.W_OK) else f"{settings.BROKER_DIR} is not writable"
    )


def _check_migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied; run manage.py migrate" if missing else OK


def _check_worker(queue: str, now: datetime) -> str:
    return OK if workers_alive(queue, now) else f'no worker is taking tasks from the queue "{queue}"'


def _may_read_metrics(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme == "Bearer":
        return hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
    # A proxy on this machine also comes from a loopback address, but says for whom.
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    return _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
