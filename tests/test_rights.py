"""What a person may do with what is held on them: see it all, change what they allow, and take it back."""

import json

import pytest
from django.test import Client

from annotations.consent import change_scopes, current_consent, ensure_documents, revise_documents
from annotations.held_data import SECRET, TOLD_APART, as_json
from annotations.models import Annotator, Completion, Consent, ConsentDocument, Rating, Scope, Seat
from collector.models import Campaign, Membership
from tests.builders import make_campaign, make_open_campaign, make_user
from tests.people import Person

pytestmark = pytest.mark.django_db


def a_person(campaign, **query) -> Person:
    person = Person(campaign).join(**query).agree()
    person.profile({"core-demographics.age_band": "55+", "free-text-values.self_description": "I keep bees."})
    return person.rate(acceptable=4, helpful=70)


def test_the_code_is_shown_as_soon_as_somebody_agreed_and_at_the_end() -> None:
    campaign = make_open_campaign(prompts=1)
    person = Person(campaign).join().agree()
    code = person.client.session["withdrawal_codes"][campaign.slug]

    assert code in person.text
    assert code in person.skip_profile().rate(acceptable=4, helpful=70).get("done/").text


def test_the_download_has_every_table_that_refers_to_a_person() -> None:
    held = as_json(a_person(make_open_campaign()).annotator)

    for relation in Annotator._meta.related_objects:
        if relation.related_model not in TOLD_APART:
            assert relation.get_accessor_name() in held
    assert len(held["ratings"]) == 4
    assert held["ratings"][0]["revision"] == 1
    assert held["consents"][0]["scopes"] == [scope.value for scope in Scope]
    assert held["seats"][0]["state"] == "filled"


def test_the_download_has_no_secret_of_the_server() -> None:
    person = a_person(make_open_campaign(), PROLIFIC_PID="abc")
    text = person.client.post("/my-data/export/").content.decode()

    assert "self_description" in text
    assert not any(f'"{name}"' in text for name in SECRET)
    assert person.annotator.withdrawal_hash not in text
    assert json.loads(text)["campaigns"][0]["identity"][0]["is_verified"] is False


def test_what_is_optional_can_be_changed_and_the_change_is_a_new_row() -> None:
    campaign = make_open_campaign()
    person = a_person(campaign)
    person.client.post(f"/my-data/consent/{campaign.slug}/", {"scope": ["release_ratings"]})

    assert current_consent(person.annotator).scopes == ["take_part", "release_ratings"]
    assert Consent.objects.count() == 2
    assert "Saved." in person.client.get("/my-data/").content.decode()


def test_the_same_scopes_again_store_nothing() -> None:
    annotator = a_person(make_open_campaign()).annotator
    change_scopes(annotator, [scope.value for scope in Scope])

    assert Consent.objects.count() == 1


def test_taking_part_is_neither_taken_back_nor_forged_by_a_change() -> None:
    campaign = make_open_campaign()
    person = a_person(campaign)
    person.client.post(f"/my-data/consent/{campaign.slug}/", {"scope": ["everything", "take_part"]})

    assert current_consent(person.annotator).scopes == ["take_part"]


def test_a_stranger_changes_nobodys_consent() -> None:
    campaign = make_open_campaign()
    a_person(campaign)
    Client().post(f"/my-data/consent/{campaign.slug}/", {"scope": []})

    assert Consent.objects.count() == 1


def test_one_button_withdraws_from_every_campaign() -> None:
    person = a_person(make_open_campaign())
    second = Person(make_open_campaign(slug="second"))
    second.client = person.client
    second.join().agree().skip_profile()

    assert "Withdraw from everything" in person.client.get("/my-data/").content.decode()
    assert "Second" in person.client.get("/my-data/withdraw/").content.decode()
    assert "You have withdrawn" in person.client.post("/my-data/withdraw/", {"confirm": "1"}).content.decode()
    assert set(Annotator.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert not Rating.objects.exists()


def test_after_withdrawing_no_table_tells_anything_of_the_person() -> None:
    """Also not one that is added later: what may stay has to be named here."""
    may_stay = {Consent, Seat, Completion}
    person = a_person(make_open_campaign(), PROLIFIC_PID="abc")
    annotator = person.annotator
    person.withdraw()

    for relation in Annotator._meta.related_objects:
        rows = relation.related_model.objects.filter(**{relation.field.name: annotator})
        assert relation.related_model in may_stay or not rows.exists()
    assert annotator.consents.exists()


def test_looking_at_the_way_out_withdraws_nobody() -> None:
    person = a_person(make_open_campaign())
    person.client.get("/my-data/withdraw/")
    person.client.post("/my-data/withdraw/", {})

    assert not person.annotator.is_withdrawn


def a_campaign_with_texts() -> Campaign:
    campaign = make_campaign()
    ensure_documents(campaign)
    return campaign


def test_a_revised_text_is_a_new_version_in_every_language() -> None:
    campaign = a_campaign_with_texts()
    before = {one.language: one.sha256 for one in campaign.consent_documents.all()}
    version = revise_documents(campaign, {"en": "# New\n\nOther words.\n"})
    newest = {one.language: one for one in campaign.consent_documents.filter(version=version)}

    assert version == 2
    assert set(newest) == set(before)
    assert newest["en"].title == "New"
    assert all(one.sha256 == before[language] for language, one in newest.items() if language != "en")


def test_the_same_text_again_makes_no_version() -> None:
    campaign = a_campaign_with_texts()
    text = campaign.consent_documents.get(language="en").markdown

    assert revise_documents(campaign, {"en": text.replace("\n", "\r\n")}) == 1


def test_a_document_is_never_overwritten() -> None:
    document = a_campaign_with_texts().consent_documents.first()
    document.text = "Other words."

    with pytest.raises(ValueError, match="written once"):
        document.save()


def test_a_manager_revises_the_text_in_the_console() -> None:
    campaign = make_open_campaign()
    person = a_person(campaign)
    user = make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.MANAGER)
    manager = Client()
    manager.force_login(user)
    address = f"/console/c/{campaign.slug}/consent/"
    texts = {one.language: one.markdown for one in campaign.consent_documents.all()}

    refused = manager.post(address, texts | {"en": "# Only a heading"})
    assert refused.status_code == 400
    assert ConsentDocument.objects.filter(version=2).count() == 0

    manager.post(address, texts | {"en": "# Please read again\n\nWe now keep more."})
    assert "Please read again" in person.get("rate/").text
    assert "1 person agreed" in manager.get(address).content.decode()
