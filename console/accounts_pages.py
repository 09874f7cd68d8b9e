"""The front page, signing in and out, and a user's own tokens."""

from typing import Any

import structlog
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.account.views import SignupView
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_ratelimit.decorators import ratelimit
from knox.models import AuthToken

from console.access import refuse_nul, signed_in_user
from console.account_adapter import AccountAdapter
from console.second_factor import is_staff

log = structlog.get_logger(__name__)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, for whoever is not signed in."""
    if request.user.is_authenticated:
        return redirect("console:campaigns")
    return render(request, "console/home.html")


class SignIn(LoginView):
    template_name = "console/sign_in.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The password is right; whoever has a second factor is asked for it next."""
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_redirect_url() or None)
        return perform_password_login(self.request, {"username": user.get_username()}, login)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        can_sign_up = AccountAdapter(self.request).is_open_for_signup(self.request)
        return super().get_context_data(can_sign_up=can_sign_up, **kwargs)


@method_decorator(ratelimit(key="ip", rate="20/h", method="POST", block=True), name="dispatch")
class SignUp(SignupView):
    """An annotator's own account: a name and a password, nothing else."""


class SignOut(LogoutView):
    http_method_names = ["post", "options"]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete_account(request: HttpRequest) -> HttpResponse:
    """An annotator's own account; what they gave to studies they withdraw on the page of their data."""
    if is_staff(request.user):
        raise PermissionDenied(_("Accounts of staff are removed by the operator."))
    if request.method == "POST":
        account = signed_in_user(request)
        logout(request)
        account.delete()
        return redirect("console:home")
    return render(request, "account/delete.html")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """A new token is shown in the answer that made it, and never again: only its hash is kept."""
    context: dict[str, Any] = {"nav": "tokens"}
    match request.POST.get("action"):
        case "create":
            token, context["new_token"] = AuthToken.objects.create(request.user)
            log.info("token_created", user=request.user.pk, token=token.token_key)
        case "revoke":
            _revoke(request, request.POST.get("token", ""))
            return redirect("console:tokens")
    own = AuthToken.objects.filter(user=request.user).order_by("-created")
    context["tokens"] = [
        {
            "id": token.token_key,
            "prefix": token.token_key,
            "created_on": token.created,
            "expires_on": token.expiry,
        }
        for token in own
    ]
    return render(request, "console/tokens.html", context)


def _revoke(request: HttpRequest, token_key: str) -> None:
    refuse_nul(token_key)
    removed, _rows = AuthToken.objects.filter(user=request.user, token_key=token_key[:100]).delete()
    if removed:
        log.info("token_revoked", user=request.user.pk, token=token_key)
        messages.success(request, _("The token is revoked."))
