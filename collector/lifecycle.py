"""draft -> open -> paused -> closed: the only functions that change a campaign's state."""

from datetime import datetime
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from collector.models import Campaign, Criterion
from collector.rating_form import current_form

State = Campaign.State


class WrongState(Exception):
    """The campaign is not in a state from which this step can be taken."""


class NotReady(Exception):
    """The campaign lacks something without which it cannot open; `missing` says what, in words."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(" ".join(missing))
        self.missing = missing


def open_campaign(campaign: Campaign, *, now: datetime) -> None:
    """Lets annotators in, for the first time or again; raises NotReady or WrongState."""
    if missing := missing_for_opening(campaign):
        raise NotReady(missing)
    _move(
        campaign, {State.DRAFT, State.PAUSED, State.CLOSED}, State.OPEN, opened_at=campaign.opened_at or now
    )
    current_form(campaign)
    # Hints, so that what later applications do for an open campaign does not wait for their next sweep.
    for task in settings.TASKS_AFTER_OPENING:
        transaction.on_commit(partial(current_app.send_task, task), robust=True)


def pause_campaign(campaign: Campaign) -> None:
    """Gives out no new seats; ballots for seats already held are still taken."""
    _move(campaign, {State.OPEN}, State.PAUSED)


def close_campaign(campaign: Campaign, *, now: datetime) -> None:
    """Takes no more ballots."""
    _move(campaign, {State.DRAFT, State.OPEN, State.PAUSED}, State.CLOSED, closed_at=now)


def missing_for_opening(campaign: Campaign) -> list[str]:
    """Every reason why the campaign cannot open, from all applications' checks."""
    return [reason for check in settings.OPENING_CHECKS for reason in import_string(check)(campaign)]


def missing_content(campaign: Campaign) -> list[str]:
    """What is missing of prompts, criteria and candidates."""
    missing = []
    if not campaign.criteria.filter(kind__in=Criterion.RATED).exists():
        missing.append(_("Add at least one criterion, so that there is something to rate."))
    if not campaign.prompts.judged().exists():
        missing.append(_("Add prompts."))
    if not campaign.generators.exists():
        missing.append(_("Add a generator, or import candidates."))
    return missing


def _move(campaign: Campaign, sources: set[State], target: State, **changes: datetime) -> None:
    """Compare and set, so that two people pressing two buttons take one step, not two."""
    moved = Campaign.objects.filter(pk=campaign.pk, state__in=sources).update(state=target, **changes)
    if not moved:
        campaign.refresh_from_db(fields=["state"])
        raise WrongState(
            _("This campaign is %(state)s and cannot become %(target)s.")
            % {"state": campaign.get_state_display(), "target": target.label}
        )
    campaign.refresh_from_db(fields=["state", *changes])
