"""Campaigns over the API: who may see and do what, and what comes back."""

import json

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from collector.models import Campaign, GenerationRun, Membership
from tests.api_client import client_for, error_of
from tests.builders import (
    make_campaign,
    make_candidate,
    make_criterion,
    make_generator,
    make_open_campaign,
    make_prompt,
    make_user,
)

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/campaigns/"
PROMPT = {"prompt_id": "p-new", "text": "Is it fair?"}
CRITERION = {"criterion": "fair", "question": "Is it fair?", "kind": "binary"}
GENERATOR = {"name": "new", "provider": "scripted"}


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def join(user, campaign, role):
    Membership.objects.create(user=user, campaign=campaign, role=role)
    return user


@pytest.fixture
def ours():
    campaign = make_campaign("ours", strata=[{"attribute": "gender", "levels": ["woman", "man"]}])
    make_criterion(campaign)
    make_candidate(make_prompt(campaign, "p1"), make_generator(campaign, "plain"))
    return campaign


@pytest.fixture
def theirs():
    """A stranger's campaign, whose rows must never show."""
    campaign = make_open_campaign("theirs")
    join(make_user("other-manager"), campaign, "manager")
    return campaign


@pytest.fixture
def people(ours, theirs):
    return {
        "anonymous": None,
        "stranger": make_user("stranger"),
        "other researcher": join(make_user("other-researcher"), theirs, "researcher"),
        "researcher": join(make_user("researcher"), ours, "researcher"),
        "manager": join(make_user("manager"), ours, "manager"),
        "operator": make_user("operator", is_superuser=True),
    }


#                           anonymous, stranger, other researcher, researcher, manager, operator
MATRIX = [
    ("get", "ours/", None, (401, 404, 404, 200, 200, 200)),
    ("patch", "ours/", {"title": "New"}, (401, 404, 404, 403, 200, 200)),
    ("get", "ours/prompts/", None, (401, 404, 404, 200, 200, 200)),
    ("post", "ours/prompts/", PROMPT, (401, 404, 404, 403, 201, 201)),
    ("get", "ours/candidates/", None, (401, 404, 404, 200, 200, 200)),
    ("get", "ours/criteria/", None, (401, 404, 404, 200, 200, 200)),
    ("post", "ours/criteria/", CRITERION, (401, 404, 404, 403, 201, 201)),
    ("get", "ours/generators/", None, (401, 404, 404, 200, 200, 200)),
    ("post", "ours/generators/", GENERATOR, (401, 404, 404, 403, 201, 201)),
    ("get", "ours/generation-runs/", None, (401, 404, 404, 200, 200, 200)),
    ("post", "ours/generation-runs/", None, (401, 404, 404, 403, 202, 202)),
    ("get", "ours/strata/", None, (401, 404, 404, 403, 200, 200)),
    ("get", "ours/progress/", None, (401, 404, 404, 403, 200, 200)),
    ("get", "ours/ratings/", None, (401, 404, 404, 403, 200, 200)),
    ("get", "ours/ratings/?format=csv", None, (401, 404, 404, 403, 200, 200)),
    ("get", "ours/ratings/?format=nonsense", None, (401, 404, 404, 403, 400, 400)),
    ("post", "ours/open/", None, (401, 404, 404, 403, 409, 409)),
    ("post", "ours/pause/", None, (401, 404, 404, 403, 409, 409)),
    ("post", "ours/close/", None, (401, 404, 404, 403, 200, 200)),
    ("get", "nowhere/", None, (401, 404, 404, 404, 404, 404)),
    ("post", "nowhere/close/", None, (401, 404, 404, 404, 404, 404)),
]


@pytest.mark.parametrize("who", range(6))
@pytest.mark.parametrize(("method", "address", "body", "statuses"), MATRIX)
def test_who_may_do_what(people, method, address, body, statuses, who):
    client = client_for(list(people.values())[who])
    response = getattr(client, method)(ROOT + address, *([body] if body else []), format="json")

    assert response.status_code == statuses[who]
    if response.status_code >= 400:
        error_of(response, statuses[who])


def test_refused_writes_change_nothing(people, ours):
    for name in ("anonymous", "stranger", "other researcher", "researcher"):
        for method, address, body, _statuses in MATRIX:
            if method != "get":
                getattr(client_for(people[name]), method)(ROOT + address, body, format="json")

    ours.refresh_from_db()
    assert (ours.title, ours.state) == ("Ours", "draft")
    assert (ours.prompts.count(), ours.criteria.count(), ours.generators.count()) == (1, 1, 1)
    assert not GenerationRun.objects.exists()


def test_list_shows_only_ones_own_with_ones_part(people):
    def shown(name):
        return [(row["slug"], row["role"]) for row in client_for(people[name]).get(ROOT).json()["results"]]

    assert shown("stranger") == []
    assert shown("researcher") == [("ours", "researcher")]
    assert shown("manager") == [("ours", "manager")]
    assert sorted(shown("operator")) == [("ours", "manager"), ("theirs", "manager")]


def test_other_campaigns_rows_never_show(people, theirs):
    client = client_for(people["operator"])

    assert [row["prompt_id"] for row in client.get(ROOT + "ours/prompts/").json()["results"]] == ["p1"]
    assert [row["generator"] for row in client.get(ROOT + "ours/candidates/").json()["results"]] == ["plain"]
    assert client.get(ROOT + "ours/criteria/").json()["results"][0]["criterion"] == "acceptable"


def test_ended_token_and_inactive_user_are_refused(people):
    user = people["manager"]
    client = client_for(user)
    user.is_active = False
    user.save()

    error_of(client.get(ROOT), 401)


def test_token_is_kept_hashed(people):
    _row, token = AuthToken.objects.create(people["manager"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM knox_authtoken")
        stored = json.dumps(cursor.fetchall(), default=str)

    assert len(token) == 64
    assert token not in stored
    assert token[15:] not in stored


def test_create_needs_the_right_to(people):
    body = {"slug": "new", "title": "New", "languages": ["en"]}

    assert (
        error_of(client_for(people["manager"]).post(ROOT, body, format="json"), 403)["code"]
        == "permission_denied"
    )
    assert not Campaign.objects.filter(slug="new").exists()


def test_who_creates_manages(people):
    body = {
        "slug": "new",
        "title": "New",
        "languages": ["en", "ar"],
        "strata": [{"attribute": "gender", "levels": ["woman", "man"]}],
        "privacy": {"attributes": ["gender"], "tier": "open"},
    }
    response = client_for(people["operator"]).post(ROOT, body, format="json")

    assert response.status_code == 201
    assert response.json()["role"] == "manager"
    assert response.json()["strata"] == body["strata"]
    campaign = Campaign.objects.get(slug="new")
    assert campaign.membership_set.get().user == people["operator"]
    assert (campaign.state, campaign.privacy) == ("draft", body["privacy"])


BAD_CAMPAIGNS = {
    "slug": {"slug": "ours"},
    "slug ": {"slug": "not a slug"},
    "title": {"title": ""},
    "title ": {"title": "a\x00b"},
    "state": {"state": "open"},
    "is_demo": {"is_demo": True},
    "colour": {"colour": "red"},
    "languages": {"languages": []},
    "languages.0": {"languages": ["no such"]},
    "strata": {"strata": [{"attribute": "a", "levels": ["x"]}] * 2},
    "strata.0.levels": {"strata": [{"attribute": "a", "levels": ["x", "x"]}]},
    "strata.0.weight": {"strata": [{"attribute": "a", "levels": ["x"], "weight": 1}]},
    "privacy.tier": {"privacy": {"tier": "secret"}},
    "seats_per_stratum": {"seats_per_stratum": 0},
    "lease_minutes": {"lease_minutes": 10**30},
}


@pytest.mark.parametrize("field", BAD_CAMPAIGNS)
def test_bad_campaigns_are_refused_by_field(people, field):
    body = {"slug": "new", "title": "New", "languages": ["en"]} | BAD_CAMPAIGNS[field]
    error = error_of(client_for(people["operator"]).post(ROOT, body, format="json"), 400)

    assert list(error["fields"]) == [field.strip()]
    assert Campaign.objects.count() == 2


def test_campaign_changes_while_a_draft_and_not_after(people, ours):
    client = client_for(people["manager"])
    changed = client.patch(ROOT + "ours/", {"title": "Changed", "seats_per_stratum": 3}, format="json")
    Campaign.objects.filter(pk=ours.pk).update(state="open")
    refused = client.patch(ROOT + "ours/", {"title": "Changed again"}, format="json")

    assert (changed.json()["title"], changed.json()["seats_per_stratum"]) == ("Changed", 3)
    assert error_of(refused, 409)["code"] == "wrong_state"
    ours.refresh_from_db()
    assert ours.title == "Changed"


def test_slug_cannot_be_changed(people):
    response = client_for(people["manager"]).patch(ROOT + "ours/", {"slug": "mine"}, format="json")

    assert list(error_of(response, 400)["fields"]) == ["slug"]


def test_prompts_one_and_many(people, ours):
    client = client_for(people["manager"])
    talk = {"prompt_id": "p3", "messages": [{"role": "user", "content": "Hello"}], "topic": "x"}
    one = client.post(ROOT + "ours/prompts/", PROMPT, format="json")
    many = client.post(ROOT + "ours/prompts/", [PROMPT | {"prompt_id": "p2"}, talk], format="json")

    assert one.json()["prompt_id"] == "p-new"
    assert [row["prompt_id"] for row in many.json()] == ["p2", "p3"]
    assert [p.external_id for p in ours.prompts.order_by("position")] == ["p1", "p-new", "p2", "p3"]


BAD_PROMPTS = {
    "prompt_id": {"prompt_id": "p1"},
    "text": {"text": ""},
    "text ": {"messages": [{"role": "user", "content": "Both"}]},
    "text  ": {"text": "x" * 65537},
    "messages.0.role": {"text": "", "messages": [{"role": "robot", "content": "Hello"}]},
    "messages": {"text": "", "messages": [{"role": "assistant", "content": "Hello"}]},
    "language": {"language": "de"},
    "position": {"position": 1},
}


@pytest.mark.parametrize("field", BAD_PROMPTS)
def test_bad_prompts_are_refused_and_none_is_stored(people, ours, field):
    client = client_for(people["manager"])
    body = PROMPT | BAD_PROMPTS[field]

    assert list(error_of(client.post(ROOT + "ours/prompts/", body, format="json"), 400)["fields"]) == [
        field.strip()
    ]
    many = client.post(ROOT + "ours/prompts/", [PROMPT | {"prompt_id": "fine"}, body], format="json")
    assert list(error_of(many, 400)["fields"]) == [f"1.{field.strip()}"]
    assert ours.prompts.count() == 1


def test_double_ids_within_one_list_are_refused(people, ours):
    response = client_for(people["manager"]).post(ROOT + "ours/prompts/", [PROMPT, PROMPT], format="json")

    assert list(error_of(response, 400)["fields"]) == ["1.prompt_id"]
    assert ours.prompts.count() == 1


BAD_CRITERIA = {
    "kind": {"kind": "essay"},
    "kind ": {"kind": "ranking"},
    "scale_min": {"kind": "likert"},
    "scale_min ": {"kind": "slider", "scale_min": 5, "scale_max": 5},
    "scale_max": {"kind": "likert", "scale_min": 1, "scale_max": 100},
    "categories": {"kind": "categorical", "categories": ["one"]},
    "translations.es.tone": {"translations": {"es": {"tone": "x"}}},
}


@pytest.mark.parametrize("field", BAD_CRITERIA)
def test_bad_criteria_are_refused(people, ours, field):
    body = CRITERION | BAD_CRITERIA[field]
    response = client_for(people["manager"]).post(ROOT + "ours/criteria/", body, format="json")

    assert list(error_of(response, 400)["fields"]) == [field.strip()]
    assert ours.criteria.count() == 1


def test_infinite_scale_is_refused(people):
    body = b'{"criterion": "c", "question": "?", "kind": "slider", "scale_min": 0, "scale_max": 1e999}'
    response = client_for(people["manager"]).generic(
        "POST", ROOT + "ours/criteria/", body, content_type="application/json"
    )

    assert list(error_of(response, 400)["fields"]) == ["scale_max"]


def test_criterion_of_a_taken_name_is_a_conflict(people):
    response = client_for(people["manager"]).post(
        ROOT + "ours/criteria/", CRITERION | {"criterion": "acceptable"}, format="json"
    )

    assert error_of(response, 409)["code"] == "exists"


def test_criteria_are_for_drafts_and_rows_for_campaigns_not_closed(people, ours):
    client = client_for(people["manager"])
    Campaign.objects.filter(pk=ours.pk).update(state="open")
    assert client.post(ROOT + "ours/criteria/", CRITERION, format="json").status_code == 409
    assert client.post(ROOT + "ours/prompts/", PROMPT, format="json").status_code == 201
    Campaign.objects.filter(pk=ours.pk).update(state="closed")

    for address, body in (("prompts", PROMPT), ("generators", GENERATOR), ("generation-runs", None)):
        assert (
            error_of(client.post(f"{ROOT}ours/{address}/", body, format="json"), 409)["code"] == "wrong_state"
        )


BAD_GENERATORS = {
    "provider": {"provider": "telepathy"},
    "temperature": {"temperature": -1},
    "samples": {"samples": 0},
    "steering.tone": {"steering": {"tone": "x"}},
    "extra": {"extra": {"base_url": "http://169.254.169.254/"}},
    "endpoint": {"provider": "openai_compatible", "endpoint": "http://169.254.169.254/"},
    "n": {"n": "many"},
    "prompt_token_price": {"prompt_token_price": -1},
    "new_token_price": {"new_token_price": 1e7},
}


@pytest.mark.parametrize("field", BAD_GENERATORS)
def test_bad_generators_are_refused(people, ours, field):
    body = GENERATOR | BAD_GENERATORS[field]
    response = client_for(people["manager"]).post(ROOT + "ours/generators/", body, format="json")

    assert list(error_of(response, 400)["fields"]) == [field]
    assert ours.generators.count() == 1


def test_a_generator_on_a_server_needs_its_address_and_keeps_it(people, ours, settings):
    settings.PROVIDER_HOSTS = ["https://models.example.org:443"]
    manager, body = client_for(people["manager"]), GENERATOR | {"provider": "openai_compatible"}
    without = manager.post(ROOT + "ours/generators/", body, format="json")
    body["endpoint"] = "https://models.example.org/v1"
    made = manager.post(ROOT + "ours/generators/", body, format="json")

    assert list(error_of(without, 400)["fields"]) == ["endpoint"]
    assert made.json()["endpoint"] == "https://models.example.org/v1"
    assert ours.generators.get(name="new").extra == {"endpoint": "https://models.example.org/v1"}


def test_a_generator_has_prices_and_may_ask_for_several_samples_at_once(people, ours, settings):
    settings.PROVIDER_HOSTS = ["http://10.0.0.5:8000"]
    manager, body = client_for(people["manager"]), GENERATOR | {"provider": "openai_compatible", "n": True}
    body |= {"prompt_token_price": 0.5, "new_token_price": None}
    without = manager.post(ROOT + "ours/generators/", body, format="json")
    made = manager.post(ROOT + "ours/generators/", body | {"endpoint": "http://10.0.0.5:8000"}, format="json")

    assert list(error_of(without, 400)["fields"]) == ["endpoint"]
    assert [made.json()[name] for name in ("n", "prompt_token_price", "new_token_price")] == [True, 0.5, None]
    assert ours.generators.get(name="new").extra == {"endpoint": "http://10.0.0.5:8000", "n": True}


def test_candidates_say_their_tokens_and_cost(people, ours):
    tokens = {"prompt_tokens": 1000, "new_tokens": 200, "cost": 0.004}
    candidate = make_candidate(make_prompt(ours, "p2"), make_generator(ours, "paid"), **tokens)
    shown = client_for(people["manager"]).get(ROOT + "ours/candidates/").json()["results"]

    [known] = [each for each in shown if each["candidate_id"] == candidate.external_id]
    assert known.items() >= tokens.items()


def test_generation_starts_and_joins(people, ours):
    make_prompt(ours, "p2")
    client = client_for(people["manager"])
    first = client.post(ROOT + "ours/generation-runs/")
    second = client.post(ROOT + "ours/generation-runs/")

    assert first.status_code == 202
    assert [(run["generator"], run["planned"], run["done"]) for run in first.json()] == [("plain", 1, 0)]
    assert [run["id"] for run in second.json()] == [run["id"] for run in first.json()]
    assert client.get(ROOT + "ours/generation-runs/").json()["results"] == second.json()


def test_steps_of_a_campaign(people):
    campaign = make_open_campaign("running")
    join(people["manager"], campaign, "manager")
    client = client_for(people["manager"])

    for step, state in (("pause", "paused"), ("open", "open"), ("close", "closed")):
        assert client.post(f"{ROOT}running/{step}/").json()["state"] == state
        campaign.refresh_from_db()
        assert campaign.state == state


def test_candidates_can_be_filtered(people, ours):
    make_candidate(make_prompt(ours, "p2"), make_generator(ours, "hot"), text="Hot.")
    client = client_for(people["researcher"])

    for query in ({"prompt_id": "p2"}, {"generator": "hot"}):
        rows = client.get(ROOT + "ours/candidates/", query).json()["results"]
        assert [row["text"] for row in rows] == ["Hot."]
    assert client.get(ROOT + "ours/candidates/", {"state": "failed"}).json()["results"] == []


PARTS = [
    "prompts",
    "candidates",
    "criteria",
    "generators",
    "generation-runs",
    "strata",
    "progress",
    "ratings",
]


@pytest.mark.parametrize("address", ["", *(f"ours/{part}/" for part in PARTS)])
def test_queries_do_not_grow_with_rows(people, ours, address):
    client = client_for(people["manager"])
    GenerationRun.objects.create(generator=make_generator(ours))

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(ROOT + address).status_code == 200
        return len(captured)

    before = queries()
    for number in range(5):
        join(people["manager"], make_campaign(), "manager")
        make_criterion(ours, f"more-{number}")
        generator = make_generator(ours)
        GenerationRun.objects.create(generator=generator)
        make_candidate(make_prompt(ours), generator)

    assert queries() == before <= 9
