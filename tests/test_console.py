"""The console: who may see and do what, and that mistakes end in words."""

import pytest
from django.urls import reverse
from django.utils import timezone

from collector.models import Campaign, Membership
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
Role = Membership.Role


def sign_in(client, campaign=None, role=Role.MANAGER, **fields):
    user = make_user(**fields)
    if campaign is not None:
        Membership.objects.create(campaign=campaign, user=user, role=role)
    client.force_login(user)
    return user


def address(name, campaign, *more):
    return reverse(f"console:{name}", args=[campaign.slug, *more])


def text(response):
    return response.content.decode()


READ = ("campaign", "campaign_progress", "releases_part")
MANAGE = ("campaign_edit", "prompts", "criteria", "generators", "consent", "join_link")
ACT = ("campaign_state", "generate", "simulate", "cut_release", "prompts_upload")


@pytest.mark.parametrize(
    ("who", "read", "manage"),
    [("manager", 200, 200), ("researcher", 200, 403), ("stranger", 404, 404), ("anonymous", 302, 302)],
)
def test_who_may_see_what(client, who, read, manage):
    campaign = make_open_campaign()
    if who == "stranger":
        sign_in(client, make_campaign())
    elif who != "anonymous":
        sign_in(client, campaign, role=Role(who))

    assert {client.get(address(name, campaign)).status_code for name in READ} == {read}
    assert {client.get(address(name, campaign)).status_code for name in MANAGE} == {manage}


@pytest.mark.parametrize(("who", "status"), [("researcher", 403), ("stranger", 404), ("anonymous", 302)])
def test_only_managers_act(client, who, status):
    campaign = make_open_campaign(is_demo=True)
    if who == "stranger":
        sign_in(client, make_campaign())
    elif who != "anonymous":
        sign_in(client, campaign, role=Role(who))
    post = {"action": "close", "annotators": "3", "version": "1.0.0"}

    assert {client.post(address(name, campaign), post).status_code for name in ACT} == {status}
    campaign.refresh_from_db()
    assert campaign.is_open


def test_nothing_is_done_by_a_link(client):
    campaign = make_open_campaign()
    sign_in(client, campaign)

    assert {client.get(address(name, campaign)).status_code for name in ACT} == {405}
