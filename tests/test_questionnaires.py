"""A campaign's questionnaires: chosen by its manager, asked in words that may be used, in a fit language."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from annotations.instruments import InstrumentError
from annotations.models import Annotator, SuppliedText, ValueProfile
from annotations.profiles import record_profile
from annotations.questionnaires import (
    ATTESTATION,
    TextRefused,
    campaign_texts,
    missing_instruments,
    supply_text,
)
from collector.lifecycle import NotReady, open_campaign
from collector.models import Campaign, Membership
from tests.api_client import client_for, error_of
from tests.builders import AGE, make_campaign, make_generator, make_open_campaign, make_user
from tests.people import Person

pytestmark = pytest.mark.django_db


def make_words(instrument="tipi", version="1.0.0", language="en", question="Number {n} of mine", items=10):
    """A text of an owner's own for an instrument whose items are numbered."""
    lines = [
        f'instrument = "{instrument}"',
        f'version = "{version}"',
        f'language = "{language}"',
        'title = "Ten of mine"',
        'intro = "How far do you agree?"',
        'prefer_not_to_say = "Prefer not to say"',
        "[translation]",
        'translator = "The owner"',
        'method = "Written in this language"',
        'status = "source"',
        'licence = "Used with permission"',
        "[scale]",
        'low = "Disagree"',
        'high = "Agree"',
    ]
    for n in range(1, items + 1):
        lines += [f"[item.i{n:02d}]", f'label = "Item {n}"', f'question = "{question.format(n=n)}"']
    return "\n".join(lines).encode()


def supply(campaign, content=None, *, attests=True, user=None):
    content = make_words() if content is None else content
    return supply_text(campaign, content, attests=attests, user=user or make_user(), now=timezone.now())


def manage(client, campaign):
    user = make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.MANAGER)
    client.force_login(user)
    return user


def page(client, campaign):
    return client.get(reverse("console:instruments", args=[campaign.slug])).content.decode()


def choose(client, campaign, instruments, **more):
    address = reverse("console:instruments", args=[campaign.slug])
    return client.post(address, {"instruments": instruments} | more, follow=True)


# Choosing


def test_a_new_campaign_asks_the_three_that_are_ours():
    assert make_campaign().instruments == ["core-demographics", "ai-prefs-8", "free-text-values"]


def test_a_manager_chooses_with_licence_and_minutes_in_sight(client):
    campaign = make_campaign()
    manage(client, campaign)

    shown = page(client, campaign)
    assert "about 8 minutes for each person" in shown  # 2 and 2 and 4
    assert "CC-BY-SA-4.0" in shown
    assert "without words: supply a text that you may use" in shown

    choose(client, campaign, ["free-text-values", "ess-hvs-21", "core-demographics"])
    campaign.refresh_from_db()
    assert campaign.instruments == ["core-demographics", "ess-hvs-21", "free-text-values"]


def test_people_are_asked_what_the_campaign_chose():
    campaign = make_open_campaign(instruments=["mini-ipip-20"], strata=[])
    person = Person(campaign).join().agree()

    assert "Am the life of the party." in person.text
    assert "How old are you?" not in person.text

    person.profile({"mini-ipip-20.i01": "5", "core-demographics.age_band": "55+"})
    assert person.is_rating
    profile = ValueProfile.objects.get()
    assert list(profile.answers) == ["mini-ipip-20"]
    assert profile.attributes == {}


def test_a_campaign_that_asks_nothing_lets_people_go_on_with_one_press():
    campaign = make_open_campaign(instruments=[], strata=[])

    assert Person(campaign).join().agree().profile({}).is_rating


def test_an_opened_campaign_asks_what_it_asked(client):
    campaign = make_open_campaign()
    manage(client, campaign)

    assert choose(client, campaign, ["tipi"]).status_code == 409
    campaign.refresh_from_db()
    assert "tipi" not in campaign.instruments


def test_a_stranger_cannot_choose(client):
    campaign = make_campaign()
    manage(client, make_campaign())

    assert choose(client, campaign, ["tipi"]).status_code == 404
    campaign.refresh_from_db()
    assert "tipi" not in campaign.instruments


def test_an_unknown_questionnaire_cannot_be_chosen(client):
    campaign = make_campaign()
    manage(client, campaign)

    assert choose(client, campaign, ["../etc"]).status_code == 400


def test_the_summariser_is_one_of_the_campaign_s_own_generators(client):
    campaign, other = make_campaign(), make_campaign()
    own, foreign = make_generator(campaign, "own"), make_generator(other, "foreign")
    manage(client, campaign)

    assert choose(client, campaign, [], summariser=foreign.name).status_code == 400
    choose(client, campaign, [], summariser=own.name)
    campaign.refresh_from_db()
    assert campaign.summariser == own


def test_the_api_tells_chooses_and_refuses():
    campaign, user = make_campaign(), make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.MANAGER)
    make_generator(campaign, "small")
    client = client_for(user)
    root = f"/api/v1/campaigns/{campaign.slug}/"

    changed = client.patch(
        root, {"instruments": ["ess-hvs-21", "core-demographics"], "summariser": "small"}, format="json"
    )
    assert changed.json()["instruments"] == ["ess-hvs-21", "core-demographics"]
    assert changed.json()["summariser"] == "small"
    for wrong in ({"instruments": ["nope"]}, {"instruments": ["tipi", "tipi"]}, {"summariser": "foreign"}):
        error_of(client.patch(root, wrong, format="json"), 400)

    rows = {row["instrument"]: row for row in client.get(f"{root}instruments/").json()}
    assert rows["ess-hvs-21"]["is_chosen"]
    assert rows["ess-hvs-21"]["licence"]["spdx"] == "CC-BY-SA-4.0"
    assert rows["tipi"] | {"text_bundled": False, "languages": []} == rows["tipi"]
    assert {"score": "hvs_openness", "title": "Openness to change", "level": "higher_order"} in rows[
        "ess-hvs-21"
    ]["scores"]
    assert client.get(f"{root}reliability/").json()[0]["undefined_reason"]


def test_the_api_is_for_managers():
    campaign, user = make_campaign(), make_user()
    Membership.objects.create(campaign=campaign, user=user, role=Membership.Role.RESEARCHER)

    for part in ("instruments", "reliability"):
        error_of(client_for(user).get(f"/api/v1/campaigns/{campaign.slug}/{part}/"), 403)


# Words that are not ours


def test_a_questionnaire_without_words_keeps_the_campaign_from_opening():
    campaign = make_campaign(instruments=["tipi"])

    with pytest.raises(NotReady, match="tipi has no words yet"):
        open_campaign(campaign, now=timezone.now())
    supply(campaign)
    assert missing_instruments(campaign) == []


def test_a_jury_of_what_nobody_is_asked_keeps_the_campaign_from_opening():
    campaign = make_campaign(instruments=["ai-prefs-8"], strata=[AGE])

    assert "age_band" in missing_instruments(campaign)[0]
    campaign.strata = [{"attribute": "score_hvs_openness", "levels": ["low", "high"], "cuts": [4.0]}]
    assert "score_hvs_openness" in missing_instruments(campaign)[0]
    campaign.strata = [{"attribute": "an_imported_column", "levels": ["a", "b"]}]
    assert missing_instruments(campaign) == []


def test_supplied_words_are_kept_with_who_vouched_for_them_and_when(client):
    campaign = make_campaign(instruments=["tipi"])
    user = manage(client, campaign)
    address = reverse("console:text_upload", args=[campaign.slug])

    file = SimpleUploadedFile("text.en.toml", make_words())
    response = client.post(address, {"file": file, "attests": "on"}, follow=True)

    assert "The words are there and can be asked." in response.content.decode()
    text = SuppliedText.objects.get()
    assert (text.attested_by, text.attestation) == (user, str(ATTESTATION))
    assert (timezone.now() - text.attested_at).total_seconds() < 60
    assert user.username in page(client, campaign)


def test_words_without_the_owner_s_word_are_not_kept(client):
    campaign = make_campaign(instruments=["tipi"])
    manage(client, campaign)
    address = reverse("console:text_upload", args=[campaign.slug])

    response = client.post(address, {"file": SimpleUploadedFile("text.en.toml", make_words())})

    assert response.status_code == 400
    assert "Please confirm that you may use these words." in response.content.decode()
    assert not SuppliedText.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (make_words(items=9), "item.i10: is missing"),
        (make_words(version="0.9.0"), "version"),
        (make_words(instrument="nope"), "no such instrument"),
        (make_words(language="<b>"), "is no language code"),
        (b"\x00", "TOML"),
        (b"\xff\xfe", "UTF-8"),
        (b"a = 1\n" * 60_000, "larger than a questionnaire can be"),
    ],
)
def test_words_that_do_not_fit_are_refused_with_the_place(content, said):
    with pytest.raises((TextRefused, InstrumentError), match=said):
        supply(make_campaign(instruments=["tipi"]), content)


def test_supplied_words_are_asked_and_their_hash_kept_with_the_answers():
    campaign = make_campaign(instruments=["tipi"])
    text = supply(campaign)
    annotator = Annotator.objects.create(campaign=campaign)

    profile = record_profile(annotator, {"tipi": {"i01": "7", "i06": "1"}})
    assert profile.answers["tipi"]["sha256"] == text.sha256
    assert profile.scores == {"tipi_extraversion": 7}


def test_one_campaign_s_words_are_not_another_s():
    supply(make_campaign(instruments=["tipi"]))

    assert campaign_texts(make_campaign(instruments=["tipi"]), "en") == {}


def test_an_official_translation_can_be_brought_to_a_questionnaire_that_has_words():
    campaign = make_campaign(instruments=["mini-ipip-20"])
    supply(campaign, make_words("mini-ipip-20", language="de", question="Frage {n}", items=20))

    assert campaign_texts(campaign, "de")["mini-ipip-20"].item("i01").question == "Frage 1"
    assert campaign_texts(campaign, "es")["mini-ipip-20"].language == "en"


def test_words_people_were_asked_in_are_not_replaced_but_a_language_can_be_added():
    campaign = make_campaign(instruments=["tipi"])
    supply(campaign)
    campaign.state = "open"

    with pytest.raises(TextRefused, match="no longer be replaced"):
        supply(campaign)
    supply(campaign, make_words(language="fr"))
    assert campaign_texts(campaign, "fr")["tipi"].language == "fr"


def test_words_can_be_brought_by_a_command(tmp_path):
    campaign, user = make_campaign(instruments=["tipi"]), make_user()
    file = tmp_path / "text.en.toml"
    file.write_bytes(make_words())
    said = io.StringIO()

    with pytest.raises(CommandError, match="confirm"):
        call_command("supply_text", campaign.slug, str(file), user=user.username)
    call_command(
        "supply_text", campaign.slug, str(file), user=user.username, i_may_use_these_words=True, stdout=said
    )
    assert "tipi can be asked in en" in said.getvalue()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("supply_text", campaign.slug, str(tmp_path / "nope"), user=user.username)


def test_hostile_words_are_shown_as_words():
    campaign = make_open_campaign(strata=[])
    Campaign.objects.update(instruments=["tipi"])
    supply(campaign, make_words(question="<script>alert({n})</script><img src=x onerror=alert(1)>"))

    shown = Person(campaign).join().agree().text
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


# Languages


@pytest.mark.parametrize(
    ("language", "shown", "direction"), [("de", "Deutsch", "ltr"), ("ar", "العربية", "rtl")]
)
def test_a_questionnaire_without_a_translation_says_that_it_is_in_english(language, shown, direction):
    campaign = make_open_campaign(instruments=["core-demographics", "ess-hvs-21"], languages=["en", language])
    text = Person(campaign, accept_language=language).join().agree().text

    assert f'lang="{language}" dir="{direction}"' in text  # ours, translated
    assert 'aria-labelledby="section-ess-hvs-21" lang="en" dir="ltr"' in text
    assert "being creative is important to them" in text
    assert text.count('<p class="notice" lang="') == 1


def test_who_reads_only_a_language_the_site_does_not_speak_is_asked_in_it():
    campaign = make_open_campaign(languages=["hi"], strata=[])
    person = Person(campaign, accept_language="hi").join().agree()
    person.annotator.campaign.annotators.update(language="en", languages=["hi"])

    assert "आपकी उम्र क्या है?" in person.get("profile/").text
