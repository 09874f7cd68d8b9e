"""Addresses of accounts: signing in, an annotator's own account, passwords and second factors."""

from allauth.account import views
from allauth.mfa.totp.views import activate_totp
from csp.decorators import csp_update
from django.urls import include, path

from console import accounts_pages

urlpatterns = [
    path("sign-in/", accounts_pages.SignIn.as_view(), name="account_login"),
    path("sign-out/", accounts_pages.SignOut.as_view(), name="account_logout"),
    path("sign-up/", accounts_pages.SignUp.as_view(), name="account_signup"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("delete/", accounts_pages.delete_account, name="account_delete"),
    path("password/", views.password_change, name="account_change_password"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    # The square that a phone's camera reads is a picture within the page.
    path("security/totp/activate/", csp_update({"img-src": ["data:"]})(activate_totp)),
    path("security/", include("allauth.mfa.urls")),
]
