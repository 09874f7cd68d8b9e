"""The one way views get a release and its files."""

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from collector.models import Campaign, User
from exports.models import Release, ReleaseFile, ReleaseQuerySet


def visible_releases(user: User) -> ReleaseQuerySet:
    """What `readable_by` gives, and to managers also what is still being cut."""
    managed = Campaign.objects.managed_by(user)
    published = Q(campaign__in=Campaign.objects.readable_by(user), state=Release.State.PUBLISHED)
    return Release.objects.filter(Q(campaign__in=managed) | published).select_related("campaign")


def get_visible_release(user: User, pk: int) -> Release:
    """The release, or Http404 where the user may not see it, just as where there is none."""
    return get_object_or_404(visible_releases(user), pk=pk)


def get_managed_release(user: User, pk: int) -> Release:
    """The release; Http404 where the user may not see it, PermissionDenied where they only read."""
    release = get_visible_release(user, pk)
    if not Campaign.objects.managed_by(user).filter(pk=release.campaign_id).exists():
        raise PermissionDenied(_("Only managers of this campaign may do this."))
    return release


def get_release_file(user: User, pk: int, path: str) -> ReleaseFile:
    """A file by the exact path it was written under; nothing else in the store can be reached."""
    if "\0" in path:  # PostgreSQL would choke on it
        raise Http404
    files = ReleaseFile.objects.filter(release__in=visible_releases(user)).select_related("release__campaign")
    return get_object_or_404(files, release=pk, path=path)
