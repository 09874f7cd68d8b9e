"""Tests of collector/sentence_encoder.py on the real encoder, and of marking with it."""

import numpy as np
import pytest
from django.utils import timezone

from collector import sentence_encoder
from collector.marking import mark_candidates
from collector.models import Candidate, Dispersion
from collector.sentence_encoder import encode, is_available, knows
from collector.similarity import dispersion
from tests.builders import make_campaign, make_candidate, make_generator, make_prompt

TELL = "You should tell her the truth before she hears it from somebody else."
TOLD = "You should tell her the truth before somebody else does so."
REORDERED = "Before she hears it from somebody else, you should tell her the truth."
WAIT = "Wait until summer; by then nobody will remember what was said."


@pytest.fixture
def encoder(settings):
    settings.SENTENCE_ENCODER = "minilm"
    assert is_available()


def add(campaign, *texts, language="en"):
    prompt = make_prompt(campaign, language=language)
    generator = campaign.generators.first() or make_generator(campaign)
    return [make_candidate(prompt, generator, text, sample_index=n) for n, text in enumerate(texts)]


def test_only_english_is_known():
    assert [knows(code) for code in ("en", "en-GB", "EN", "de", "zh-Hans", "enm")] == [True] * 3 + [False] * 3


def test_the_settings_can_do_without_it(settings):
    settings.SENTENCE_ENCODER = "none"

    assert not is_available()


@pytest.mark.slow
def test_meaning_counts_more_than_letters(encoder):
    tell, told, wait = encode([TELL, TOLD, WAIT])

    assert tell @ told > 0.9
    assert tell @ wait < 0.6


@pytest.mark.slow
def test_a_text_has_one_vector_whatever_it_is_encoded_with(encoder):
    together = encode([TELL, TELL * 30, WAIT, "", "🙂" * 500])

    assert np.allclose(encode([TELL])[0], together[0], atol=1e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_the_end_of_a_long_text_is_read_too(encoder):
    beginning = "The committee met on Monday and read the minutes of the last meeting aloud. " * 25
    one, other = encode([beginning + TELL * 20, beginning + "Sell the house and keep the boat. " * 30])

    assert one @ other < 0.95


@pytest.mark.slow
def test_candidates_are_compared_by_meaning_where_their_language_is_known(encoder, db):
    campaign = make_campaign()
    add(campaign, TELL, REORDERED, WAIT)
    add(campaign, TELL, WAIT, language="de")
    mark_candidates(timezone.now())

    measures = Candidate.objects.order_by("pk").values_list("marked_with__measure", flat=True)
    assert list(measures) == [sentence_encoder.NAME] * 3 + ["shingles"] * 2
    assert [row.duplicate_of_id is not None for row in Candidate.objects.order_by("pk")][:3] == [
        False,
        True,
        False,
    ]


@pytest.mark.slow
def test_dispersion_is_that_of_the_vectors(encoder, db):
    add(make_campaign(), TELL, TOLD, WAIT)
    mark_candidates(timezone.now())

    assert Dispersion.objects.get().value == pytest.approx(dispersion(encode([TELL, TOLD, WAIT])), abs=1e-5)
