"""Celery: cutting releases away from the request that asked for them."""

from datetime import datetime, timedelta

import structlog
from celery import shared_task
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from collector.models import Campaign, User
from exports import releases
from exports.models import Release

# A cut that began this long ago and is not done lost its worker; the sweeper has it start over.
PATIENCE = timedelta(minutes=10)
log = structlog.get_logger(__name__)


class VersionExists(Exception):
    """The campaign has a release of this version already."""


def request_release(
    campaign: Campaign, version: str, *, user: User | None, include_simulated: bool = True, now: datetime
) -> Release:
    """A release that a worker will cut: until then its state is `cutting`.

    Raises InvalidVersion or VersionExists. A broker that is down costs only the message, which is sent again.
    """
    if not releases.VERSION.match(version) or ".." in version:
        raise releases.InvalidVersion(_("A version looks like 1.0.0."))
    try:
        with transaction.atomic():
            release = Release.objects.create(
                campaign=campaign,
                version=version,
                cutoff=now,
                created_by=user,
                manifest={"include_simulated": include_simulated},
            )
    except IntegrityError as error:
        said = _("There is a release %(version)s already, and releases never change.") % {"version": version}
        raise VersionExists(said) from error
    transaction.on_commit(lambda: cut_release.delay(release.pk), robust=True)
    return release


@shared_task
def cut_release(release_id: int) -> None:
    """Cuts a release that is still `cutting`; run twice, one of them wins."""
    cutting = Release.objects.filter(pk=release_id, state=Release.State.CUTTING)
    release = cutting.select_related("campaign", "created_by").first()
    if release is None:
        return
    include_simulated = release.manifest.get("include_simulated", True)
    try:
        releases.cut_release(
            release.campaign, release.version, include_simulated=include_simulated, now=timezone.now()
        )
    except releases.ReleaseChanged as error:
        log.info("release_not_cut", release=release_id, reason=str(error))
        return
    log.info("release_cut", campaign=release.campaign.slug, version=release.version)


@shared_task
def sweep_releases() -> int:
    """Starts cuts over that have been unfinished for long; returns how many."""
    lost = Release.objects.filter(state=Release.State.CUTTING, cutoff__lt=timezone.now() - PATIENCE)
    keys = list(lost.values_list("pk", flat=True))
    for key in keys:
        cut_release.delay(key)
    return len(keys)
