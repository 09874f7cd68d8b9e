"""Keeps staff without a second factor out of everything but the page on which they set one up."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from collector.models import Membership, User


def is_staff(user: User | AnonymousUser) -> bool:
    """Whether the account can see anything but its own: staff, and who has a part in a campaign."""
    if not user.is_authenticated:
        return False
    return user.is_staff or user.is_superuser or Membership.objects.filter(user=user).exists()


class SecondFactorMiddleware:
    """Where REQUIRE_STAFF_MFA says so, signed-in staff go nowhere before they have a second factor.

    API tokens are not sessions and go on: they were made by somebody who had one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_STAFF_MFA and _is_guarded(request.path) and _lacks_factor(request):
            if request.method != "GET" or request.path.startswith("/api/"):
                raise PermissionDenied
            return redirect("mfa_activate_totp")
        return self.get_response(request)


def _is_guarded(path: str) -> bool:
    guarded = (reverse("console:campaigns"), reverse("admin:index"), "/api/")
    return path.startswith(guarded) and path != reverse("console:sign_out")


def _lacks_factor(request: HttpRequest) -> bool:
    user = request.user
    return is_staff(user) and not is_mfa_enabled(user)
