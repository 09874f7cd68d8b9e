"""Queues of generation work: which have some, telling a worker of it, and which have no worker.

A message names a queue and carries a ticket. Only the newest ticket of a queue counts, the others are
dropped unread: however often a queue is published, there is never more than one message that does work.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from collector.celery import app
from collector.heartbeat import live_queues
from collector.models import Candidate, GenerationQueue, GenerationRun, GenerationRunQuerySet

# Where nobody is there to read a message, sending it again and again only fills the broker.
PATIENCE_WITHOUT_WORKER = timedelta(minutes=10)


def publish_queue(name: str, now: datetime, *, ticket: int | None = None) -> bool:
    """Tells one worker that the queue has work, once the transaction is through.

    With `ticket`, the one that the caller holds, only if it is still the newest. False where someone else
    published in the meantime, which is as good.
    """
    if ticket is None:
        ticket = GenerationQueue.objects.get_or_create(name=name)[0].ticket
    newest = GenerationQueue.objects.filter(name=name, ticket=ticket)
    if not newest.update(ticket=F("ticket") + 1, published_at=now):
        return False
    # Robust: a broker that is down costs the message, which the sweeper sends again.
    transaction.on_commit(
        lambda: app.send_task("collector.tasks.generate_batch", [name, ticket + 1], queue=name), robust=True
    )
    return True


def is_newest(name: str, ticket: int) -> bool:
    return GenerationQueue.objects.filter(name=name, ticket=ticket).exists()


def has_work(name: str, now: datetime) -> bool:
    return GenerationRun.objects.with_work(now).filter(generator__queue=name).exists()


def queues_with_work(now: datetime) -> list[str]:
    return _names(GenerationRun.objects.with_work(now))


def publish_lost(now: datetime) -> int:
    """Publishes the queues again that have work and whose message seems lost; returns how many.

    While some worker holds a batch of the queue, the message probably waits its turn behind it: it counts
    as lost only after a lease's time, otherwise after SWEEP_SECONDS.
    """
    held = Candidate.objects.unfinished().filter(lease_token__isnull=False, lease_until__gte=now)
    at_work = set(held.order_by().values_list("generator__queue", flat=True).distinct())
    known = {queue.name: queue for queue in GenerationQueue.objects.all()}
    alive = live_queues(now)
    published = 0
    for name in queues_with_work(now):
        queue = known.get(name)
        patience = timedelta(seconds=settings.SWEEP_SECONDS)
        if name in at_work:
            patience = max(patience, timedelta(seconds=settings.GENERATION_LEASE_SECONDS))
        if name not in alive:
            patience = PATIENCE_WITHOUT_WORKER
        if queue is None or queue.published_at is None or queue.published_at <= now - patience:
            published += publish_queue(name, now)
    return published


def active_queues() -> list[str]:
    """The queues that have an active run, whether or not there is anything to claim at the moment."""
    return _names(GenerationRun.objects.active())


def stranded_queues(now: datetime) -> list[str]:
    """The queues that have an active run and no live worker."""
    alive = live_queues(now)
    return [name for name in active_queues() if name not in alive]


def _names(runs: GenerationRunQuerySet) -> list[str]:
    return list(runs.order_by("generator__queue").values_list("generator__queue", flat=True).distinct())
