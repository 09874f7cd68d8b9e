"""The profile's pages: nothing has to be answered, all of it can be seen and corrected, nothing is judged."""

import re

import pytest

from annotations.instruments import load_instrument
from annotations.models import Annotator, ValueProfile
from annotations.profile_words import scores_in_words
from annotations.profiles import record_profile
from collector.models import Campaign
from tests.builders import make_campaign, make_open_campaign
from tests.people import Person

pytestmark = pytest.mark.django_db

PREFS = [item.id for item in load_instrument("ai-prefs-8").items]
HVS = [item.id for item in load_instrument("ess-hvs-21").items]


@pytest.fixture
def person():
    campaign = make_open_campaign(strata=[], languages=["en", "de", "ar"])
    return Person(campaign).join().agree()


def profiles():
    return list(ValueProfile.objects.order_by("version"))


def fieldsets(text):
    return re.findall(r"<fieldset.*?</fieldset>", text, re.S)


# The form


def test_every_closed_question_can_be_declined_and_starts_unset(person):
    asked = [part for part in fieldsets(person.text) if "ai-prefs-8" in part or "core-demographics" in part]

    assert len(asked) == 8 + 6
    assert all('value="prefer_not_to_say"' in part for part in asked)
    assert all(" checked" not in part for part in asked)
    assert all("<legend>" in part for part in asked)


def test_leaving_everything_out_is_as_good_as_anything(person):
    assert person.profile({}).is_rating

    assert profiles()[0].scores == {}


def test_not_knowing_is_told_apart_from_not_saying_and_from_leaving_out(person):
    person.profile(
        {"core-demographics.left_right": "dont_know", "core-demographics.gender": "prefer_not_to_say"}
    )

    answers = profiles()[0].answers["core-demographics"]["answers"]
    assert answers["left_right"] == {"missing": "dont_know"}
    assert answers["gender"] == {"missing": "declined"}
    assert answers["region"] == {"missing": "not_reached"}


def test_the_order_in_which_questions_were_shown_is_kept(person):
    shown = re.findall(r'name="ai-prefs-8\.(\w+)" value="0"', person.text)
    person.profile({"ai-prefs-8.values": "50"})

    assert profiles()[0].answers["ai-prefs-8"]["order"] == shown
    assert sorted(shown) == sorted(PREFS)


def test_orders_differ_between_people_and_are_the_same_at_every_visit():
    campaign = make_open_campaign(strata=[])
    people = [Person(campaign).join().agree() for _ in range(4)]

    orders = [re.findall(r'name="ai-prefs-8\.(\w+)" value="0"', one.text) for one in people]
    assert len({tuple(order) for order in orders}) > 1
    assert re.findall(r'name="ai-prefs-8\.(\w+)" value="0"', people[0].get("profile/").text) == orders[0]


def test_the_same_answer_throughout_is_flagged_and_stops_nobody(person):
    answers = {f"ai-prefs-8.{item}": "50" for item in PREFS}

    assert person.profile(answers).is_rating
    assert profiles()[0].flags == ["straight_lining"]
    assert "straight_lining" in person.annotator.flags


def test_flags_are_of_the_latest_version_and_leave_others_alone(person):
    person.profile({f"ai-prefs-8.{item}": "50" for item in PREFS})
    Annotator.objects.update(flags=["id_unverified", "straight_lining"])
    person.profile({f"ai-prefs-8.{item}": str(n * 10) for n, item in enumerate(PREFS)})

    assert person.annotator.flags == ["id_unverified"]
    assert [profile.flags for profile in profiles()] == [["straight_lining"], []]


# Seeing and correcting


def test_coming_back_finds_the_answers_and_a_correction_is_a_new_version(person):
    person.profile({"core-demographics.age_band": "18-34", "ai-prefs-8.safety": "prefer_not_to_say"})
    form = person.get("profile/").text
    assert re.search(r'value="18-34" checked', form)
    assert re.search(r'name="ai-prefs-8.safety" value="prefer_not_to_say" checked', form)
    assert "Skip all of this" not in form  # which would take every answer away

    page = person.profile({"core-demographics.age_band": "55+"}).text

    assert "kept as an earlier version" in page
    assert [profile.attributes.get("age_band") for profile in profiles()] == ["18-34", "55+"]


def test_skipping_later_takes_nothing_away(person):
    person.profile({"core-demographics.age_band": "18-34"})
    person.skip_profile()

    assert len(profiles()) == 1


def test_a_correction_that_cannot_be_kept_leaves_the_form_as_it_was_sent(person):
    person.profile({"core-demographics.age_band": "18-34"})
    person.profile({"core-demographics.age_band": "200", "core-demographics.gender": "woman"})

    assert person.response.status_code == 400
    assert "Please choose one of the answers." in person.text
    assert re.search(r'value="woman" checked', person.text)
    assert len(profiles()) == 1


def test_my_profile_shows_answers_and_scores_in_words(person):
    person.profile(
        {"ai-prefs-8.safety": "90", "ai-prefs-8.fluency": "10", "ai-prefs-8.values": "50"}
        | {"ai-prefs-8.diversity": "50", "core-demographics.gender": "woman"}
    )
    page = person.get("my-profile/").text

    assert "What is your gender?" in page
    assert "Woman" in page
    # The mean of the four is 50.
    assert "40.0 above your own average" in page
    assert "40.0 below your own average" in page
    assert "as much as your own average" in page
    assert "No answer is better than another." in page


def test_my_profile_is_shown_in_the_person_s_language(person):
    person.profile(
        {"ai-prefs-8.safety": "90", "ai-prefs-8.fluency": "10"}
        | dict.fromkeys(["ai-prefs-8.values", "ai-prefs-8.diversity"], "50")
    )
    person.client.cookies["django_language"] = "de"

    assert "Sicherheit" in person.get("my-profile/").text


def test_my_profile_before_any_answer_leads_to_the_questions(person):
    assert person.get("my-profile/").response.redirect_chain[-1][0].endswith("/profile/")


def test_nobody_sees_another_s_profile(person):
    person.profile({"free-text-values.self_description": "I keep bees."})
    stranger = Person(person.campaign)

    assert "I keep bees." in person.get("my-profile/").text
    assert "I keep bees." not in stranger.get("my-profile/").text


def test_what_people_write_is_shown_as_words(person):
    person.profile({"free-text-values.self_description": "<script>alert(1)</script>"})
    for page in ("my-profile/", "profile/"):
        text = person.get(page).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "<script>alert(1)" not in text


def test_own_words_stand_where_the_campaign_makes_no_summaries(person):
    person.profile({"free-text-values.self_description": "I keep bees."})

    assert profiles()[0].text == "I keep bees."


def test_answers_to_a_questionnaire_that_is_gone_are_passed_over(person):
    person.profile({"core-demographics.gender": "woman"})
    ValueProfile.objects.update(answers={"long-gone": {"version": "1.0.0", "answers": {"a": 1}}})
    Campaign.objects.update(instruments=["core-demographics"])

    assert person.get("my-profile/").response.status_code == 200


# Scores in words


def record(instrument, answers):
    annotator = Annotator.objects.create(campaign=make_campaign(instruments=[instrument]))
    return record_profile(annotator, {instrument: answers})


def test_traits_are_told_on_their_scale():
    profile = record("mini-ipip-20", {"i01": "5", "i06": "1", "i11": "5", "i16": "2"})

    [part] = scores_in_words(profile, "en")
    assert [row["standing"] for row in part["rows"]] == ["4.8 on a scale from 1 to 5"]
    assert not part["is_compared"]


def test_values_are_told_against_the_person_s_own_average_in_their_language():
    # Nature, equality, understanding, helping and loyalty very much like me (6), all else somewhat (4):
    # the average is (5 * 6 + 16 * 4) / 21 = 4.48, self-transcendence 6, self-enhancement 4.
    care = dict.fromkeys(["impenv", "ipeqopt", "ipudrst", "iphlppl", "iplylfr"], "1")
    profile = record("ess-hvs-21", dict.fromkeys(HVS, "3") | care)

    [part] = scores_in_words(profile, "de")
    rows = {row["label"]: row["standing"] for row in part["rows"]}
    assert part["is_compared"]
    assert rows["Sorge für Menschen und Natur"] == "1.5 above your own average"
    assert rows["Erfolg und Einfluss"] == "0.5 below your own average"


def test_scores_that_are_not_defined_are_not_told():
    assert list(scores_in_words(record("mini-ipip-20", {"i01": "5"}), "en")) == []
