"""The console's page of recruitment and pay, and what only a manager may do there."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotations.entry.panel import panel_secret
from annotations.models import Annotator, Completion, InvitationCode, Recruitment
from collector.models import Campaign, Membership
from tests.builders import make_campaign, make_open_campaign, make_user
from tests.people import Person

pytestmark = pytest.mark.django_db
FORM = {
    "ways": ["link", "prolific"],
    "retention_days": "60",
    "currency": "usd",
    "reward_complete": "3.00",
    "reward_partial": "1",
    "reward_screened_out": "0",
    "target_hourly": "12",
}


@pytest.fixture
def campaign() -> Campaign:
    return make_open_campaign(
        prompts=1, strata=[], wildcard_seats=5, recruitment={"keep_ids": True, "reward_complete": 1}
    )


@pytest.fixture
def manager(campaign) -> Client:
    return signed_in(campaign, "manager")


def signed_in(campaign: Campaign, role: str) -> Client:
    user = make_user()
    Membership.objects.create(campaign=campaign, user=user, role=role)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(campaign: Campaign, part: str = "") -> str:
    return f"/console/c/{campaign.slug}/recruitment/{part}"


def text(response) -> str:
    return response.content.decode()


def test_the_settings_are_saved(campaign, manager) -> None:
    answer = manager.post(address(campaign), FORM)
    rules = Recruitment.objects.get(campaign=campaign)

    assert answer.status_code == 302
    assert rules.ways == ["link", "prolific"]
    assert (rules.currency, rules.reward_complete, rules.allow_unverified) == ("USD", 3, False)


def test_a_campaign_without_settings_shows_the_usual_ones_and_stores_none(manager, campaign) -> None:
    draft = make_campaign()
    Membership.objects.create(campaign=draft, user_id=manager.session["_auth_user_id"], role="manager")

    assert manager.get(address(draft)).status_code == 200
    assert not Recruitment.objects.filter(campaign=draft).exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("ways", [], "required"),
        ("ways", ["teleport"], "not one of the available choices"),
        ("currency", "dollars", "at most 3"),
        ("currency", "U$", "Three letters"),
        ("reward_complete", "-1", "Not less than nothing"),
        ("retention_days", "4000", "At most ten years"),
        ("return_url", "https://evil.example/", "that the operator allows"),
        ("code_partial", "a b", "Letters, digits"),
        ("prolific_study", "60aa", "Give both ids"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(campaign, manager, field, value, said) -> None:
    answer = manager.post(address(campaign), FORM | {field: value})

    assert answer.status_code == 400
    assert said in text(answer)
    assert Recruitment.objects.get(campaign=campaign).reward_complete == 1


def test_only_campaigns_one_may_see_can_be_excluded(campaign, manager) -> None:
    foreign = make_campaign()
    answer = manager.post(address(campaign), FORM | {"excludes": [foreign.pk]})

    assert answer.status_code == 400
    assert foreign.title not in text(manager.get(address(campaign)))


def test_codes_are_downloaded_and_work(campaign, manager) -> None:
    answer = manager.post(address(campaign, "codes/"), {"references": "member 1\r\n\r\n=cmd()", "count": "1"})
    rows = list(csv.DictReader(io.StringIO(text(answer).lstrip("\ufeff"))))

    assert [row["reference"] for row in rows] == ["member 1", "'=cmd()", ""]
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert Person(campaign).join(code=rows[0]["code"]).agree().annotator.source == "invitation"
    assert "3 codes, 1 used" in text(manager.get(address(campaign)))


@pytest.mark.parametrize("count", ["", "0", "-1", "99999", "many", "٣"])
def test_a_senseless_number_of_codes_makes_none(campaign, manager, count: str) -> None:
    assert manager.post(address(campaign, "codes/"), {"count": count}).status_code == 400
    assert not InvitationCode.objects.exists()


@pytest.mark.parametrize(
    ("content", "status", "codes"),
    [
        (b"code\nf1e2d3c4b5a697887766554433221100\n", 302, 1),
        (b"\xef\xbb\xbfcode\nf1e2d3c4b5a697887766554433221100\n", 302, 1),
        (b"code\n1234\n", 400, 0),
        (b"code\n\xff\xfe\n", 400, 0),
        (b"code\n\x00\x00", 400, 0),
    ],
)
def test_codes_are_uploaded_or_refused_in_words(campaign, manager, content, status, codes) -> None:
    file = SimpleUploadedFile("codes.csv", content)
    answer = manager.post(address(campaign, "codes/upload/"), {"file": file})

    assert answer.status_code == status
    assert InvitationCode.objects.count() == codes


def done(campaign: Campaign, platform_id: str) -> Annotator:
    person = Person(campaign).join(PROLIFIC_PID=platform_id).agree().skip_profile()
    return person.rate(acceptable=4, helpful=70).annotator


def test_the_payments_file_and_marking_as_paid(campaign, manager) -> None:
    done(campaign, "5f2b8c1e")
    page = text(manager.get(address(campaign)))
    form = {"platform": "prolific", "up_to": re.search(r'name="up_to" value="(\d+)"', page)[1]}
    assert "5f2b8c1e" not in page
    file = manager.post(address(campaign, "payments/"), form)
    assert "5f2b8c1e" in text(file)
    assert "no-store" in file["Cache-Control"]
    done(campaign, "late")
    manager.post(address(campaign, "paid/"), form)

    assert Completion.objects.filter(paid_at__isnull=False).get().annotator.identity.sealed
    assert "late" in text(manager.post(address(campaign, "payments/"), form | {"up_to": "999999999"}))


@pytest.mark.parametrize(
    "form", [{}, {"platform": "x", "up_to": "1"}, {"platform": "prolific", "up_to": "z"}]
)
def test_a_broken_form_pays_nobody(campaign, manager, form) -> None:
    assert manager.post(address(campaign, "paid/"), form).status_code == 400
    assert manager.post(address(campaign, "payments/"), form).status_code == 400


def test_low_pay_is_warned_of(campaign, manager) -> None:
    done(campaign, "5f")
    Annotator.objects.get().seats.first().ballots.update(active_seconds=3600)

    assert "less than the 12" in text(manager.get(address(campaign)))
    assert "less than the 12" in text(manager.get(address(campaign, "pay/")))


def test_the_panels_secret_can_be_renewed(campaign, manager) -> None:
    before = panel_secret(Recruitment.objects.get(campaign=campaign))
    assert before in text(manager.get(address(campaign)))
    manager.post(address(campaign, "secret/"))

    assert before not in text(manager.get(address(campaign)))


POSTS = ["", "secret/", "codes/", "codes/upload/", "payments/", "paid/"]


@pytest.mark.parametrize("part", POSTS)
def test_only_managers_get_here(campaign, part: str) -> None:
    form = FORM | {"platform": "prolific", "up_to": "1", "count": "1"}
    researcher = signed_in(campaign, "researcher")
    stranger = signed_in(make_campaign(), "manager")

    assert researcher.post(address(campaign, part), form).status_code == 403
    assert stranger.post(address(campaign, part), form).status_code == 404
    assert Client().post(address(campaign, part), form).status_code == 302
    assert not InvitationCode.objects.exists()


@pytest.mark.parametrize("part", POSTS[1:])
def test_nothing_changes_by_a_link(campaign, manager, part: str) -> None:
    assert manager.get(address(campaign, part)).status_code == 405


def test_the_page_asks_as_often_for_many_people_as_for_few(
    campaign, manager, django_assert_max_num_queries
) -> None:
    for name in "abcd":
        done(campaign, name)

    with django_assert_max_num_queries(25):
        manager.get(address(campaign))
