"""Who may have which release: by tier and role, in the API and on the page; and who was sent what."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from collector.models import Membership
from exports.models import Download, Release, TermsAcceptance
from exports.releases import cut_release
from tests.api_client import client_for, error_of
from tests.builders import make_user
from tests.crowds import POLICY, crowd, make_study

pytestmark = pytest.mark.django_db
PAGE = "/console/c/study/releases/1.0/"
FILE = "data/ratings.parquet"
ROLES = ("anonymous", "stranger", "researcher", "manager")


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    cache.clear()
    own = settings.RELEASE_STORAGE | {"OPTIONS": {"location": tmp_path / "releases", "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"releases": own}


def make_release(tmp_path, tier):
    """A published release of the tier, and somebody of each role."""
    study = make_study(tmp_path / "source", crowd(), privacy=POLICY | {"tier": tier})
    release = cut_release(study, "1.0", now=timezone.now())
    Release.objects.update(state="published", published_at=timezone.now())
    people = {name: make_user(name) for name in ROLES[1:]}
    for name in ("researcher", "manager"):
        Membership.objects.create(user=people[name], campaign=study, role=name)
    return release, {"anonymous": None} | people


def by_api(release, user, address=f"files/{FILE}"):
    return client_for(user).get(f"/api/v1/releases/{release.pk}/{address}").status_code


def by_page(client, user, address=f"files/{FILE}"):
    if user:
        client.force_login(user)
    return client.get(PAGE + address).status_code


#                      anonymous, stranger, researcher, manager
FILES = {
    "open": (401, 200, 200, 200),
    "restricted": (401, 404, 403, 200),  # the researcher has not agreed to the terms yet
    "internal": (401, 404, 200, 200),
}
PAGES = {
    "open": (302, 200, 200, 200),
    "restricted": (302, 404, 200, 200),
    "internal": (302, 404, 200, 200),
}


@pytest.mark.parametrize("tier", FILES)
def test_role_by_tier(tmp_path, client, tier):
    release, people = make_release(tmp_path, tier)
    users = [people[name] for name in ROLES]

    assert tuple(by_api(release, user) for user in users) == FILES[tier]
    assert tuple(by_api(release, user, "metrics/") for user in users) == FILES[tier]
    assert tuple(by_page(client, user) for user in users) == (302, *FILES[tier][1:])
    client.logout()
    assert tuple(by_page(client, user, "") for user in users) == PAGES[tier]


@pytest.mark.parametrize("tier", FILES)
def test_a_draft_is_its_managers(tmp_path, client, tier):
    release, people = make_release(tmp_path, tier)
    Release.objects.update(state="draft")
    users = [people[name] for name in ROLES]

    assert tuple(by_api(release, user) for user in users) == (401, 404, 404, 200)
    assert tuple(by_page(client, user) for user in users) == (302, 404, 404, 200)


def test_terms_are_accepted_once_and_open_page_and_api(tmp_path, client):
    release, people = make_release(tmp_path, "restricted")
    client.force_login(people["researcher"])
    page = client.get(PAGE).content.decode()
    assert "I do not try to find out who anybody is" in page
    assert "Agreement (Krippendorff" not in page  # a release's own numbers are of it

    assert client.post(f"{PAGE}terms/").status_code == 400
    assert client.post(f"{PAGE}terms/", {"agree": "on"})["Location"] == PAGE
    client.post(f"{PAGE}terms/", {"agree": "on"})

    acceptance = TermsAcceptance.objects.get()
    assert (acceptance.user, acceptance.release) == (people["researcher"], release)
    assert "research only" in acceptance.terms
    assert (by_api(release, people["researcher"]), by_page(client, people["researcher"])) == (200, 200)
    assert "I agree to these terms" not in client.get(PAGE).content.decode()


def test_terms_are_of_one_release(tmp_path, client):
    release, people = make_release(tmp_path, "restricted")
    client.force_login(people["researcher"])
    client.post(f"{PAGE}terms/", {"agree": "on"})
    second = cut_release(release.campaign, "2.0", now=timezone.now())
    Release.objects.update(state="published")

    assert by_api(second, people["researcher"]) == 403


def test_terms_are_no_way_in(tmp_path, client):
    _release, people = make_release(tmp_path, "restricted")
    client.force_login(people["stranger"])

    assert client.post(f"{PAGE}terms/", {"agree": "on"}).status_code == 404
    assert not TermsAcceptance.objects.exists()


def test_the_api_says_what_to_do(tmp_path):
    release, people = make_release(tmp_path, "restricted")
    response = client_for(people["researcher"]).get(f"/api/v1/releases/{release.pk}/files/{FILE}")

    assert "Agree to the terms" in error_of(response, 403)["message"]


def test_what_was_sent_is_kept_and_shown_to_managers_alone(tmp_path, client):
    release, people = make_release(tmp_path, "open")
    by_api(release, people["stranger"])
    by_api(release, people["stranger"], "metrics/")
    by_page(client, people["researcher"], "files/README.md")

    sent = Download.objects.order_by("pk").values_list("user__username", "path", "release__version")
    assert list(sent) == [
        ("stranger", FILE, "1.0"), ("stranger", "metrics.json", "1.0"), ("researcher", "README.md", "1.0"),
    ]  # fmt: skip
    assert "Who has it" not in client.get(PAGE).content.decode()
    client.force_login(people["manager"])
    page = client.get(PAGE).content.decode()
    assert "3 files were sent" in page
    assert "<bdi>stranger</bdi>" in page


def test_a_part_counts_and_what_is_not_sent_does_not(tmp_path):
    release, people = make_release(tmp_path, "open")
    client, address = client_for(people["stranger"]), f"/api/v1/releases/{release.pk}/files/{FILE}"
    etag = client.get(address, headers={"Range": "bytes=0-3"})["ETag"]
    client.get(address, headers={"If-None-Match": etag})
    client.get(address, headers={"Range": "bytes=999999999-"})
    client.head(address)
    by_api(release, people["stranger"], "files/nothing.txt")

    assert Download.objects.count() == 1


def test_a_download_outlives_the_account_and_names_no_machine(tmp_path):
    release, people = make_release(tmp_path, "open")
    by_api(release, people["stranger"])
    people["stranger"].delete()

    assert Download.objects.get().user is None
    assert {field.name for field in Download._meta.fields} == {"id", "release", "user", "path", "sent_at"}
