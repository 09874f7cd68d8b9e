"""Tests of annotations/steering_profiles.py: whose profiles may steer a model, which ones, and forgetting."""

import pytest
from django.utils import timezone

from annotations.enrolment import withdraw
from annotations.models import Annotator, Consent, Scope, ValueProfile
from annotations.steering_profiles import (
    SPECIAL_SCORES,
    SharedProfile,
    choose_diverse,
    profile_steerings,
    shared_profiles,
)
from collector.models import Candidate
from exports import privacy
from tests.builders import make_campaign, make_candidate, make_consent, make_generator, make_prompt

pytestmark = pytest.mark.django_db
EVERYTHING = list(Scope)


@pytest.fixture
def campaign():
    campaign = make_campaign()
    make_consent(campaign)
    return campaign


def make_person(campaign, scores=None, text="", scopes=EVERYTHING, **fields):
    annotator = Annotator.objects.create(campaign=campaign, **fields)
    document = campaign.consent_documents.get()
    Consent.objects.create(annotator=annotator, document=document, scopes=[str(scope) for scope in scopes])
    ValueProfile.objects.create(annotator=annotator, version=1, scores=scores or {}, text=text)
    return annotator


def people_with(*values):
    return [SharedProfile({"a": value}, "") for value in values]


# --- consent ----------------------------------------------------------------------------------------
def test_of_each_profile_only_what_its_owner_allows_is_shared(campaign):
    scores = {"openness": 1.234, "left_right": 3}
    make_person(campaign, scores, "I keep my word.", [Scope.RELEASE_DEMOGRAPHICS])
    make_person(campaign, scores, "Be kind.", [Scope.RELEASE_DEMOGRAPHICS, Scope.SPECIAL_CATEGORY])
    make_person(campaign, scores, "Be free.", [Scope.RELEASE_FREE_TEXT])
    make_person(campaign, scores, "Be quiet.", [Scope.TAKE_PART, Scope.RELEASE_RATINGS])

    assert shared_profiles(campaign) == [
        SharedProfile({}, "Be free."),
        SharedProfile({"left_right": 3.0, "openness": 1.23}, ""),
        SharedProfile({"openness": 1.23}, ""),
    ]


def test_the_latest_profile_and_the_latest_consent_count(campaign):
    person = make_person(campaign, {"a": 1}, "old words")
    ValueProfile.objects.create(annotator=person, version=2, scores={"a": 2}, text="new words")
    Consent.objects.create(
        annotator=person, document=campaign.consent_documents.get(), scopes=["release_free_text"]
    )

    assert shared_profiles(campaign) == [SharedProfile({}, "new words")]


def test_nobody_who_withdrew_or_is_simulated_or_a_stranger_is_taken(campaign):
    other = make_campaign()
    make_consent(other)
    make_person(other, {"a": 1})
    make_person(campaign, {"a": 2}, source="simulated")
    withdraw(make_person(campaign, {"a": 3}, "words"), now=timezone.now())

    assert shared_profiles(campaign) == []
    assert profile_steerings(campaign, 3) == []


def test_a_demo_takes_simulated_annotators_and_says_so():
    demo = make_campaign(is_demo=True)
    make_consent(demo)
    make_person(demo, {"a": 2}, source="simulated")

    assert profile_steerings(demo, 3) == [{"label": "simulated profile 1", "profile": {"scores": {"a": 2.0}}}]


def test_imported_annotators_consented_to_their_source(campaign):
    person = make_person(campaign, {"a": 2}, "words", [], source="imported")

    assert shared_profiles(campaign) == [SharedProfile({"a": 2.0}, "words")]
    assert person.external_id not in str(profile_steerings(campaign, 1))


def test_special_scores_are_those_a_release_holds_back():
    columns = {name.removeprefix("score_") for name in privacy.SPECIAL_CATEGORY if name.startswith("score_")}

    assert columns == SPECIAL_SCORES


# --- diversity --------------------------------------------------------------------------------------
def test_the_furthest_come_first():
    # The mean is 4.2: 10 is furthest from it, then 0 from 10, then 5 is 5 from both.
    assert choose_diverse(people_with(0, 1, 5, 5, 10), 3) == people_with(10, 0, 5)


def test_there_are_never_more_than_there_are():
    assert choose_diverse(people_with(1, 2), 9) == people_with(1, 2)
    assert choose_diverse([], 3) == []
    assert choose_diverse(people_with(1), 0) == []


def test_missing_and_constant_scores_are_no_distance():
    profiles = [SharedProfile({"a": 1, "b": 7}, ""), SharedProfile({"b": 7}, ""), SharedProfile({"a": 9}, "")]

    assert choose_diverse(profiles, 2) == [profiles[0], profiles[2]]


def test_words_alone_are_chosen_too():
    profiles = [SharedProfile({}, "one"), SharedProfile({}, "two")]

    assert choose_diverse(profiles, 2) == profiles


# --- forgetting -------------------------------------------------------------------------------------
def test_whoever_withdraws_is_taken_out_of_generators_and_of_what_candidates_were_told(campaign):
    gone, stays = make_person(campaign, {"a": 1, "b": 2}, "I keep my word."), make_person(campaign, {"a": 9})
    steerings = [*profile_steerings(campaign, 2), {"label": "formal", "system": "Be formal."}]
    label = next(entry["label"] for entry in steerings if "text" in entry.get("profile", {}))
    elsewhere = make_campaign()
    generator = make_generator(elsewhere, steerings=steerings)
    told = {"messages": [{"role": "system", "content": "I keep my word."}], "seed": 3}
    candidate = make_candidate(make_prompt(elsewhere), generator, steering=label, provenance=told)
    other = make_candidate(make_prompt(elsewhere), generator, steering="formal", provenance=told)
    withdraw(gone, now=timezone.now())

    generator.refresh_from_db()
    assert "I keep my word." not in str(generator.steerings)
    assert {"scores": {"a": 9.0}} in [entry.get("profile") for entry in generator.steerings]
    kept = Candidate.objects.get(pk=candidate.pk)
    assert kept.provenance == {"seed": 3, "steering": {"kind": "profile", "withdrawn": True}}
    assert kept.text == candidate.text
    assert Candidate.objects.get(pk=other.pk).provenance == told
    assert not stays.is_withdrawn


def test_a_profile_that_was_edited_is_still_known_by_the_persons_words(campaign):
    gone = make_person(campaign, text="I keep my word.")
    profile = {"text": "They say: I keep my word. And more."}
    generator = make_generator(campaign, steerings=[{"label": "x", "profile": profile}])
    withdraw(gone, now=timezone.now())

    generator.refresh_from_db()
    assert generator.steerings == []
