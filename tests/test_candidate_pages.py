"""Tests of console/candidate_pages.py: candidates with their marks, and what a manager decides of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from collector.marking import mark_candidates
from collector.models import Campaign, Candidate, Generator, Membership
from console.generator_form import PlanForm
from tests.builders import make_campaign, make_candidate, make_generator, make_prompt, make_user

pytestmark = pytest.mark.django_db
TELL = "You should tell her the truth before she hears it from somebody else."
WAIT = "Wait until summer; by then it will be forgotten."


@pytest.fixture
def campaign():
    return make_campaign("study")


@pytest.fixture
def manager(client, campaign):
    user = make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.MANAGER)
    client.force_login(user)
    return client


def add(campaign, prompt_id, *texts, name="plain", **fields):
    prompt = campaign.prompts.filter(external_id=prompt_id).first() or make_prompt(campaign, prompt_id)
    generator = campaign.generators.filter(name=name).first() or make_generator(campaign, name, **fields)
    for n, text in enumerate(texts):
        make_candidate(prompt, generator, text, sample_index=n)
    return prompt


def address(name, campaign, *more):
    return reverse(f"console:{name}", args=[campaign.slug, *more])


def mark():
    while mark_candidates(timezone.now()):
        pass


def test_the_prompts_are_listed_with_their_marks(manager, campaign):
    add(campaign, "p1", TELL, TELL, "As an AI, I have no opinion.")
    add(campaign, "p2", WAIT)
    mark()
    page = manager.get(address("candidates", campaign))
    [first, second] = page.context["rows"]

    assert (first.done, first.repeated, first.flagged, first.left_out) == (3, 1, 1, 0)
    assert (second.done, second.repeated, second.flagged, second.left_out) == (1, 0, 0, 0)
    assert "plain" in page.content.decode()


def test_the_most_alike_can_come_first(manager, campaign):
    add(campaign, "p1", TELL, WAIT)
    add(campaign, "p2", TELL, TELL)
    add(campaign, "p3", TELL)
    mark()
    page = manager.get(address("candidates", campaign), {"order": "dispersion"})

    assert [prompt.external_id for prompt in page.context["rows"]] == ["p2", "p1", "p3"]


def test_a_long_list_comes_in_pages_and_with_as_many_queries(manager, campaign):
    add(campaign, "p0", TELL)
    with CaptureQueriesContext(
        connection,
    ) as short:
        manager.get(address("candidates", campaign))
    for n in range(1, 55):
        add(campaign, f"p{n}", TELL, WAIT)
    mark()
    with CaptureQueriesContext(connection) as long:
        page = manager.get(address("candidates", campaign))

    assert len(page.context["rows"]) == 50
    assert 'rel="next"' in page.content.decode()
    assert len(long) <= len(short) + 1


def test_a_prompts_candidates_stand_side_by_side_with_why_juries_do_not_see_them(manager, campaign):
    Campaign.objects.update(leaves_out_refusals=True)
    prompt = add(campaign, "p", TELL, TELL, "I'm sorry, but I can't help with that.")
    mark()
    page = manager.get(address("prompt_candidates", campaign, prompt.pk)).content.decode()

    assert page.count("<article") == 3
    assert "Nearly the same as p-plain-0" in page
    assert "refuses to answer" in page
    assert "Juries do not see it:" in page


def test_what_a_model_wrote_is_no_markup(manager, campaign):
    prompt = add(campaign, "p", "<script>alert(1)</script> **yes**")
    page = manager.get(address("prompt_candidates", campaign, prompt.pk)).content.decode()

    assert "<script>alert" not in page
    assert "<strong>yes</strong>" in page


def test_strangers_and_prompts_of_other_campaigns_are_not_found(client, manager, campaign):
    other = add(make_campaign("theirs"), "q", TELL)
    assert manager.get(address("prompt_candidates", campaign, other.pk)).status_code == 404

    client.force_login(make_user())
    assert client.get(address("candidates", campaign)).status_code == 404


def test_a_researcher_reads_and_does_not_change(client, campaign):
    add(campaign, "p", TELL, name="friends", provider="imported")
    user = make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.RESEARCHER)
    client.force_login(user)

    assert client.get(address("candidates", campaign)).status_code == 200
    assert client.post(address("candidates_people", campaign), {"generator": "friends"}).status_code == 403
    assert not Generator.objects.get(name="friends").written_by_people


def test_the_manager_says_which_candidates_people_wrote(manager, campaign):
    add(campaign, "p", TELL, WAIT, "Ask your brother.", name="friends", provider="imported")
    add(campaign, "p", TELL, TELL)
    mark()
    manager.post(address("candidates_people", campaign), {"generator": ["friends", "plain"]})
    mark()
    page = manager.get(address("candidates", campaign)).content.decode()

    assert list(Generator.objects.filter(written_by_people=True).values_list("name", flat=True)) == [
        "friends"
    ]
    assert "of them covered" in page


def test_a_threshold_that_is_no_similarity_is_refused(manager, campaign):
    page = manager.post(address("campaign_edit", campaign), {"duplicate_threshold": "7"})

    assert page.context["form"].errors["duplicate_threshold"] == ["Must be from 0.01 to 1."]


def test_a_changed_plan_of_a_generator_counts_for_the_marks_there_are(manager, campaign):
    add(campaign, "p", TELL, TELL)
    mark()
    generator = campaign.generators.get()
    form = PlanForm({"samples": 2, "distinct_samples": 2}, instance=generator)
    form.save()
    mark()

    assert list(Candidate.objects.order_by("pk").values_list("left_out", flat=True)) == ["", "duplicate"]


def test_the_campaigns_page_says_that_candidates_are_being_compared(manager, campaign):
    add(campaign, "p", TELL, WAIT)
    campaign.generators.update(distinct_samples=2)
    assert "2 are being compared" in manager.get(address("campaign", campaign)).content.decode()

    mark()
    assert "being compared" not in manager.get(address("campaign", campaign)).content.decode()
