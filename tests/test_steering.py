"""Tests of collector/steering.py and its words: what a model is sent under each kind of steering."""

import hashlib
import json
import re

import pytest

from collector.models import Criterion, Prompt
from collector.steering import MOST_EARLIER, steering_record, to_messages
from collector.steering_spec import KEYS, Kind, SteeringRefused, read_steerings, write_steerings
from collector.steering_words import VERSION, WORDS, language_name

USER = {"role": "user", "content": "May I lie?"}


def said(entry, language="en", **more):
    """The system message, or None where there is none."""
    messages = to_messages(Prompt(text="May I lie?", language=language), entry, **more)
    assert messages[-1] == USER
    return messages[0]["content"] if len(messages) == 2 else None


def faults(value):
    with pytest.raises(SteeringRefused) as refused:
        read_steerings(value)
    return {fault.path(): fault.message for fault in refused.value.faults}


# --- messages ---------------------------------------------------------------------------------------
def test_a_plain_text_becomes_one_user_message():
    assert to_messages(Prompt(text="May I lie?"), {}) == [USER]


def test_steering_without_content_changes_nothing():
    assert said({"label": "plain"}) is None
    assert said(None) is None
    assert said({"label": "plain", "system": ""}) is None


def test_the_system_message_comes_first():
    messages = to_messages(Prompt(text="May I lie?"), {"label": "strict", "system": "Be strict."})

    assert messages == [{"role": "system", "content": "Be strict."}, USER]


def test_a_prompts_own_system_message_follows_in_the_same_message():
    prompt = Prompt(messages=[{"role": "system", "content": "You are a judge."}, USER])

    messages = to_messages(prompt, {"system": "Be strict."})

    assert messages == [{"role": "system", "content": "Be strict.\n\nYou are a judge."}, USER]
    assert prompt.messages[0]["content"] == "You are a judge."


def test_a_persona_is_told_whole_even_with_braces_in_it():
    message = said({"persona": "A nurse who says {text} and {0}."})

    assert message.startswith("Answer as this person would")
    assert message.endswith("\n\nA nurse who says {text} and {0}.")


def test_a_profile_is_told_as_scores_and_words():
    message = said({"profile": {"scores": {"open_to_change": 0.75}, "text": "I keep my word."}})

    assert message.endswith("\n\n- open to change: 0.75\n\nI keep my word.")


def test_an_attribute_is_told_with_its_level():
    assert "of whom this is true: age band: 55+." in said({"attribute": "age_band", "level": "55+"})


def test_weights_are_told_with_the_criterions_question_in_the_prompts_language():
    criterion = Criterion(
        name="honest", question="Is it honest?", translations={"de": {"question": "Ist es ehrlich?"}}
    )
    message = said({"weights": {"honest": 0.7, "kind": 0.3}}, "de", criteria=[criterion])

    assert message.startswith("Deine Antwort wird nach den folgenden Kriterien bewertet.")
    assert message.endswith("- Ist es ehrlich? (70%)\n- kind (30%)")


def test_a_language_is_named_in_itself():
    assert said({"language": "es"}).endswith("whatever language the question is in: español (es).")
    assert language_name("zh") == "中文 (zh)"
    assert language_name("tlh") == "tlh"


def test_the_first_unlike_sample_is_free_and_later_ones_see_what_was_said():
    assert said({"unlike": True}) is None
    assert said({"unlike": True}, earlier=["No.", "Rarely."]).endswith("(1)\nNo.\n\n(2)\nRarely.")


def test_of_a_long_chain_the_last_samples_are_shown():
    message = said({"unlike": True}, earlier=[f"Answer {number}." for number in range(20)])

    assert re.findall(r"Answer (\d+)", message) == [str(n) for n in range(20 - MOST_EARLIER, 20)]


@pytest.mark.parametrize("language", ["en", "de", "es", "ar", "hi", "zh", "de-AT"])
def test_a_prompt_is_steered_in_its_own_language(language):
    assert said({"persona": "X"}, language) == WORDS[language[:2]][Kind.PERSONA].format(text="X")


def test_a_language_without_our_words_is_steered_in_english():
    assert said({"persona": "X"}, "sw") == said({"persona": "X"}, "en")


@pytest.mark.parametrize("language", WORDS)
def test_every_language_has_words_with_the_same_gaps(language):
    gaps = {kind: set(re.findall(r"\{\w+\}", words)) for kind, words in WORDS[language].items()}

    assert gaps == {kind: set(re.findall(r"\{\w+\}", words)) for kind, words in WORDS["en"].items()}
    assert set(gaps) == set(KEYS) - {Kind.SYSTEM}


def test_changed_words_are_a_new_version():
    digest = hashlib.sha256(json.dumps(WORDS, sort_keys=True).encode()).hexdigest()

    # Candidates name the version: raise it with every change, and only then write the new digest here.
    assert (VERSION, digest[:16]) == (1, "844bfc301265e3b9")


# --- what a candidate's provenance says -------------------------------------------------------------
def test_the_record_holds_the_weights_and_whose_words_were_used():
    record = steering_record({"label": "kind first", "weights": {"kind": 0.8, "honest": 0.2}}, "es-MX")

    assert record["steering"]["weights"] == {"kind": 0.8, "honest": 0.2}
    assert record["steering"]["kind"] == "weights"
    assert record["steering"]["words"].items() >= {"version": VERSION, "language": "es"}.items()


def test_texts_are_in_the_messages_and_not_said_again():
    assert steering_record({"label": "x", "system": "Be kind."}, "en") == {"steering": {"kind": "system"}}
    assert steering_record({"label": "x"}, "en") == {}


# --- what may be said -------------------------------------------------------------------------------
def test_one_object_a_text_or_a_list_are_read():
    strict = {"label": "strict", "system": "Be strict."}

    assert read_steerings(strict) == read_steerings([strict]) == [strict]
    assert read_steerings("Be strict.") == [{"label": "Be strict.", "system": "Be strict."}]
    assert read_steerings(None) == read_steerings({}) == read_steerings("") == []
    assert read_steerings([{}, strict]) == [{}, strict]


def test_one_is_written_as_it_always_was():
    strict = {"label": "strict", "system": "Be strict."}

    assert write_steerings([strict]) == strict
    assert write_steerings([strict, {}]) == [strict, {}]
    assert write_steerings([]) == {}


BAD = {
    ".1.label": [{"label": "a"}, {"label": "a", "system": "x"}],
    ".0.tone": [{"tone": "x"}],
    ".0": [{"system": "x", "persona": "y"}],
    ".0.persona": [{"persona": " "}],
    ".0.level": [{"attribute": "age_band"}],
    ".0.attribute": [{"level": "55+"}],
    ".0.weights": [{"weights": {"kind": 0.8, "honest": 0.3}}],
    ".weights": {"weights": {"kind": "much"}},
    ".profile": {"profile": {}},
    ".profile.scores": {"profile": {"scores": {"openness": None}}},
    ".language": {"language": "Spanish!"},
    ".unlike": {"unlike": False},
    ".label": {"label": 3},
    "": 5,
}


@pytest.mark.parametrize("path", BAD)
def test_faults_name_the_entry_and_the_field(path):
    assert list(faults(BAD[path])) == [path]


def test_the_fault_of_weights_says_what_they_add_up_to():
    assert faults({"weights": {"kind": 0.8, "honest": 0.3}})[".weights"].endswith("these add up to 1.1.")


def test_what_cannot_be_stored_is_refused():
    assert faults({"system": "a\0b"})[""] == "has a NUL byte"
