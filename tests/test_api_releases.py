"""Releases over the API: cut, published, found by those who may, and read byte for byte."""

import hashlib
import json

import pytest
from django.core.cache import cache
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotations.models import Annotator, Consent, Scope
from collector.models import Membership
from exports.models import Release, ReleaseFile
from exports.releases import cut_release
from exports.tasks import cut_release as cut_task
from tests.api_client import client_for, error_of
from tests.builders import GENDER, make_open_campaign, make_user
from tests.jurors import make_juror, sit_and_rate

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/releases/"
CUT = "/api/v1/campaigns/ours/releases/"


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture(autouse=True)
def own_storage(settings, tmp_path):
    own = settings.RELEASE_STORAGE | {"OPTIONS": {"location": tmp_path / "releases", "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"releases": own}


def rated_campaign(slug):
    campaign = make_open_campaign(slug, prompts=2, strata=[GENDER], wildcard_seats=0)
    for stratum in ("woman", "man"):
        consent_and_rate(campaign, stratum)
    return campaign


def consent_and_rate(campaign, stratum, **fields):
    juror = make_juror(campaign, stratum, **fields)
    document = campaign.consent_documents.first()
    Consent.objects.create(annotator=juror, document=document, scopes=Scope.values)
    sit_and_rate(juror)


@pytest.fixture
def ours():
    return rated_campaign("ours")


@pytest.fixture
def people(ours):
    theirs = rated_campaign("theirs")
    people = {name: make_user(name) for name in ("stranger", "other", "researcher", "manager")}
    for name, campaign, role in (
        ("other", theirs, "researcher"),
        ("researcher", ours, "researcher"),
        ("manager", ours, "manager"),
    ):
        Membership.objects.create(user=people[name], campaign=campaign, role=role)
    return {"anonymous": None} | people


@pytest.fixture
def release(ours):
    return cut_release(ours, "1.0.0", now=timezone.now())


@pytest.fixture
def published(release):
    Release.objects.filter(pk=release.pk).update(state="published", published_at=timezone.now())
    return release


@pytest.fixture
def file(published):
    return published.files.get(path="data/ratings.parquet")


def test_manager_cuts_and_watches(people, ours):
    client = client_for(people["manager"])
    asked = client.post(CUT, {"version": "1.0.0"}, format="json")
    joined = client.post(CUT, {"version": "1.0.0"}, format="json")

    assert (asked.status_code, joined.status_code) == (202, 202)
    assert asked.json()["state"] == joined.json()["state"] == "cutting"
    assert asked["Location"] == joined["Location"] == asked.json()["url"]
    cut_task(asked.json()["id"])
    cut_task(asked.json()["id"])
    assert client.get(asked["Location"]).json()["state"] == "draft"
    assert len(client.get(asked.json()["files"]).json()["results"]) > 5
    again = client.post(CUT, {"version": "1.0.0"}, format="json")
    assert error_of(again, 409)["code"] == "exists"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "version"),
        ({"version": "../../etc"}, "version"),
        ({"version": "1..0"}, "version"),
        ({"version": ""}, "version"),
        ({"version": "1" * 33}, "version"),
        ({"version": "1", "seed": 3}, "seed"),
        ({"version": "1", "include_simulated": "perhaps"}, "include_simulated"),
    ],
)
def test_bad_cuts_are_refused(people, body, field):
    response = client_for(people["manager"]).post(CUT, body, format="json")

    assert list(error_of(response, 400)["fields"]) == [field]
    assert not Release.objects.exists()


#               anonymous, stranger, other, researcher, manager
DRAFT = (401, 404, 404, 404, 200)
PUBLISHED = (401, 404, 404, 200, 200)


@pytest.mark.parametrize("who", range(5))
@pytest.mark.parametrize(
    "address", ["", "files/", "files/data/ratings.parquet", "files/README.md", "metrics/"]
)
def test_who_may_read_what(people, release, who, address):
    client = client_for(list(people.values())[who])

    assert client.get(f"{ROOT}{release.pk}/{address}").status_code == DRAFT[who]
    Release.objects.update(state="published")
    response = client.get(f"{ROOT}{release.pk}/{address}")
    assert response.status_code == PUBLISHED[who]
    if response.status_code != 200:
        error_of(response, PUBLISHED[who])


@pytest.mark.parametrize("who", range(5))
def test_who_may_publish_and_cut(people, release, who):
    client = client_for(list(people.values())[who])

    assert client.post(f"{ROOT}{release.pk}/publish/").status_code == DRAFT[who]
    assert client.post(CUT, {"version": "2"}, format="json").status_code == (401, 404, 404, 403, 202)[who]


def test_researcher_sees_but_may_not_publish_a_published_one(people, published):
    error_of(client_for(people["researcher"]).post(f"{ROOT}{published.pk}/publish/"), 403)


def test_what_is_being_cut_is_the_managers_alone(people, ours):
    release = Release.objects.create(campaign=ours, version="1", cutoff=timezone.now())

    assert client_for(people["manager"]).get(f"{ROOT}{release.pk}/").json()["state"] == "cutting"
    error_of(client_for(people["researcher"]).get(f"{ROOT}{release.pk}/"), 404)
    assert error_of(client_for(people["manager"]).post(f"{ROOT}{release.pk}/publish/"), 409)


def test_simulated_annotators_are_never_published(people, ours):
    consent_and_rate(ours, "woman", source=Annotator.Source.SIMULATED)
    release = cut_release(ours, "1.0.0", now=timezone.now())
    response = client_for(people["manager"]).post(f"{ROOT}{release.pk}/publish/")

    assert error_of(response, 409)["code"] == "not_publishable"


def test_publishing_twice_is_once(people, release):
    client = client_for(people["manager"])
    first = client.post(f"{ROOT}{release.pk}/publish/").json()
    second = client.post(f"{ROOT}{release.pk}/publish/").json()

    assert first["state"] == "published"
    assert first["published_at"] == second["published_at"] is not None


def test_list_is_filtered_by_campaign_and_right(people, published):
    theirs = Release.objects.create(
        campaign=people["other"].membership_set.get().campaign,
        version="1",
        state="published",
        cutoff=timezone.now(),
    )

    def listed(name, **query):
        return [row["id"] for row in client_for(people[name]).get(ROOT, query).json()["results"]]

    assert listed("researcher") == listed("researcher", campaign="ours") == [published.pk]
    assert listed("researcher", campaign="theirs") == []
    assert listed("other") == [theirs.pk]
    assert listed("stranger") == []


def test_every_listed_file_is_what_its_checksum_says(people, published):
    client = client_for(people["researcher"])
    files = client.get(f"{ROOT}{published.pk}/files/").json()["results"]

    assert {"MANIFEST.json", "README.md", "data/ratings.parquet", "metrics.json"} <= {
        f["path"] for f in files
    }
    for row in files:
        response = client.get(row["url"])
        content = response.getvalue()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert len(content) == row["size"] == int(response["Content-Length"])
        assert response["ETag"] == f'"{row["sha256"]}"'
        assert response["Content-Disposition"].startswith("attachment; filename=")
        assert response["Accept-Ranges"] == "bytes"


def test_media_types(people, published):
    client = client_for(people["researcher"])
    types = {
        "data/ratings.parquet": "application/vnd.apache.parquet",
        "README.md": "text/markdown; charset=utf-8",
        "metrics.json": "application/json",
    }
    for path, media_type in types.items():
        response = client.get(f"{ROOT}{published.pk}/files/{path}", headers={"Accept": "text/html"})
        assert response["Content-Type"] == media_type
        assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("tag", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_known_content_is_not_sent_again(people, file, tag):
    response = client_for(people["researcher"]).get(
        f"{ROOT}{file.release_id}/files/{file.path}", headers={"If-None-Match": tag.format(file.sha256)}
    )

    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == f'"{file.sha256}"'


def test_other_content_is_sent(people, file):
    response = client_for(people["researcher"]).get(
        f"{ROOT}{file.release_id}/files/{file.path}", headers={"If-None-Match": '"something else"'}
    )

    assert response.status_code == 200


def ask_range(client, file, value, **headers):
    return client.get(f"{ROOT}{file.release_id}/files/{file.path}", headers={"Range": value} | headers)


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [("bytes=0-3", 0, 4), ("bytes=10-", 10, None), ("bytes=-4", -4, None), ("bytes=4-99999999999", 4, None)],
)
def test_ranges(people, file, value, first, last):
    client = client_for(people["researcher"])
    whole = client.get(f"{ROOT}{file.release_id}/files/{file.path}").getvalue()
    response = ask_range(client, file, value)
    part = response.getvalue()
    start = first % len(whole)

    assert response.status_code == 206
    assert part == whole[first:last]
    assert response["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
    assert int(response["Content-Length"]) == len(part)


@pytest.mark.parametrize("value", ["bytes=999999999-", "bytes=-0", "bytes=999999999999999-9999999999999999"])
def test_ranges_outside_the_file(people, file, value):
    response = ask_range(client_for(people["researcher"]), file, value)

    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{file.size}"


@pytest.mark.parametrize(
    "value", ["bytes=0-1,4-5", "lines=1-2", "bytes=5-2", "bytes=-", "bytes=٣-", "nonsense"]
)
def test_ranges_we_do_not_do_give_the_whole(people, file, value):
    response = ask_range(client_for(people["researcher"]), file, value)

    assert response.status_code == 200
    assert len(response.getvalue()) == file.size


def test_range_of_another_version_gives_the_whole(people, file):
    client = client_for(people["researcher"])

    assert ask_range(client, file, "bytes=0-3", **{"If-Range": '"another"'}).status_code == 200
    assert ask_range(client, file, "bytes=0-3", **{"If-Range": f'"{file.sha256}"'}).status_code == 206


@pytest.mark.parametrize(
    "path",
    [
        "../1.0.0/README.md",
        "%2e%2e/%2e%2e/secret.txt",
        "..%2f..%2fsecret.txt",
        "/etc/passwd",
        "data//ratings.parquet",
        "data/./ratings.parquet",
        "data",
        "data/",
        "README.md/",
        "readme.md",
        "README.md%00",
        "secret.txt",
    ],
)
def test_only_listed_paths_can_be_reached(people, published, tmp_path, path):
    (tmp_path / "releases" / "secret.txt").write_text("secret")
    (tmp_path / "releases" / "ours" / "1.0.0" / "secret.txt").write_text("secret")
    response = client_for(people["manager"]).get(f"{ROOT}{published.pk}/files/{path}")

    assert response.status_code == 404


@pytest.mark.parametrize("key", ["0", "999999999999999999", "9" * 40, "-1", "x"])
def test_releases_that_are_not_there(people, key):
    error_of(client_for(people["manager"]).get(f"{ROOT}{key}/"), 404)


def test_metrics_are_the_file(people, published):
    response = client_for(people["researcher"]).get(f"{ROOT}{published.pk}/metrics/")
    records = json.loads(response.getvalue())

    assert response["Content-Type"] == "application/json"
    assert "Content-Disposition" not in response
    with storages["releases"].open("ours/1.0.0/metrics.json") as stored:
        assert records == json.load(stored)
    assert {"metric", "criterion", "value", "low", "high", "undefined_reason"} <= set(records[0])


def test_queries_do_not_grow_with_releases(people, published):
    client = client_for(people["researcher"])

    def queries(address):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    addresses = (ROOT, f"{ROOT}{published.pk}/files/")
    before = [queries(address) for address in addresses]
    for number in range(5):
        Release.objects.create(
            campaign=published.campaign, version=f"2.{number}", state="published", cutoff=timezone.now()
        )
        ReleaseFile.objects.create(release=published, path=f"x{number}", sha256="0", size=1)

    assert [queries(address) for address in addresses] == before
