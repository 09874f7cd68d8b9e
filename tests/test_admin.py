"""Django's admin: every page answers with few queries, and facts cannot be changed through it."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotations.models import (
    Annotator,
    Ballot,
    Choice,
    Consent,
    ProfileSummary,
    Rating,
    Seat,
    SuppliedText,
    ValueProfile,
)
from collector.models import Campaign, GenerationRun, Membership
from collector.rating_form import current_form
from exports.models import Release, ReleaseFile
from tests.builders import make_open_campaign, make_user

pytestmark = pytest.mark.django_db
MOST_QUERIES = 20
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in REGISTERED if model._meta.app_label in ("collector", "annotations", "exports")]


def address(page, model, *keys):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=keys)


@pytest.fixture
def operator(client):
    user = make_user("operator", is_staff=True, is_superuser=True)
    client.force_login(user)
    return user


def fill(campaign):
    """A row or more of every kind."""
    now = timezone.now()
    form = current_form(campaign)
    criterion = campaign.criteria.first()
    for prompt in campaign.prompts.all():
        annotator = Annotator.objects.create(campaign=campaign, stratum=campaign.strata_cells.first())
        document = campaign.consent_documents.first()
        Consent.objects.create(annotator=annotator, document=document, scopes=["take_part"])
        profile = ValueProfile.objects.create(annotator=annotator, version=1)
        ProfileSummary.objects.create(profile=profile)
        seat = Seat.objects.create(
            campaign=campaign,
            prompt=prompt,
            stratum=annotator.stratum,
            annotator=annotator,
            state="filled",
            held_at=now,
            held_until=now,
        )
        ballot = Ballot.objects.create(seat=seat, form=form)
        chosen, rejected = prompt.candidates.all()
        rating = {"ballot": ballot, "annotator": annotator, "criterion": criterion}
        Rating.objects.create(**rating, candidate=chosen, value=3)
        Choice.objects.create(**rating, prompt=prompt, chosen=chosen, rejected=rejected)
        SuppliedText.objects.create(
            campaign=campaign,
            instrument="tipi",
            language="en",
            attested_by=make_user(),
            attested_at=now,
        )
    for generator in campaign.generators.all():
        GenerationRun.objects.create(generator=generator)
    for number in range(3):
        release = Release.objects.create(
            campaign=campaign, version=f"1.{number}.0", state="draft", cutoff=now
        )
        ReleaseFile.objects.create(release=release, path="README.md", sha256="0" * 64, size=1)


def count_queries(client, page):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(page)
    assert response.status_code == 200, page
    return len(queries)


def test_every_list_answers_with_queries_that_do_not_grow(client, operator):
    fill(make_open_campaign(prompts=2))
    few = {model: count_queries(client, address("changelist", model)) for model in REGISTERED}
    for _more in range(2):
        fill(make_open_campaign(prompts=4))
    many = {model: count_queries(client, address("changelist", model)) for model in REGISTERED}

    assert {model: (few[model], n) for model, n in many.items() if n > few[model]} == {}
    assert max(many.values()) <= MOST_QUERIES


def test_every_row_can_be_looked_at(client, operator):
    campaign = make_open_campaign(prompts=2)
    Membership.objects.create(campaign=campaign, user=operator, role="manager")
    fill(campaign)
    rows = {model: model.objects.first() for model in OURS}

    assert [model for model, row in rows.items() if row is None] == []
    queries = {model: count_queries(client, address("change", model, row.pk)) for model, row in rows.items()}
    assert {model: n for model, n in queries.items() if n > MOST_QUERIES} == {}


def test_rows_can_be_searched(client, operator):
    fill(make_open_campaign(prompts=2))
    searched = [model for model in OURS if admin.site._registry[model].search_fields]

    assert {client.get(address("changelist", model) + "?q=p1").status_code for model in searched} == {200}


@pytest.mark.parametrize("model", [Annotator, Ballot, Choice, Consent, Rating, Seat, ValueProfile, Release])
def test_facts_are_read_only(client, operator, model):
    fill(make_open_campaign(prompts=1))
    row = model.objects.first()

    assert client.get(address("add", model)).status_code == 403
    assert client.post(address("change", model, row.pk), {"value": "1"}).status_code == 403
    assert client.post(address("delete", model, row.pk), {"post": "yes"}).status_code == 403


def test_identities_are_not_in_the_admin():
    assert {"Identity", "Tombstone"}.isdisjoint(model.__name__ for model in REGISTERED)


def test_a_campaigns_state_cannot_be_typed_in(client, operator):
    campaign = make_open_campaign()
    page = address("change", Campaign, campaign.pk)
    client.post(page, {"title": "Renamed", "state": "closed", "lease_minutes": 30})

    campaign.refresh_from_db()
    assert campaign.state == "open"


def test_an_open_campaigns_criteria_stand_still(client, operator):
    criterion = make_open_campaign().criteria.first()

    assert client.post(address("change", type(criterion), criterion.pk), {}).status_code == 403


def test_managers_who_are_not_staff_stay_out(client):
    client.force_login(make_user())

    assert client.get(reverse("admin:index")).status_code == 302


def test_only_the_admin_has_a_wider_policy(client, operator):
    admin_policy = client.get(reverse("admin:index")).headers["Content-Security-Policy"]
    console_policy = client.get(reverse("console:campaigns")).headers["Content-Security-Policy"]

    # The directives come in any order: django-csp keeps what is widened in a set.
    sources = {name: set(values) for name, *values in (part.split() for part in admin_policy.split(";"))}
    assert sources["script-src"] == {"'self'", "'unsafe-eval'"}
    assert "unsafe" not in console_policy
