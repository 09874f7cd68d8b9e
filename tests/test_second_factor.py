"""Staff sign in with a password and, where it is set up or required, with a second factor."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from annotations.platform_ids import unseal
from collector.models import Membership, User
from console.accounts import reset_manager
from tests.builders import make_campaign, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "long enough for a test"


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def sign_in(user: User, password: str = PASSWORD) -> tuple[Client, object]:
    client = Client()
    answer = client.post(
        reverse("console:sign_in"), {"username": user.username, "password": password}, follow=True
    )
    return client, answer


def set_up(user: User) -> str:
    """A second factor for the user, set up through the pages; returns its secret."""
    secret, _shown = activate(sign_in(user)[0])
    return secret


def activate(client: Client) -> tuple[str, str]:
    """The app's secret, and the page that is shown when the second step is on."""
    asked = client.get(reverse("mfa_activate_totp"), follow=True)
    page = client.post(asked.redirect_chain[-1][0], {"password": PASSWORD}, follow=True).content.decode()
    secret = re.search(r"code-box[^>]*>([A-Z2-7]{16,})<", page)[1]
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    assert "Recovery codes" in answer.content.decode()
    return secret, answer.content.decode()


@pytest.fixture(autouse=True)
def nobody_has_tried() -> None:
    cache.clear()  # counts tries by the user's key, which every test begins at 1


@pytest.fixture
def required(settings):
    settings.REQUIRE_STAFF_MFA = True


def test_a_password_is_enough_where_nobody_asks_for_more() -> None:
    _client, answer = sign_in(make_user(is_superuser=True, is_staff=True))

    assert answer.redirect_chain[-1][0] == "/console/"


def test_after_the_password_the_app_is_asked_for() -> None:
    user = make_user(is_superuser=True, is_staff=True)
    secret = set_up(user)
    client, answer = sign_in(user)

    assert answer.redirect_chain[-1][0] == reverse("mfa_authenticate")
    assert client.get("/console/").status_code == 302
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200
    assert client.get("/console/").status_code == 302
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.get("/console/").status_code == 200


def test_a_recovery_code_works_once() -> None:
    user = make_user(is_superuser=True, is_staff=True)
    set_up(user)
    recovery = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]

    for expected in (200, 302):
        client, _answer = sign_in(user)
        client.post(reverse("mfa_authenticate"), {"code": recovery})
        assert client.get("/console/").status_code == expected


def test_the_secret_is_sealed_in_the_database() -> None:
    secret = set_up(make_user(is_superuser=True, is_staff=True))
    kept = Authenticator.objects.get(type="totp").data["secret"]

    assert secret not in str(kept)
    assert unseal(kept, purpose="second factors") == secret


def test_recovery_codes_are_shown_once() -> None:
    user = make_user(is_superuser=True, is_staff=True)
    client, _answer = sign_in(user)
    _secret, shown = activate(client)
    code = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]

    assert code in shown
    assert code not in client.get(reverse("mfa_view_recovery_codes")).content.decode()


@pytest.mark.parametrize("path", ["/console/", "/console/tokens/", "/admin/", "/console/new/"])
def test_staff_without_a_second_factor_are_sent_to_set_one_up(required, path: str) -> None:
    client, _answer = sign_in(make_user(is_superuser=True, is_staff=True))

    assert client.get(path).url == reverse("mfa_activate_totp")


def test_it_is_required_of_a_manager_who_is_no_staff_too(required) -> None:
    user = make_user()
    Membership.objects.create(campaign=make_campaign(), user=user, role="manager")
    client, _answer = sign_in(user)

    assert client.get("/console/").url == reverse("mfa_activate_totp")
    assert client.post("/console/tokens/", {"action": "create"}).status_code == 403
    assert client.get("/api/v1/campaigns/").status_code == 403


def test_with_it_they_are_in_and_cannot_switch_it_off(required) -> None:
    user = make_user(is_superuser=True, is_staff=True)
    secret = set_up(user)
    client, _answer = sign_in(user)
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    client.post(reverse("mfa_deactivate_totp"))

    assert client.get("/console/").status_code == 200
    assert Authenticator.objects.filter(user=user, type="totp").exists()


def test_an_annotators_own_account_needs_none(required) -> None:
    client, _answer = sign_in(make_user())

    assert client.get("/console/").status_code == 200


def test_the_admin_has_no_door_of_its_own() -> None:
    answer = Client().get("/admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith(reverse("console:sign_in"))
    assert "next=" in answer.redirect_chain[-1][0]


def test_wrong_passwords_still_lock_out() -> None:
    user = make_user(is_superuser=True, is_staff=True)
    for _attempt in range(8):
        _client, answer = sign_in(user, "wrong")

    assert answer.status_code == 429


def test_signing_in_changes_the_session_and_asks_for_a_safe_address() -> None:
    user = make_user(is_superuser=True, is_staff=True)
    client = Client()
    client.get(reverse("console:sign_in"))
    answer = client.post(
        reverse("console:sign_in") + "?next=https://evil.example/",
        {"username": user.username, "password": PASSWORD},
    )

    assert answer.url == "/console/"


PAGES = [
    "account_login",
    "account_signup",
    "account_change_password",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_generate_recovery_codes",
    "mfa_view_recovery_codes",
    "mfa_deactivate_totp",
    "mfa_reauthenticate",
]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_dressed_and_has_no_script_or_style_within(name: str) -> None:
    user = make_user(is_superuser=True, is_staff=True)
    set_up(user) if "activate" not in name else None
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    text = client.get(reverse(name), follow=True).content.decode()

    assert "site-header" in text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


def test_a_new_password_from_the_operator_switches_the_second_step_off() -> None:
    user = make_user(is_superuser=True, is_staff=True)
    set_up(user)
    password = reset_manager(user.username)
    client, _answer = sign_in(user, password)

    assert client.get("/console/").status_code == 200
