"""Celery: what keeps seats in order while nobody looks, and simulated annotators on request."""

from importlib import import_module

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from annotations import assignment, jury, retention, simulation, summaries
from annotations.enrolment import Refused
from annotations.profiles import send_summary
from collector.models import Campaign

log = structlog.get_logger(__name__)


@shared_task
def expire_seats() -> int:
    """Gives back the places of seats whose hold ran out."""
    return assignment.expire_seats(timezone.now())


@shared_task
def delete_old_ids() -> None:
    """Forgets the platform ids of whoever was paid long enough ago, and visits that came to nothing."""
    now = timezone.now()
    deleted = retention.delete_old_ids(now)
    retention.delete_spent_tokens(now)
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    if deleted:
        log.info("platform_ids_deleted", ids=deleted)


@shared_task
def seat_ready_prompts() -> int:
    """Opens places on prompts whose candidates are all there, in every campaign that gives out seats."""
    running = Campaign.objects.filter(state__in=[Campaign.State.OPEN, Campaign.State.PAUSED])
    return sum(jury.seat_ready_prompts(campaign) for campaign in running)


@shared_task
def summarise_profile(summary_id: int) -> bool:
    """Has a generator put one person's words about their values into a few sentences."""
    return summaries.summarise(summary_id, now=timezone.now())


@shared_task
def sweep_summaries() -> None:
    """Sends those again whose message seems lost, or whose worker fell silent."""
    for key, queue in summaries.lost_summaries(timezone.now()):
        # One that nobody took in time is dropped: the next sweep sends another, and none pile up.
        send_summary(key, queue, expires=settings.SWEEP_SECONDS)


@shared_task
def simulate_annotators(campaign_id: int, annotators: int, seed: int = 0) -> None:
    """Lets simulated annotators rate; run twice, the same ones go on where they were."""
    campaign = Campaign.objects.get(pk=campaign_id)
    try:
        summary = simulation.simulate(campaign, annotators, seed=seed, now=timezone.now())
    except Refused:
        log.info("simulation_refused", campaign=campaign.slug, state=campaign.state)
        return
    log.info("simulated", campaign=campaign.slug, **summary._asdict())
