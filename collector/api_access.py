"""The one way API views learn who is asking, and get a campaign on their behalf."""

from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, OuterRef, Subquery, Value, When
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from collector.models import Campaign, CampaignQuerySet, Membership, User


def signed_in_user(request: Request) -> User:
    """The user behind a request that passed authentication, which every view of the API asks for."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


class BearerAuthentication(TokenAuthentication):
    """A knox token in `Authorization: Bearer`; kept hashed, compared in constant time."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        # knox decodes without looking, and a byte that is no UTF-8 would be a crash instead of a refusal.
        if not token.isalnum():
            raise AuthenticationFailed(_("Invalid token."))
        return super().authenticate_credentials(token)


def readable_campaigns(request: Request) -> CampaignQuerySet:
    """Every campaign the user has a part in, with that part as `role`."""
    role = Membership.objects.filter(campaign=OuterRef("pk"), user=request.user.pk).values("role")
    everything = Case(
        When(pk__isnull=False, then=Value(Membership.Role.MANAGER.value)), output_field=CharField()
    )
    annotation = everything if request.user.is_superuser else Subquery(role)
    return Campaign.objects.readable_by(request.user).annotate(role=annotation)


def get_readable_campaign(request: Request, slug: str) -> Campaign:
    """The campaign, or Http404 where the user has no part in it, just as where there is none."""
    return get_object_or_404(readable_campaigns(request), slug=slug)


def get_managed_campaign(request: Request, slug: str) -> Campaign:
    """The campaign; Http404 where the user may not see it, PermissionDenied where they do not manage it."""
    campaign = get_readable_campaign(request, slug)
    if getattr(campaign, "role", None) != Membership.Role.MANAGER:
        raise PermissionDenied(_("Only managers of this campaign may do this."))
    return campaign
