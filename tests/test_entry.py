"""Each way into a campaign, who it lets in, and that nobody takes over somebody else's session."""

import hashlib
import hmac
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from annotations.entry import WAYS, make_token
from annotations.entry.panel import panel_secret
from annotations.models import Annotator, Identity, Recruitment
from annotations.platform_ids import seal, unseal, unseal_id
from collector.models import Campaign, User
from tests.builders import make_open_campaign, make_user
from tests.people import Person

pytestmark = pytest.mark.django_db
PASSWORD = "long enough for a test"
Source = Annotator.Source
EVERY_WAY = [source.value for source in Source if source in WAYS]


def signed(campaign: Campaign, person: str) -> dict[str, str]:
    """As the documentation tells a panel to do it."""
    secret = panel_secret(Recruitment.objects.get(campaign=campaign))
    message = f"{campaign.slug}:{person}".encode()
    return {"id": person, "sig": hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()}


# --- panels ----------------------------------------------------------------------------------------


def test_a_panels_signature_lets_its_member_in_and_back_in() -> None:
    campaign = make_open_campaign()
    query = signed(campaign, "member 7")
    Person(campaign).join(**query).agree().skip_profile()
    elsewhere = Person(campaign).join(**query)

    assert elsewhere.is_rating
    assert Annotator.objects.get().source == Source.PANEL
    assert "id_unverified" not in Annotator.objects.get().flags


def test_the_same_member_by_token_or_signature_is_one_person() -> None:
    campaign = make_open_campaign()
    Person(campaign).join(token=make_token(campaign, "7")).agree()
    Person(campaign).join(**signed(campaign, "7"))

    assert Annotator.objects.count() == 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda good, other: good | {"id": "8"},
        lambda good, other: good | {"sig": ""},
        lambda good, other: good | {"sig": "0" * 64},
        lambda good, other: good | {"sig": "é"},
        lambda good, other: {"sig": good["sig"]},
        lambda good, other: other,
        lambda good, other: good | {"token": "nonsense"},
    ],
)
def test_a_forged_signature_is_refused(forge) -> None:
    campaign = make_open_campaign()
    query = forge(signed(campaign, "7"), signed(make_open_campaign(), "7"))

    assert Person(campaign).join(**query).response.status_code == 403


def test_an_empty_id_is_nobody_even_when_signed() -> None:
    campaign = make_open_campaign()

    assert Person(campaign).join(**signed(campaign, "")).response.status_code == 403


def test_a_new_secret_ends_the_old_links() -> None:
    campaign = make_open_campaign()
    query = signed(campaign, "7")
    Recruitment.objects.update(panel_key_version=2)

    assert Person(campaign).join(**query).response.status_code == 403
    assert Person(campaign).join(**signed(campaign, "7")).response.status_code == 200


# --- Mechanical Turk -------------------------------------------------------------------------------


def turk_campaign() -> Campaign:
    return make_open_campaign(recruitment={"ways": EVERY_WAY, "keep_ids": True})


def test_a_workers_preview_keeps_nothing() -> None:
    person = Person(turk_campaign()).join(assignmentId="ASSIGNMENT_ID_NOT_AVAILABLE", hitId="h")

    assert "only a preview" in person.text
    assert not Session.objects.exists()


def test_a_worker_comes_in_flagged_with_the_assignment_sealed() -> None:
    person = Person(turk_campaign()).join(workerId="A1", assignmentId="3X", hitId="h").agree()

    assert person.annotator.flags == ["id_unverified"]
    assert unseal_id(Identity.objects.get().sealed) == ("A1", "3X")


def test_a_worker_cannot_come_back_by_an_id_that_nothing_proves() -> None:
    campaign = turk_campaign()
    Person(campaign).join(workerId="A1", assignmentId="3X").agree()

    assert "already taken part" in Person(campaign).join(workerId="A1", assignmentId="3Y").text


# --- accounts --------------------------------------------------------------------------------------


def test_an_account_resumes_on_another_device() -> None:
    campaign = turk_campaign()
    person = Person(campaign).join(account="1")
    assert person.response.redirect_chain[-1][0].startswith(reverse("account_login"))
    sign_up = reverse("account_signup") + f"?next=/join/{campaign.slug}/%3Faccount%3D1"
    fields = {"username": "bee", "password1": PASSWORD, "password2": PASSWORD}
    person.response = person.client.post(sign_up, fields, follow=True)
    person.agree().skip_profile()
    elsewhere = Person(campaign)
    elsewhere.client.post(reverse("account_login"), {"username": "bee", "password": PASSWORD})

    assert person.annotator.source == Source.ACCOUNT
    assert elsewhere.join(account="1").is_rating


def test_nobody_makes_an_account_where_no_campaign_takes_them() -> None:
    make_open_campaign()
    fields = {"username": "bee", "password1": PASSWORD, "password2": PASSWORD}
    answer = Client().post(reverse("account_signup"), fields)

    assert "No accounts are made here" in answer.content.decode()


def test_an_account_can_be_deleted_by_its_owner_and_staff_stay() -> None:
    owner, staff = make_user(), make_user(is_staff=True)
    for user, status in ((owner, 302), (staff, 403)):
        client = Client()
        client.post(reverse("account_login"), {"username": user.username, "password": PASSWORD})
        assert client.get(reverse("account_delete")).status_code == (403 if user == staff else 200)
        assert client.post(reverse("account_delete")).status_code == status
        assert ("_auth_user_id" in client.session) == (user == staff)

    assert list(User.objects.all()) == [staff]


def test_an_account_sees_no_campaign_in_the_console() -> None:
    campaign = make_open_campaign()
    client = Client()
    client.post(reverse("account_login"), {"username": make_user().username, "password": PASSWORD})

    assert campaign.title not in client.get("/console/").content.decode()
    assert client.get(f"/console/c/{campaign.slug}/").status_code == 404


# --- which ways a campaign allows --------------------------------------------------------------------

QUERIES = {
    Source.LINK: lambda campaign: {},
    Source.PROLIFIC: lambda campaign: {"PROLIFIC_PID": "5f"},
    Source.MTURK: lambda campaign: {"workerId": "A1"},
    Source.PANEL: lambda campaign: signed(campaign, "7"),
    Source.INVITATION: lambda campaign: {"code": "x"},
    Source.ACCOUNT: lambda campaign: {"account": "1"},
}


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_way_that_is_not_allowed_lets_nobody_in(way: str) -> None:
    others = [other for other in EVERY_WAY if other != way]
    campaign = make_open_campaign(recruitment={"ways": others})
    person = Person(campaign).join(**QUERIES[way](campaign)).agree()

    assert not Annotator.objects.filter(source=way).exists()
    assert "By invitation only" in Person(campaign).join(**QUERIES[way](campaign)).text
    assert person.response.status_code != 500


def test_without_the_open_link_consent_alone_lets_nobody_in() -> None:
    campaign = make_open_campaign(recruitment={"ways": ["invitation"]})
    person = Person(campaign).agree()

    assert person.response.status_code == 403
    assert not Annotator.objects.exists()


def test_campaigns_from_before_go_on_by_unverified_ids() -> None:
    campaign = make_open_campaign()
    Recruitment.objects.all().delete()
    migration = import_module("annotations.migrations.0004_ways_in_stay_as_they_were")
    migration.keep_ways(apps, None)

    assert Person(campaign).join(PROLIFIC_PID="5f").agree().annotator.flags == ["id_unverified"]


# --- whose session it is -----------------------------------------------------------------------------


def test_a_second_person_at_the_same_browser_does_not_go_on_as_the_first() -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join(**signed(campaign, "first")).agree().skip_profile()
    first = person.annotator
    person.join(**signed(campaign, "second")).agree().skip_profile()

    assert person.annotator != first
    assert Annotator.objects.count() == 2


def test_a_second_unverified_id_does_not_either() -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join(PROLIFIC_PID="first").agree().skip_profile()
    first = person.annotator
    person.join(PROLIFIC_PID="second").agree()

    assert person.annotator != first


def test_the_same_browser_goes_on_by_its_own_link_and_by_the_plain_one() -> None:
    campaign = make_open_campaign()
    person = Person(campaign).join(PROLIFIC_PID="first").agree().skip_profile()
    seat = person.nonce

    assert person.join(PROLIFIC_PID="first").nonce == seat
    assert person.join().nonce == seat


def test_a_session_prepared_by_somebody_else_is_not_theirs_afterwards() -> None:
    campaign = make_open_campaign()
    victim = Person(campaign).join(**signed(campaign, "victim"))
    planted = victim.client.cookies["empanel"].value
    victim.agree().skip_profile()
    attacker = Client()
    attacker.cookies["empanel"] = planted

    assert victim.client.cookies["empanel"].value != planted
    assert attacker.get(f"/c/{campaign.slug}/rate/").url == f"/c/{campaign.slug}/consent/"


def test_coming_back_changes_the_session_too() -> None:
    campaign = make_open_campaign()
    Person(campaign).join(**signed(campaign, "7")).agree()
    person = Person(campaign).join(PROLIFIC_PID="x")
    before = person.client.cookies["empanel"].value
    person.join(**signed(campaign, "7"))

    assert person.client.cookies["empanel"].value != before


def test_who_does_not_agree_is_forgotten_within_hours() -> None:
    campaign = make_open_campaign()
    visitor = Person(campaign).join(PROLIFIC_PID="first")
    annotator = Person(campaign).join(PROLIFIC_PID="second").agree()

    assert visitor.client.session.get_expiry_age() == 2 * 60 * 60
    assert annotator.client.session.get_expiry_age() > 20 * 24 * 60 * 60
    assert not annotator.client.session["entries"]


# --- sealing -----------------------------------------------------------------------------------------


def test_ids_are_sealed_only_where_the_campaign_keeps_them() -> None:
    for keep_ids in (True, False):
        campaign = make_open_campaign(recruitment={"keep_ids": keep_ids})
        Person(campaign).join(PROLIFIC_PID="5f2b8c1e", SESSION_ID="s").agree()

    kept, hashed = Identity.objects.order_by("pk")
    assert unseal_id(kept.sealed) == ("5f2b8c1e", "s")
    assert "5f2b8c1e" not in kept.sealed
    assert hashed.sealed == ""


def test_what_is_sealed_opens_only_for_its_purpose_and_under_its_key(settings) -> None:
    sealed = seal("a secret", purpose="one")

    assert unseal(sealed, purpose="one") == "a secret"
    with pytest.raises(ValueError, match="another key"):
        unseal(sealed, purpose="two")
    settings.IDENTITY_KEY = "x" * 40
    with pytest.raises(ValueError, match="another key"):
        unseal(sealed, purpose="one")
