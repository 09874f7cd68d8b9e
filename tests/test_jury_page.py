"""The jury's page and its part of the API: what a manager sets, foresees and draws."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotations.models import Quota, Volunteer
from annotations.progress import seats_by_stratum
from collector.models import Campaign, Membership
from tests.api_client import client_for
from tests.builders import AGE, GENDER, make_campaign, make_open_campaign, make_prompt, make_user

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
POOL = "volunteer_id,side\n" + "".join(f"v{n},{'left' if n < 6 else 'right'}\n" for n in range(8))


@pytest.fixture
def manager(client):
    user = make_user()
    client.force_login(user)
    return user


def manage(user, campaign):
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.MANAGER)
    return campaign


def address(name, campaign):
    return reverse(f"console:{name}", args=[campaign.slug])


def filled_in(client, campaign, **changes):
    """The form as the page has it, with changes."""
    form = client.get(address("jury", campaign)).context["form"]
    sent = {field.html_name: field.value() for field in form}
    return {name: value for name, value in (sent | changes).items() if value is not None}


@pytest.fixture
def draft(manager):
    campaign = manage(manager, make_campaign(strata=[AGE], seats_per_stratum=2))
    for _ in range(10):
        make_prompt(campaign)
    return campaign


def test_seats_may_differ_from_stratum_to_stratum(client, draft):
    response = client.post(address("jury", draft), filled_in(client, draft, **{"seats-1": 5}))

    assert response.status_code == 302
    draft.refresh_from_db()
    assert draft.stratum_seats == {"35-54": 5}
    # 2 + 5 + 2 seats, of which 15% more: 9 x 0.15 / 0.85 = 1.6, so 2.
    assert [row.seats for row in draft.strata_cells.all()] == [2, 5, 2, 2]


def test_raising_the_usual_seats_raises_all_that_were_usual(client, draft):
    client.post(address("jury", draft), filled_in(client, draft, **{"seats-1": 5}))

    client.post(address("jury", draft), filled_in(client, draft, seats_per_stratum=3))

    assert [row.seats for row in draft.strata_cells.all()] == [3, 5, 3, 2]


def test_the_forecast_follows_what_is_typed_and_keeps_nothing(client, draft):
    sent = filled_in(client, draft, **{"seats-0": 20}, max_seats_per_annotator=5, dropout_percent=50)

    part = client.post(address("jury_forecast", draft), sent).content.decode()
    page = client.post(address("jury", draft), sent | {"action": "forecast"}).content.decode()

    for text in (part, page):
        # 20 seats on 10 prompts, 5 a person: 40 people, of 80 who come; at 20 people .30 to .70.
        assert "80" in text
        assert "0.30–0.70" in text
        assert "2 strata have fewer than 20 seats" in text
    assert Campaign.objects.get(pk=draft.pk).stratum_seats == {}


def test_half_a_number_leaves_the_forecast_as_it_was(client, draft):
    response = client.post(address("jury_forecast", draft), filled_in(client, draft, lease_minutes=""))

    assert response.status_code == 204


def test_strata_from_a_score_part_at_thirds_unless_told(client, draft):
    client.post(address("jury", draft), filled_in(client, draft, score="safety"))
    draft.refresh_from_db()

    # Nine cells: three ages by three levels of a slider from 0 to 100.
    assert draft.strata[1]["cuts"] == [pytest.approx(100 / 3), pytest.approx(200 / 3)]
    assert draft.strata_cells.count() == 10

    client.post(address("jury", draft), filled_in(client, draft, lower_cut=40, upper_cut=80))
    draft.refresh_from_db()
    assert draft.strata[1]["cuts"] == [40.0, 80.0]


def test_a_third_attribute_is_refused_seats_and_may_be_balanced(client, manager):
    campaign = manage(manager, make_campaign(strata=[AGE, GENDER]))

    refused = client.post(address("jury", campaign), filled_in(client, campaign, score="safety"))
    assert refused.status_code == 400
    assert "at most 2 attributes" in refused.content.decode()

    client.post(address("jury", campaign), filled_in(client, campaign, soft_targets=["education"]))
    campaign.refresh_from_db()
    assert [target["attribute"] for target in campaign.soft_targets] == ["education"]
    assert len(campaign.strata) == 2


def test_settings_keep_strata_that_are_made_from_a_score(client, draft):
    client.post(address("jury", draft), filled_in(client, draft, score="safety"))
    form = client.get(reverse("console:campaign_edit", args=[draft.slug])).context["form"]
    sent = {field.html_name: field.value() for field in form if field.value() is not None}

    assert client.post(reverse("console:campaign_edit", args=[draft.slug]), sent).status_code == 302
    draft.refresh_from_db()
    assert [entry["attribute"] for entry in draft.strata] == ["age_band", "score_safety"]


def test_seats_can_be_raised_while_people_rate(client, manager):
    campaign = manage(manager, make_open_campaign(prompts=2, strata=SIDES, wildcard_seats=1))

    response = client.post(address("jury", campaign), filled_in(client, campaign, **{"seats-0": 3}))

    assert response.status_code == 302
    assert [row["open"] for row in seats_by_stratum(campaign)] == [6, 2, 2]
    campaign.refresh_from_db()
    assert campaign.stratum_seats == {"left": 3}


def test_researchers_and_strangers_see_no_jury_page(client, manager):
    campaign = make_open_campaign()
    assert client.get(address("jury", campaign)).status_code == 404

    Membership.objects.create(campaign=campaign, user=manager, role=Membership.Role.RESEARCHER)
    for name in ("jury", "jury_forecast"):
        assert client.get(address(name, campaign)).status_code == 403
    assert client.post(address("draw_panel", campaign)).status_code == 403


def test_a_panel_is_drawn_and_its_codes_come_as_a_file(client, manager):
    campaign = manage(manager, make_open_campaign(strata=SIDES))
    quotas = "attribute,level,minimum,maximum\nside,left,2,2\nside,right,2,2\n"

    response = client.post(
        address("draw_panel", campaign),
        {
            "pool": SimpleUploadedFile("pool.csv", POOL.encode()),
            "quotas": SimpleUploadedFile("quotas.csv", quotas.encode()),
            "size": 4,
        },
    )

    assert response["Content-Disposition"].endswith('-panel.csv"')
    assert len(response.content.decode().splitlines()) == 5
    assert Volunteer.objects.exclude(invitation=None).count() == 4


@pytest.mark.parametrize(
    ("pool", "more", "said"),
    [
        ("volunteer_id,side\na,left\na,right\n", {}, "line 3: &quot;volunteer_id&quot; is there twice"),
        (POOL, {"proportional": "town"}, "line 2: &quot;town&quot; is missing"),
        (POOL, {"size": 9}, "smaller than the pool"),
    ],
)
def test_what_is_wrong_with_a_pool_is_said_on_the_page(client, manager, pool, more, said):
    campaign = manage(manager, make_open_campaign(strata=SIDES))
    sent = {"pool": SimpleUploadedFile("pool.csv", pool.encode()), "size": 1} | more

    response = client.post(address("draw_panel", campaign), sent)

    assert response.status_code in (400, 409)
    assert said in response.content.decode()
    assert not Volunteer.objects.exists()


def test_the_api_forecasts_and_changes_seats(manager):
    campaign = manage(manager, make_open_campaign("ours", prompts=2, strata=SIDES, wildcard_seats=1))

    forecast = client_for(manager).get("/api/v1/campaigns/ours/forecast/").json()
    changed = client_for(manager).patch("/api/v1/campaigns/ours/strata/1/", {"seats": 4}, format="json")

    assert (forecast["people"], forecast["seats"], forecast["thin"]) == (3, 3, ["left", "right"])
    assert forecast["strata"][0]["on_a_jury"] == [
        pytest.approx(0.0546, abs=1e-3),
        pytest.approx(0.9454, abs=1e-3),
    ]
    assert (changed.status_code, changed.json()["seats"]) == (200, 4)
    assert Quota.objects.filter(campaign=campaign, stratum__label="right").first().seats == 4
    assert client_for(manager).patch("/api/v1/campaigns/ours/strata/9/", {"seats": 4}).status_code == 404
