"""The one way views get a release and its files, in the console and in the API.

A draft is its managers'. Once published, an open release is for everybody who is signed in, a restricted one
for the campaign's people as soon as they agreed to its terms, an internal one for the campaign's people.
"""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from collector.models import Campaign, User
from exports.models import Release, ReleaseFile, ReleaseQuerySet
from exports.terms import needs_terms


class TermsNotAccepted(PermissionDenied):
    """The user may have the file once they agreed to the terms of its release."""


def visible_releases(user: User) -> ReleaseQuerySet:
    """What the user may know of; to managers also what is still being cut."""
    releases: ReleaseQuerySet = Release.objects.readable_by(user)
    return releases.select_related("campaign")


def get_visible_release(user: User, pk: int) -> Release:
    """The release, or Http404 where the user may not see it, just as where there is none."""
    return get_object_or_404(visible_releases(user), pk=pk)


def get_managed_release(user: User, pk: int) -> Release:
    """The release; Http404 where the user may not see it, PermissionDenied where they only read."""
    release = get_visible_release(user, pk)
    if not Campaign.objects.managed_by(user).filter(pk=release.campaign_id).exists():
        raise PermissionDenied(_("Only managers of this campaign may do this."))
    return release


def get_release_file(user: User, release: Release, path: str) -> ReleaseFile:
    """A file of a visible release by the exact path it was written under; nothing else can be reached.

    Raises TermsNotAccepted where the user has to agree to the release's terms first.
    """
    if needs_terms(user, release):
        raise TermsNotAccepted(_("Agree to the terms of this release on its page first."))
    if "\0" in path:  # PostgreSQL would choke on it
        raise Http404
    return get_object_or_404(release.files.select_related("release__campaign"), path=path)
