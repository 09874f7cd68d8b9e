"""Who is asked at all is decided before consent, and nothing is kept of those who are not."""

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import serializers
from django.test import Client

from annotations.assignment import next_seats
from annotations.models import Annotator, Identity, Quota, Recruitment
from collector.models import Campaign
from tests.builders import make_open_campaign, make_prompt
from tests.people import Person

pytestmark = pytest.mark.django_db
ID = {"PROLIFIC_PID": "5f2b8c1e9d4a7b3c6e0f1a2d"}


def rows_kept() -> int:
    return Annotator.objects.count() + Identity.objects.count() + Session.objects.count()


def test_when_every_seat_is_taken_nothing_is_asked_and_nothing_kept() -> None:
    campaign = make_open_campaign(prompts=1, strata=[], wildcard_seats=1)
    Quota.objects.update(taken=1)
    person = Person(campaign).join(**ID)

    assert "Every seat for you is taken" in person.text
    assert rows_kept() == 0


def test_a_seat_in_any_stratum_is_enough() -> None:
    campaign = make_open_campaign()
    Quota.objects.exclude(pk=Quota.objects.first().pk).update(taken=1)

    assert "I agree" in Person(campaign).join().text


def test_before_there_are_seats_nobody_is_told_that_they_are_gone() -> None:
    campaign = make_open_campaign()
    Quota.objects.all().delete()

    assert "I agree" in Person(campaign).join().text


def arabic_campaign() -> Campaign:
    campaign = make_open_campaign(strata=[], wildcard_seats=1, languages=["ar", "fa"])
    campaign.prompts.update(language="ar")
    Quota.objects.update(language="ar")
    return campaign


def test_who_reads_the_pages_in_another_language_is_asked_what_they_read() -> None:
    person = Person(arabic_campaign()).join(**ID)

    assert "Which of these do you read?" in person.text
    assert "العربيّة" in person.text


def test_their_answer_counts_for_the_seats_they_get() -> None:
    campaign = arabic_campaign()
    person = Person(campaign).join()._post("language/", {"language": ["ar"]}).agree().skip_profile()

    assert person.annotator.languages == ["ar"]
    assert person.is_rating


def test_who_reads_none_of_them_is_thanked_and_forgotten() -> None:
    campaign = arabic_campaign()
    person = Person(campaign).join()._post("language/", {})

    assert "Thank you for offering" in person.text
    assert rows_kept() == 0


def test_seats_in_other_languages_do_not_count() -> None:
    campaign = arabic_campaign()
    person = Person(campaign).join()._post("language/", {"language": ["fa"]})

    assert "Every seat for you is taken" in person.text


def test_who_reads_the_pages_in_the_campaigns_language_is_not_asked() -> None:
    campaign = arabic_campaign()
    person = Person(campaign, **{"Accept-Language": "ar"}).join()

    assert person.response.redirect_chain[-1][0] == f"/c/{campaign.slug}/consent/"


@pytest.mark.parametrize("given", [["xx"], ["en", "\0"]])
def test_a_language_the_campaign_has_not_is_none(given) -> None:
    assert "Thank you for offering" in Person(arabic_campaign())._post("language/", {"language": given}).text


def test_a_campaign_in_american_english_does_not_ask_readers_of_english() -> None:
    campaign = make_open_campaign(languages=["en-US"])

    assert Person(campaign).join().agree().annotator.languages == ["en-US"]


# --- those who took part before ----------------------------------------------------------------------


def later_campaign(earlier: Campaign) -> Campaign:
    campaign = make_open_campaign()
    Recruitment.objects.get(campaign=campaign).excludes.add(earlier)
    return campaign


def test_the_same_id_of_an_earlier_campaign_is_turned_away() -> None:
    earlier = make_open_campaign()
    Person(earlier).join(**ID).agree()
    person = Person(later_campaign(earlier)).join(**ID)

    assert "already taken part" in person.text
    assert person.agree().response.status_code == 409
    assert Annotator.objects.count() == 1


def test_so_is_the_same_browser() -> None:
    earlier = make_open_campaign()
    person = Person(earlier).join().agree()
    person.campaign = later_campaign(earlier)

    assert "already taken part" in person.join().text


def test_others_and_other_campaigns_are_not() -> None:
    earlier, unrelated = make_open_campaign(), make_open_campaign()
    Person(earlier).join(**ID).agree()
    later = later_campaign(earlier)

    assert Person(later).join(PROLIFIC_PID="another").agree().annotator
    assert Person(unrelated).join(**ID).agree().annotator


# --- a GET creates nothing -----------------------------------------------------------------------------


def test_no_page_creates_anything_when_it_is_only_opened() -> None:
    """Every address an annotator's pages link to, opened by a stranger and by an annotator."""
    campaign = make_open_campaign()
    make_prompt(campaign)
    annotator = Person(campaign).join(**ID).agree().skip_profile()
    next_seats(annotator.annotator, now=annotator.annotator.enrolled_at)
    before = dump()
    for client in (Client(), annotator.client):
        for path in ("", *(f"/c/{campaign.slug}/{page}/" for page in PAGES), "/my-data/", *DOORS):
            client.get(path.replace("SLUG", campaign.slug) or f"/join/{campaign.slug}/", follow=True)

    assert dump() == before


PAGES = ("language", "consent", "profile", "rate", "stop", "done", "withdraw")
DOORS = (
    "/join/SLUG/?PROLIFIC_PID=new",
    "/join/SLUG/?code=AAAAA",
    "/join/SLUG/?account=1",
    "/join/SLUG/?workerId=A1",
    "/join/SLUG/?token=x",
    "/join/SLUG/?id=1&sig=2",
    "/join/SLUG/?prolific_token=x",
)


def dump() -> str:
    """Every row of ours; sessions are how the browser itself is known."""
    ours = [apps.get_app_config(app) for app in ("collector", "annotations")]
    models = [model for app in ours for model in app.get_models()]
    return "\n".join(serializers.serialize("json", model.objects.order_by("pk")) for model in models)
