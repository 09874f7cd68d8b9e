"""Tests of collector/similarity.py and, on the real encoder, sentence_encoder.py; values worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.similarity import (
    coverage,
    dispersion,
    find_repeats,
    normalise,
    shingle_vectors,
    to_unit_length,
)

TELL = "You should tell her the truth before she hears it from somebody else."


def unit(*degrees):
    """Vectors in the plane at these angles."""
    return np.array([[math.cos(math.radians(d)), math.sin(math.radians(d))] for d in degrees], np.float32)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tell her!", "tell   HER"),
        ("Don’t.", "don't"),
        ("**Sag** es ihr – heute", "sag es ihr, heute"),
        ("¿Por qué?", "por qué"),
        ("告诉她。", "告诉她"),
        ("सच बोलो।", "सच बोलो"),
        ("قل لها!", "قل لها"),
    ],
)
def test_punctuation_and_case_make_no_difference(one, other):
    assert normalise(one) == normalise(other)


def test_vowel_signs_make_a_difference():
    assert normalise("की") != normalise("के")


def test_dispersion_is_the_mean_distance_over_pairs():
    # Cosines of 0, 60 and 90 degrees apart: 1/2, 0, and sqrt(3)/2 between the last two.
    expected = 1 - (0.5 + 0 + math.sqrt(3) / 2) / 3

    assert dispersion(unit(0, 60, 90)) == pytest.approx(expected, abs=1e-6)


def test_dispersion_of_the_same_is_none_and_of_opposites_two():
    assert dispersion(unit(10, 10, 10)) == pytest.approx(0, abs=1e-6)
    assert dispersion(unit(0, 180)) == pytest.approx(2, abs=1e-6)
    assert dispersion(unit(0)) is None


def test_coverage_is_the_share_of_answers_with_a_candidate_as_near_as_the_next_person():
    # Nearest others: 0 -> 30, 30 -> 0, 90 -> 30 (60 degrees), 180 -> 90 (90 degrees).
    people = unit(0, 30, 90, 180)

    # A candidate at 15 is within 30 of the first two; 75 and 165 from the others is too far.
    assert coverage(people, unit(15)) == 2 / 4
    # One at 130 is within 60 of 90 and within 90 of 180.
    assert coverage(people, unit(15, 130)) == 4 / 4
    assert coverage(people, unit(270)) == 1 / 4  # 90 degrees from 0 and 180; only the last reaches so far


def test_coverage_needs_three_people_and_a_candidate():
    assert coverage(unit(0, 90), unit(0)) is None
    assert coverage(unit(0, 90, 180), unit()[:0].reshape(0, 2)) is None


def test_only_firsts_are_repeated():
    # 0 and 20 are near, 20 and 40 too, 0 and 40 not: the third is a first of its own.
    vectors, near = unit(0, 20, 40), math.cos(math.radians(25))

    assert find_repeats(["a", "b", "c"], vectors, near) == [None, 0, None]


def test_texts_that_differ_in_a_no_are_no_repeats():
    denied = TELL.replace("should", "should not")
    vectors = unit(0, 0, 0)

    assert find_repeats([TELL, denied, f"{denied} So there."], vectors, 0.95) == [None, None, 1]


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("Du sollst es ihr sagen.", "Du sollst es ihr nicht sagen."),
        ("Debes decírselo.", "No debes decírselo."),
        ("قل لها الحقيقة", "لا تقل لها الحقيقة"),
        ("उसे सच बताओ", "उसे सच मत बताओ"),
        ("你应该告诉她。", "你不应该告诉她。"),
    ],
)
def test_so_it_is_in_other_languages(said, denied):
    assert find_repeats([said, denied], unit(0, 0), 0.95) == [None, None]


def test_shingles_estimate_the_overlap_of_sets():
    # " abcdef " has the shingles " abcd", "abcde", "bcdef", "cdef "; " abcdeg " shares the first two of 4.
    one, other = shingle_vectors(["abcdef", "abcdeg"])

    assert float(one @ other) == pytest.approx(2 / 4, abs=1e-6)


def test_shingles_tell_an_edit_from_another_answer():
    edited, other = TELL.replace("somebody", "someone"), "Wait until summer; nobody will remember by then."
    vectors = shingle_vectors([TELL, edited, other])

    assert vectors[0] @ vectors[1] > 0.8
    assert vectors[0] @ vectors[2] < 0.3


def test_texts_without_a_word_are_like_nothing():
    assert find_repeats(["...", "Tell her."], shingle_vectors(["...", "Tell her."]), 0.8) == [None, None]


@given(st.lists(st.text(max_size=60), max_size=12))
def test_repeats_point_back_to_firsts(texts):
    found = find_repeats(texts, shingle_vectors(texts), 0.8)

    assert all(first is None or (first < n and found[first] is None) for n, first in enumerate(found))


@given(st.lists(st.text(min_size=1, max_size=60), min_size=2, max_size=12))
def test_dispersion_does_not_depend_on_the_order(texts):
    vectors = shingle_vectors(texts)

    assert dispersion(vectors) == pytest.approx(dispersion(vectors[::-1]), abs=1e-6)
    assert 0 <= dispersion(vectors) <= 2


def test_what_comes_later_changes_no_earlier_mark():
    texts = [TELL, TELL + " Now.", "Wait.", TELL.lower()]
    vectors = shingle_vectors(texts)

    for n in range(1, 4):
        assert find_repeats(texts[:n], vectors[:n], 0.8) == find_repeats(texts, vectors, 0.8)[:n]


def test_a_row_of_zeros_stays():
    assert to_unit_length(np.array([[0, 0], [3, 4]], np.float32)).tolist() == [
        [0, 0],
        pytest.approx([0.6, 0.8]),
    ]
