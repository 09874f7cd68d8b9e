"""Tests of collector/diversity_api.py and of the marks in the API's candidates."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from collector.marking import mark_candidates
from collector.models import Candidate, Membership
from tests.api_client import client_for, error_of
from tests.builders import make_campaign, make_candidate, make_generator, make_prompt, make_user

pytestmark = pytest.mark.django_db
TELL = "You should tell her the truth before she hears it from somebody else."


@pytest.fixture
def campaign():
    cache.clear()
    campaign = make_campaign("ours")
    prompt = make_prompt(campaign, "p")
    plain, people = make_generator(campaign, "plain"), make_generator(campaign, "people", provider="imported")
    type(people).objects.filter(pk=people.pk).update(written_by_people=True)
    for n, text in enumerate([TELL, TELL, "As an AI, I have no opinion."]):
        make_candidate(prompt, plain, text, sample_index=n)
    for n, text in enumerate([TELL, "Wait until summer.", "Ask your brother first."]):
        make_candidate(prompt, people, text, sample_index=n)
    stranger = make_campaign("theirs")
    make_candidate(make_prompt(stranger, "q"), make_generator(stranger), TELL)
    while mark_candidates(timezone.now()):
        pass
    return campaign


@pytest.fixture
def client(campaign):
    user = make_user()
    Membership.objects.create(user=user, campaign=campaign, role=Membership.Role.MANAGER)
    return client_for(user)


def test_the_figures_are_listed_by_prompt_and_generator(client):
    rows = client.get("/api/v1/campaigns/ours/diversity/").json()["results"]

    assert [(row["prompt_id"], row["generator"], row["candidates"], row["distinct"]) for row in rows] == [
        ("p", "plain", 3, 2),
        ("p", "people", 3, 3),
    ]
    assert rows[0]["people"] == 3
    assert 0 < rows[0]["dispersion"] < rows[0]["people_dispersion"]
    assert rows[0]["coverage"] >= 1 / 3
    assert rows[1]["coverage"] is None


def test_they_can_be_narrowed_down(client):
    rows = client.get("/api/v1/campaigns/ours/diversity/", {"generator": "people"}).json()["results"]

    assert [row["generator"] for row in rows] == ["people"]


def test_a_stranger_does_not_see_them(campaign):
    error_of(client_for(make_user()).get("/api/v1/campaigns/ours/diversity/"), 404)


def test_candidates_carry_their_marks(client):
    rows = client.get("/api/v1/campaigns/ours/candidates/", {"generator": "plain"}).json()["results"]

    assert [row["duplicate_of"] for row in rows] == [None, "p-plain-0", None]
    assert [row["flags"] for row in rows] == [[], [], ["self_identifying"]]
    assert [row["left_out"] for row in rows] == ["", "", ""]


def test_a_changed_setting_has_a_drafts_candidates_marked_anew(client, campaign):
    response = client.patch("/api/v1/campaigns/ours/", {"leaves_out_self_identifying": True}, format="json")
    assert response.status_code == 200
    mark_candidates(timezone.now())

    left_out = Candidate.objects.exclude(left_out="")
    assert [row.external_id for row in left_out] == ["p-plain-2"]


def test_a_similarity_above_one_is_refused(client):
    response = client.patch("/api/v1/campaigns/ours/", {"duplicate_threshold": 1.5}, format="json")

    assert "duplicate_threshold" in error_of(response, 400)["fields"]
