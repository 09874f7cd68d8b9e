"""Prolific's signed links let the right person in once; everything forged, old or foreign is refused."""

import base64
import hmac
import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jwt
import pytest
from django.core.cache import cache
from django.utils import timezone

from annotations.entry import prolific_keys
from annotations.entry.prolific_keys import KeysUnavailable, public_key
from annotations.models import Annotator, Identity, SpentToken
from tests.builders import make_open_campaign
from tests.people import Person
from tests.prolific import PERSON, RULES, STUDY, Platform

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def prolific() -> Platform:
    return Platform()


@pytest.fixture(autouse=True)
def keys(settings, prolific: Platform, tmp_path: Path) -> None:
    settings.PROLIFIC_KEYS_FILE = prolific.publish(tmp_path / "jwks.json")
    cache.clear()


@pytest.fixture
def campaign():
    return make_open_campaign(recruitment=RULES)


def test_a_signed_link_proves_the_id(campaign, prolific) -> None:
    person = Person(campaign).join(prolific_token=prolific.token()).agree()

    assert person.annotator.source == Annotator.Source.PROLIFIC
    assert person.annotator.flags == []
    assert Identity.objects.get().is_verified


def test_it_counts_and_not_the_parameters_beside_it(campaign, prolific) -> None:
    Person(campaign).join(prolific_token=prolific.token(), PROLIFIC_PID="somebody-else").agree()
    again = Person(campaign).join(prolific_token=prolific.token(jti="later"))

    assert again.response.redirect_chain[-1][0] == f"/c/{campaign.slug}/profile/"


def tampered(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:-2]}{'AA' if body[-2:] != 'AA' else 'BB'}.{signature}"


def unsigned(prolific: Platform) -> str:
    claims = jwt.decode(prolific.token(), options={"verify_signature": False})
    return jwt.encode(claims, "", algorithm="none", headers={"kid": prolific.kid})


def signed_with_the_public_key(prolific: Platform) -> str:
    """The old trick: the published key taken for a shared secret."""
    _head, body, _signature = prolific.token().split(".")
    head = b64(json.dumps({"alg": "HS256", "kid": prolific.kid}).encode())
    secret = json.dumps(prolific.published()["keys"][0]).encode()
    return f"{head}.{body}.{b64(hmac.digest(secret, f'{head}.{body}'.encode(), 'sha256'))}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "forge",
    [
        lambda p: "nonsense",
        lambda p: "a.b.c",
        lambda p: "",
        lambda p: "x" * 9000,
        lambda p: tampered(p.token()),
        unsigned,
        signed_with_the_public_key,
        lambda p: Platform(p.kid).token(),
        lambda p: Platform("unknown").token(),
        lambda p: p.token(headers={"kid": ""}),
        lambda p: p.token(exp=int(time.time()) - 60),
        lambda p: p.token(exp=None),
        lambda p: p.token(aud=None),
        lambda p: p.token(aud="https://elsewhere.example/join/"),
        lambda p: p.token(aud="https://testserver.evil.example/"),
        lambda p: p.token(aud="https://testserver@evil.example/"),
        lambda p: p.token(aud="https://evil.example/testserver"),
        lambda p: p.token(aud=7),
        lambda p: p.token(ids={"STUDY_ID": "another"}),
        lambda p: p.token(ids={"workspace_id": "another"}),
        lambda p: p.token(ids={"PROLIFIC_PID": ""}),
        lambda p: p.token(ids={"PROLIFIC_PID": "x" * 300}),
        lambda p: p.token(prolific="a string"),
        lambda p: p.token(prolific=None),
    ],
)
def test_what_is_forged_old_or_foreign_is_refused(campaign, prolific, forge) -> None:
    person = Person(campaign).join(prolific_token=forge(prolific))

    assert person.response.status_code == 403
    assert PERSON not in person.text
    assert not person.client.session.get("entries")


@pytest.mark.parametrize("audience", ["testserver", "https://testserver", ["x", "https://testserver/join/"]])
def test_the_audience_is_our_host(campaign, prolific, audience) -> None:
    assert Person(campaign).join(prolific_token=prolific.token(aud=audience)).response.status_code == 200


@pytest.mark.parametrize("missing", ["prolific_study", "prolific_workspace"])
def test_signed_links_need_a_campaign_that_knows_its_study(prolific, missing: str) -> None:
    campaign = make_open_campaign(recruitment=RULES | {missing: ""})

    assert Person(campaign).join(prolific_token=prolific.token()).response.status_code == 403


def test_where_ids_are_taken_on_trust_and_no_study_is_named_a_signature_is_neither_needed_nor_counted(
    prolific,
) -> None:
    campaign = make_open_campaign(recruitment={"allow_unverified": True})
    query = {"prolific_token": prolific.token(), "PROLIFIC_PID": PERSON}

    assert Person(campaign).join(**query).agree().annotator.flags == ["id_unverified"]
    assert Person(campaign).join(prolific_token=prolific.token()).response.status_code == 403


def test_a_token_opens_one_session(campaign, prolific) -> None:
    token = prolific.token()
    owner = Person(campaign).join(prolific_token=token).agree().skip_profile()
    finder = Person(campaign).join(prolific_token=token)

    assert finder.response.status_code == 403
    assert not finder.client.session.get("annotators")
    assert owner.join(prolific_token=token).is_rating  # the back button, in the same browser


def test_two_browsers_with_one_token_make_one_annotator(campaign, prolific) -> None:
    token = prolific.token()
    first, second = (Person(campaign).join(prolific_token=token) for _ in range(2))
    first.agree()
    second.agree()

    assert second.response.status_code == 409
    assert Annotator.objects.count() == 1


def test_a_new_token_of_the_same_person_resumes_once(campaign, prolific) -> None:
    Person(campaign).join(prolific_token=prolific.token(jti="one")).agree().skip_profile()
    token = prolific.token(jti="two")

    assert Person(campaign).join(prolific_token=token).response.redirect_chain[-1][0].endswith("/rate/")
    assert Person(campaign).join(prolific_token=token).response.status_code == 403
    assert SpentToken.objects.count() == 2


def test_parameters_alone_are_refused_unless_the_campaign_allows_them(campaign) -> None:
    query = {"PROLIFIC_PID": PERSON, "STUDY_ID": STUDY, "SESSION_ID": "s"}
    trusting = make_open_campaign(recruitment=RULES | {"allow_unverified": True})

    assert Person(campaign).join(**query).response.status_code == 403
    assert Person(trusting).join(**query).agree().annotator.flags == ["id_unverified"]
    assert Person(trusting).join(**query | {"STUDY_ID": "another"}).response.status_code == 403


def test_an_unverified_id_does_not_take_over_a_verified_session(prolific) -> None:
    campaign = make_open_campaign(recruitment=RULES | {"allow_unverified": True})
    Person(campaign).join(prolific_token=prolific.token()).agree()
    stranger = Person(campaign).join(PROLIFIC_PID=PERSON, STUDY_ID=STUDY)

    assert "already taken part" in stranger.text
    assert not stranger.client.session.get("annotators")


# --- the keys ------------------------------------------------------------------------------------


@pytest.fixture
def key_server(settings, prolific, monkeypatch):
    """Prolific's address, on this machine; counts how often it is asked."""
    settings.PROLIFIC_KEYS_FILE = ""

    class Handler(BaseHTTPRequestHandler):
        asked = 0
        status = 200

        def do_GET(self) -> None:
            type(self).asked += 1
            body = json.dumps(prolific.published()).encode()
            self.send_response(self.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(prolific_keys, "KEYS_URL", f"http://127.0.0.1:{server.server_port}/jwks.json")
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_keys_are_fetched_from_one_address_and_kept(campaign, prolific, key_server) -> None:
    assert prolific_keys.KEPT_SECONDS <= 24 * 60 * 60
    for jti in "abc":
        assert Person(campaign).join(prolific_token=prolific.token(jti=jti)).response.status_code == 200

    assert key_server.asked == 1


def test_an_unknown_key_is_looked_for_again_but_not_at_every_try(key_server) -> None:
    now = timezone.now()
    for second in (0, 1, 30, 61, 62):
        assert public_key("made-up", now=now + timedelta(seconds=second)) is None

    assert key_server.asked == 2


def test_without_an_answer_the_page_says_to_come_back(campaign, prolific, key_server) -> None:
    key_server.status = 500
    person = Person(campaign).join(prolific_token=prolific.token())

    assert person.response.status_code == 503
    assert "cannot be checked right now" in person.text


def test_a_broken_file_of_keys_says_so_too(campaign, prolific, settings, tmp_path) -> None:
    settings.PROLIFIC_KEYS_FILE = str(tmp_path / "nowhere.json")

    with pytest.raises(KeysUnavailable):
        public_key("key-1", now=timezone.now())
    assert Person(campaign).join(prolific_token=prolific.token()).response.status_code == 503


def test_the_published_address_is_prolifics() -> None:
    assert prolific_keys.KEYS_URL == "https://api.prolific.com/.well-known/study/jwks.json"
