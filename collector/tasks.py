"""Celery's way into generation: ids in, the functions of `generation.py` called. Any task may run twice."""

from celery import shared_task
from celery.worker import state as worker_state
from django.conf import settings
from django.utils import timezone

from collector.generation import sweep, work_turn
from collector.marking import mark_for
from collector.queues import is_newest
from collector.scheduling import Loaded

_loaded: Loaded | None = None  # what this process holds in memory


@shared_task
def generate_batch(queue: str, ticket: int = 0) -> None:
    """Works batches of the queue off for a while, unless a newer message about it is on its way."""
    global _loaded
    if is_newest(queue, ticket):
        turn = work_turn(queue, ticket, _loaded, clock=timezone.now, goes_on=_is_wanted)
        _loaded = turn.loaded


@shared_task
def sweep_generation() -> None:
    """Publishes what the database says is unfinished and nobody works on."""
    sweep(timezone.now())


@shared_task
def mark_candidates() -> None:
    """Compares and flags what is done, for half the time until the next of these comes."""
    mark_for(settings.SWEEP_SECONDS / 2, timezone.now)


def _is_wanted() -> bool:
    """False once the worker was told to stop; 0 is an exit status here."""
    asked = (worker_state.should_stop, worker_state.should_terminate)
    return all(status is None or status is False for status in asked)
