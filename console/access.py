"""The one way a console page gets a campaign on behalf of whoever is signed in."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from collector.models import Campaign, CampaignQuerySet, User
from exports.access import visible_releases
from exports.models import Release


def readable_campaigns(request: HttpRequest) -> CampaignQuerySet:
    campaigns: CampaignQuerySet = Campaign.objects.all()
    return campaigns.readable_by(request.user)


def get_readable_campaign(request: HttpRequest, slug: str) -> Campaign:
    """The campaign, or Http404 where the user has no part in it, just as where there is none."""
    return get_object_or_404(readable_campaigns(request), slug=slug)


def get_managed_campaign(request: HttpRequest, slug: str) -> Campaign:
    """The campaign; Http404 where the user may not see it, PermissionDenied where they do not manage it."""
    campaign = get_readable_campaign(request, slug)
    if not can_manage(request, campaign):
        raise PermissionDenied(_("Only managers of this campaign may do this."))
    return campaign


def can_manage(request: HttpRequest, campaign: Campaign) -> bool:
    campaigns: CampaignQuerySet = Campaign.objects.all()
    return campaigns.managed_by(request.user).filter(pk=campaign.pk).exists()


def get_visible_release(request: HttpRequest, slug: str, version: str) -> Release:
    """A release that is whole; Http404 where the user may not see it or it is still being cut."""
    refuse_nul(version)
    releases = visible_releases(signed_in_user(request)).exclude(state=Release.State.CUTTING)
    return get_object_or_404(releases, campaign__slug=slug, version=version)


def refuse_nul(name: str) -> None:
    """Http404 for a name that no row can have, and that PostgreSQL would choke on."""
    if "\0" in name:
        raise Http404


def signed_in_user(request: HttpRequest) -> User:
    """Who asks; PermissionDenied where nobody is signed in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
