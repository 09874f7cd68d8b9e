"""A platform id is in one table, and in no log, address, page, export or error."""

import io
import logging
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import serializers
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from annotations.models import Identity
from collector.logs import configure
from exports.releases import cut_release, release_folder
from tests.builders import make_open_campaign, make_user
from tests.people import Person
from tests.prolific import RULES, Platform
from tests.test_entry import signed

pytestmark = pytest.mark.django_db
SECRETS = {
    "5f00d5f00d5f00d5f00d0001": "PROLIFIC_PID",
    "5f00d5f00d5f00d5f00d0002": "prolific_token",
    "A5F00D5F00D03": "workerId",
    "5f00d5f00d5f00d5f00d0004": "id",
    "5f00d5f00d5f00d5f00d0005": "SESSION_ID",
}
EVERY = ["link", "invitation", "prolific", "mturk", "panel", "account"]


@pytest.fixture
def log(settings):
    configure({"format": "json", "level": "DEBUG"})
    stream = io.StringIO()
    (handler,) = logging.getLogger().handlers
    handler.setStream(stream)
    yield stream
    configure(settings.LOGGING)


@pytest.fixture
def people(settings, tmp_path: Path, log) -> list[Person]:
    """One person by each way, from the link to the end, on a campaign that keeps ids."""
    platform = Platform()
    settings.PROLIFIC_KEYS_FILE = platform.publish(tmp_path / "jwks.json")
    cache.clear()
    campaign = make_open_campaign(
        prompts=2,
        strata=[],
        wildcard_seats=9,
        recruitment=RULES | {"ways": EVERY, "keep_ids": True, "allow_unverified": True},
    )
    names = list(SECRETS)
    token = platform.token(ids={"PROLIFIC_PID": names[1], "SESSION_ID": names[4]})
    queries = [
        {"PROLIFIC_PID": names[0], "STUDY_ID": RULES["prolific_study"], "SESSION_ID": names[4]},
        {"prolific_token": token},
        {"workerId": names[2], "assignmentId": names[4]},
        signed(campaign, names[3]),
    ]
    arrived = [Person(campaign).join(**query).agree().skip_profile() for query in queries]
    for person in arrived:
        person.seen = [str(person.response.redirect_chain), person.response.request["QUERY_STRING"]]
        while person.is_rating:
            person.rate(acceptable=4, helpful=70)
            person.seen += [person.text, str(person.response.redirect_chain)]
        person.seen += [person.get("stop/").text, person.client.get("/my-data/").content.decode()]
        person.seen.append(person.client.post("/my-data/export/").content.decode())
    return arrived


def found_in(text: str) -> list[str]:
    return [f"{name} ({secret})" for secret, name in SECRETS.items() if secret in text]


def test_no_log_line_has_one(people, log) -> None:
    text = log.getvalue()

    assert "/join/" in text
    assert found_in(text) == []
    assert "eyJ" not in text  # how every signed token begins


def test_no_page_and_no_address_has_one(people) -> None:
    assert [found_in(text) for person in people for text in person.seen if found_in(text)] == []


def test_no_row_of_the_database_has_one_in_the_clear(people) -> None:
    rows = [
        serializers.serialize("json", model.objects.all())
        for app in apps.get_app_configs()
        for model in app.get_models()
    ]
    sessions = [str(Session.objects.get(pk=row.pk).get_decoded()) for row in Session.objects.all()]

    assert Identity.objects.exclude(sealed="").count() == 4
    assert [found_in(text) for text in rows + sessions if found_in(text)] == []
    kept = Identity.objects.values_list("id_hash", "sealed")
    others = [text for text in rows if '"annotations.identity"' not in text] + sessions
    assert [value for pair in kept for value in pair if any(value in text for text in others)] == []


def test_no_release_has_one(people, settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    release = cut_release(people[0].campaign, "1.0.0", now=timezone.now())
    hashes = [value for row in Identity.objects.values_list("id_hash", "sealed") for value in row]
    for file in sorted(Path(release_folder(release)).rglob("*")):
        data = file.read_bytes() if file.is_file() else b""
        assert not [name for name in [*SECRETS, *hashes] if name.encode() in data], file


def test_no_error_page_has_one(people, monkeypatch, log) -> None:
    def fail(*args, **kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("annotations.join.why_not", fail)
    client = Client(raise_request_exception=False)
    study = {"STUDY_ID": RULES["prolific_study"]}
    address = f"/join/{people[0].campaign.slug}/"
    answers = [
        client.get(address, {"PROLIFIC_PID": f"{name}{more}"} | query)
        for name in SECRETS
        for more, query in (("0", study), ("", {"STUDY_ID": "another"}))
    ]

    assert {answer.status_code for answer in answers} == {403, 500}
    assert found_in("".join(answer.content.decode() for answer in answers)) == []
    assert found_in(log.getvalue()) == []


def test_neither_admin_nor_console_shows_one(people) -> None:
    client = Client()
    client.force_login(
        make_user(is_superuser=True, is_staff=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    slug = people[0].campaign.slug
    pages = [
        f"/console/c/{slug}/",
        f"/console/c/{slug}/recruitment/",
        "/admin/annotations/annotator/",
        "/admin/",
    ]

    texts = [client.get(page).content.decode() for page in pages]
    assert [found_in(text) for text in texts if found_in(text)] == []
    assert "/admin/annotations/identity/" not in texts[-1]
