"""Celery's way into generation: ids in, the functions of `generation.py` called. Any task may run twice."""

from celery import shared_task
from django.utils import timezone

from collector.generation import advance_run, sweep
from collector.models import GenerationRun


@shared_task
def generate_batch(run_id: int) -> None:
    """Works one batch of the run off, and passes it on while work is left."""
    runs = GenerationRun.objects.select_related("generator__campaign")
    run = runs.filter(pk=run_id, state__in=GenerationRun.ACTIVE).first()
    if run is not None:
        advance_run(run, now=timezone.now())


@shared_task
def sweep_generation() -> None:
    """Publishes what the database says is unfinished and nobody works on."""
    sweep(timezone.now())
