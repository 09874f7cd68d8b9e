"""Saying that a Celery worker is alive, in the database, where every web host can read it."""

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutdown
from django.db import DatabaseError, connection
from django.utils import timezone

from collector.models import WorkerHeartbeat

BEAT_SECONDS = 5
ALIVE_SECONDS = 20
FORGOTTEN_AFTER = timedelta(days=1)

logger = structlog.get_logger(__name__)
_stopped = threading.Event()


def workers_alive(queue: str, now: datetime) -> bool:
    """Whether a worker that takes tasks from `queue` was seen within the last twenty seconds."""
    return queue in live_queues(now)


def live_queues(now: datetime) -> set[str]:
    """The queues that some worker takes tasks from which was seen within the last twenty seconds."""
    seen = WorkerHeartbeat.objects.filter(seen_at__gt=now - timedelta(seconds=ALIVE_SECONDS))
    return {queue for queues in seen.values_list("queues", flat=True) for queue in queues}


def record_heartbeat(name: str, queues: Iterable[str], now: datetime) -> None:
    """Note that the worker is alive, and forget those not seen for a day."""
    WorkerHeartbeat.objects.update_or_create(name=name, defaults={"queues": sorted(queues), "seen_at": now})
    WorkerHeartbeat.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


def remove_heartbeat(name: str) -> None:
    WorkerHeartbeat.objects.filter(name=name).delete()


@worker_ready.connect
def start_heartbeat(sender: Any, **_: object) -> None:
    queues = [queue.name for queue in sender.task_consumer.queues]
    _stopped.clear()
    # A thread of its own, so that a long batch in the main thread does not look like a dead worker.
    threading.Thread(
        target=_beat_until_stopped, args=(sender.hostname, queues), name="heartbeat", daemon=True
    ).start()


@worker_shutdown.connect
def stop_heartbeat(sender: Any, **_: object) -> None:
    _stopped.set()
    try:
        remove_heartbeat(sender.hostname)
    except DatabaseError:
        logger.warning("heartbeat_not_removed")


def _beat_until_stopped(name: str, queues: list[str]) -> None:
    while not _stopped.is_set():
        try:
            record_heartbeat(name, queues, timezone.now())
        except DatabaseError as error:
            logger.warning("heartbeat_not_written", error=type(error).__name__)
        finally:
            # Kept open, it would hold a server connection, and a stale one after the database restarts.
            connection.close()
        _stopped.wait(BEAT_SECONDS)
