"""Platform ids are kept for a while after payment, so that mistakes can be mended, and then deleted."""

from datetime import datetime, timedelta

from django.db.models import Q

from annotations.models import Identity, Recruitment, SpentToken
from annotations.recruitment import recruitment_of
from collector.models import Campaign


def delete_old_ids(now: datetime) -> int:
    """Deletes the platform ids of whoever was paid N days ago, N being the campaign's own; returns how many.

    Who is owed nothing (they finished nothing) is forgotten N days after the campaign closed. From then on
    only the withdrawal code, or the browser they came with, says which ratings are whose.
    """
    with_ids = Campaign.objects.filter(pk__in=Identity.objects.order_by().values("campaign"))
    return sum(_delete_of(campaign, recruitment_of(campaign), now) for campaign in with_ids)


def delete_spent_tokens(now: datetime) -> int:
    """Deletes the marks of links that would have ended by now in any case."""
    return SpentToken.objects.filter(expires_at__lt=now).delete()[0]


def _delete_of(campaign: Campaign, rules: Recruitment, now: datetime) -> int:
    before = now - timedelta(days=rules.retention_days)
    is_due = Q(annotator__completion__paid_at__lt=before)
    if campaign.closed_at and campaign.closed_at < before:
        is_due |= Q(annotator__completion=None)
    return Identity.objects.filter(is_due, campaign=campaign).delete()[0]
