"""Whatever goes wrong under /api/, the answer has one shape."""

import json

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.urls import path
from rest_framework.test import APIClient

from collector import urls as site
from collector.models import Membership
from tests.api_client import client_for, error_of
from tests.builders import make_campaign, make_criterion, make_prompt, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def manager():
    return make_user("manager")


@pytest.fixture
def campaign(manager):
    campaign = make_campaign("ours")
    Membership.objects.create(campaign=campaign, user=manager, role="manager")
    return campaign


@pytest.mark.parametrize(
    "address", ["/api/", "/api/nothing", "/api/v1/campaigns", "/api/v1/releases/x/", "/api/v2/a"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_address(address, method):
    error = error_of(getattr(client_for(enforce_csrf_checks=True), method)(address), 404)

    assert error["code"] == "not_found"


def test_no_token():
    response = client_for().get("/api/v1/campaigns/")

    assert error_of(response, 401)["code"] == "not_authenticated"
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Bearer nonsense", "Bearer \xff\xfe", "Bearer " + "0" * 64]
)
def test_forged_token(header):
    response = client_for().get("/api/v1/campaigns/", headers={"Authorization": header})

    assert error_of(response, 401)["code"] == "authentication_failed"
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Token abc", "\x00"])
def test_other_schemes_are_no_token(header):
    error_of(client_for().get("/api/v1/campaigns/", headers={"Authorization": header}), 401)


def test_session_without_csrf_token_cannot_write(manager, campaign):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(manager)

    assert client.get("/api/v1/campaigns/ours/").status_code == 200
    error_of(client.post("/api/v1/campaigns/ours/close/"), 403)


def test_wrong_method(manager):
    response = client_for(manager).delete("/api/v1/campaigns/")

    assert error_of(response, 405)["code"] == "method_not_allowed"
    assert "GET" in response["Allow"]


def test_unsupported_media_type(manager, campaign):
    response = client_for(manager).post("/api/v1/campaigns/ours/prompts/", "a=b", content_type="text/csv")

    assert error_of(response, 415)["code"] == "unsupported_media_type"


def test_not_acceptable(manager):
    error_of(client_for(manager).get("/api/v1/campaigns/", headers={"Accept": "image/png"}), 406)


MALFORMED = [
    b"{",
    b"",
    b"\xff",
    b'{"a": NaN}',
    b"[" * 100_000,
    b"1" * 5000,
    b'"\\ud800"',
    b"null",
    b"7",
    b'"text"',
    b"[]",
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("part", ["prompts", "criteria", "generators"])
def test_malformed_body(manager, campaign, part, body):
    response = client_for(manager).generic(
        "POST", f"/api/v1/campaigns/ours/{part}/", body, content_type="application/json"
    )

    error_of(response, 400)
    assert campaign.prompts.count() + campaign.criteria.count() + campaign.generators.count() == 0


def test_too_large(manager, campaign):
    body = json.dumps({"prompt_id": "p", "text": "x" * 6_000_000})
    response = client_for(manager).generic(
        "POST", "/api/v1/campaigns/ours/prompts/", body, content_type="application/json"
    )

    assert error_of(response, 413)["code"] == "too_large"


def test_many_problems_are_counted_and_cut(manager, campaign):
    rows = [{"prompt_id": ""}] * 30
    error = error_of(client_for(manager).post("/api/v1/campaigns/ours/prompts/", rows, format="json"), 400)

    assert len(error["fields"]) == 20
    assert error["message"] == "30 problems; the first 20 are shown."


def test_nested_problems_have_a_path(manager):
    body = {
        "slug": "new",
        "title": "New",
        "languages": ["en"],
        "strata": [{"attribute": "age", "levels": []}],
    }
    manager.is_superuser = True
    manager.save()
    error = error_of(client_for(manager).post("/api/v1/campaigns/", body, format="json"), 400)

    assert list(error["fields"]) == ["strata.0.levels"]


def test_conflict_names_what_is_missing(manager, campaign):
    error = error_of(client_for(manager).post("/api/v1/campaigns/ours/open/"), 409)

    assert error["code"] == "not_ready"
    assert len(error["fields"]["missing"]) >= 3
    campaign.refresh_from_db()
    assert campaign.is_draft


def test_step_from_the_wrong_state(manager, campaign):
    assert error_of(client_for(manager).post("/api/v1/campaigns/ours/pause/"), 409)["code"] == "wrong_state"


@pytest.mark.parametrize("cursor", ["x", "", "cD1ub25zZW5zZQ==", "\xff", "bz05OTk5OTk5OTk5OTk="])
def test_bad_cursor(manager, campaign, cursor):
    response = client_for(manager).get("/api/v1/campaigns/ours/prompts/", {"cursor": cursor})

    if response.status_code != 200:
        assert list(error_of(response, 400)["fields"]) == ["cursor"]


@pytest.mark.parametrize("size", ["0", "-1", "many", "", "1.5", "٣"])
def test_bad_page_size(manager, campaign, size):
    response = client_for(manager).get("/api/v1/campaigns/ours/prompts/", {"page_size": size})

    assert list(error_of(response, 400)["fields"]) == ["page_size"]


def test_huge_page_size_is_bounded(manager, campaign):
    criterion = make_criterion(campaign)
    for size in ("1001", "9" * 30):
        response = client_for(manager).get("/api/v1/campaigns/ours/criteria/", {"page_size": size})

        assert response.json()["results"][0]["criterion"] == criterion.name


def test_bad_filter(manager, campaign):
    for query in ({"state": "nonsense"}, {"prompt_id": "a\x00"}):
        error_of(client_for(manager).get("/api/v1/campaigns/ours/candidates/", query), 400)


def test_throttled(manager, monkeypatch):
    monkeypatch.setattr("rest_framework.throttling.UserRateThrottle.rate", "2/min", raising=False)
    client = client_for(manager)
    responses = [client.get("/api/v1/campaigns/") for _ in range(3)]

    assert error_of(responses[2], 429)["code"] == "throttled"
    assert 1 <= int(responses[2]["Retry-After"]) <= 60


def crash(request):
    raise RuntimeError("the secret of the database")


def denied(request):
    raise PermissionDenied


urlpatterns = [path("api/crash/", crash), path("api/secret/", denied), *site.urlpatterns]
handler403 = "collector.error_pages.permission_denied"
handler500 = "collector.error_pages.server_error"


@pytest.mark.urls(__name__)
def test_crash_says_nothing_of_itself():
    response = client_for(raise_request_exception=False).get("/api/crash/")

    assert error_of(response, 500)["code"] == "server_error"
    assert b"secret" not in response.content


@pytest.mark.urls(__name__)
def test_what_django_refuses():
    assert error_of(client_for().get("/api/secret/"), 403)["code"] == "permission_denied"


def test_forged_host_is_json_too():
    error_of(client_for().get("/api/v1/campaigns/", headers={"Host": "evil.example"}), 400)


def test_page_shape(manager, campaign):
    for number in range(3):
        make_prompt(campaign, f"p{number}")
    client = client_for(manager)
    first = client.get("/api/v1/campaigns/ours/prompts/", {"page_size": 2}).json()
    second = client.get(first["next"]).json()

    assert set(first) == {"next", "previous", "results"}
    assert [row["prompt_id"] for row in first["results"] + second["results"]] == ["p0", "p1", "p2"]
    assert second["next"] is None
