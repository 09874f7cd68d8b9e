"""Answers become typed values, scores follow by hand-worked numbers, and flags only point."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from annotations.instruments import (
    AnswerError,
    Missing,
    attributes,
    load_instrument,
    pack_answers,
    profile_flags,
    score,
    unpack_answers,
    validate_answers,
)
from annotations.instruments.scorer import reverse_value

AI_PREFS = load_instrument("ai-prefs-8")
DEMOGRAPHICS = load_instrument("core-demographics")
FREE_TEXT = load_instrument("free-text-values")
KEYS = [item.id for item in AI_PREFS.items]

# Built like a portrait questionnaire: raw 1 is "very much like me", so all items are reversed; universalism
# has three items, so the mean over items is not the mean of the scores.
PORTRAITS = """
schema = 1
id = "portraits"
version = "1.0.0"
title = "Portraits"
[licence]
spdx = "CC0-1.0"
attribution = "Tests"
[scale]
kind = "likert"
min = 1
max = 6
reverse_all = true
[admin]
minutes = 1
max_missing = 1
straightline_max = 3
[[item]]
id = "p1"
[[item]]
id = "p2"
[[item]]
id = "p3"
[[item]]
id = "p4"
[[item]]
id = "p5"
reverse = true
[[score]]
id = "universalism"
title = "Universalism"
op = "mean"
items = ["p1", "p2", "p3"]
min_answered = 2
[[score]]
id = "power"
title = "Power"
op = "mean"
items = ["p4", "p5"]
min_answered = 2
[[score]]
id = "mrat"
title = "Mean rating"
op = "mean"
items = "all"
[[score]]
id = "universalism_c"
title = "Universalism, centred"
op = "subtract"
a = "universalism"
b = "mrat"
[[score]]
id = "total"
title = "Total"
op = "sum"
items = "all"
[[score]]
id = "some"
title = "Sum of what there is"
op = "sum"
items = "all"
min_answered = 2
[[score]]
id = "turned"
title = "Universalism, turned"
op = "reverse"
of = "universalism"
min = 1
max = 6
[[score]]
id = "turned_back"
title = "Universalism, turned twice"
op = "reverse"
of = "turned"
min = 1
max = 6
[[score]]
id = "z"
title = "Universalism, standardised"
op = "standardise"
of = "universalism"
mean = 3
sd = 0.5
[[score]]
id = "p1_points"
title = "p1 in points"
op = "lookup"
item = "p1"
table = { 1 = 10, 2 = 8, 3 = 5, 4 = 3, 5 = 1, 6 = 0 }
[export]
default = "scores"
raw_items = "never"
"""


@pytest.fixture(scope="module")
def portraits(tmp_path_factory):
    catalog = tmp_path_factory.mktemp("catalog")
    (catalog / "portraits").mkdir()
    (catalog / "portraits" / "instrument.toml").write_text(PORTRAITS)
    (catalog / "portraits" / "text.en.toml").write_text("")
    return load_instrument("portraits", catalog=catalog)


def prefs(**answers):
    return validate_answers(AI_PREFS, {key: str(value) for key, value in answers.items()})


def portrait_answers(portraits, *values):
    return validate_answers(portraits, {f"p{n}": str(value) for n, value in enumerate(values, start=1)})


# Answers


def test_blank_is_not_reached_and_a_refusal_is_declined():
    answers = prefs(values=70, safety="prefer_not_to_say", fluency="  ")

    assert answers["values"] == 70
    assert answers["safety"] is Missing.DECLINED
    assert answers["fluency"] is Missing.NOT_REACHED
    assert answers["helpfulness"] is Missing.NOT_REACHED


def test_answers_follow_the_instruments_order():
    assert list(prefs(helpfulness=1, values=2)) == KEYS


def test_item_that_was_not_shown_is_not_asked():
    answers = validate_answers(AI_PREFS, {"values": "5"}, shown=["values", "safety"])

    assert answers["safety"] is Missing.NOT_REACHED
    assert answers["fluency"] is Missing.NOT_ASKED


def test_answer_to_an_item_that_was_not_shown_is_refused():
    with pytest.raises(AnswerError) as caught:
        validate_answers(AI_PREFS, {"safety": "5"}, shown=["values"])
    assert caught.value.fields == {"safety": "not_asked"}


def test_own_words_apply_only_to_those_who_chose_them():
    typed = {"gender_own_words": "agender"}

    assert (
        validate_answers(DEMOGRAPHICS, {"gender": "man", **typed})["gender_own_words"]
        is Missing.NOT_APPLICABLE
    )
    assert validate_answers(DEMOGRAPHICS, typed)["gender_own_words"] is Missing.NOT_APPLICABLE
    assert (
        validate_answers(DEMOGRAPHICS, {"gender": "self_describe", **typed})["gender_own_words"] == "agender"
    )


def test_every_fault_is_named_at_once():
    with pytest.raises(AnswerError) as caught:
        prefs(values=101, creativity=-1, fluency="many", factuality="5.5", diversity="1e2", colour="red")
    assert caught.value.fields == {
        "colour": "unknown_item",
        "values": "out_of_range",
        "creativity": "out_of_range",
        "fluency": "not_a_number",
        "factuality": "not_a_number",
        "diversity": "not_a_number",
    }


@pytest.mark.parametrize("number", ["٥", "1_0", "0x1", "+5", "nan", "9" * 5000, "5\x00"])
def test_odd_numerals_are_refused(number):
    with pytest.raises(AnswerError) as caught:
        prefs(values=number)
    assert caught.value.fields == {"values": "not_a_number"}


def test_option_of_another_item_is_refused():
    with pytest.raises(AnswerError) as caught:
        validate_answers(DEMOGRAPHICS, {"age_band": "woman", "gender": "Woman"})
    assert caught.value.fields == {"age_band": "not_an_option", "gender": "not_an_option"}


def test_text_is_counted_as_the_browser_counts_it():
    # A browser sends each line break as two characters but counts it as one.
    answers = validate_answers(FREE_TEXT, {"self_description": "a\r\n" * 999 + "ab"})

    assert len(answers["self_description"]) == 2000


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 2001, "too_long"), ("a\x00b", "not_text"), ("\ud800", "not_text"), ("a\x1bb", "not_text")],
)
def test_text_that_cannot_be_kept_is_refused(text, code):
    with pytest.raises(AnswerError) as caught:
        validate_answers(FREE_TEXT, {"self_description": text})
    assert caught.value.fields == {"self_description": code}


def test_text_may_say_prefer_not_to_say():
    answers = validate_answers(FREE_TEXT, {"self_description": "prefer_not_to_say"})

    assert answers["self_description"] == "prefer_not_to_say"


def test_packed_answers_are_values_or_say_why_there_is_none():
    packed = pack_answers(validate_answers(FREE_TEXT, {"self_description": "declined"}))

    assert packed == {"self_description": "declined", "ai_when_people_disagree": {"missing": "not_reached"}}


raw_prefs = st.dictionaries(
    st.sampled_from(KEYS), st.one_of(st.integers(0, 100).map(str), st.sampled_from(["", "prefer_not_to_say"]))
)


@given(raw_prefs)
def test_answers_come_back_from_json(raw):
    answers = validate_answers(AI_PREFS, raw)

    assert unpack_answers(json.loads(json.dumps(pack_answers(answers)))) == answers


@given(st.dictionaries(st.sampled_from([*KEYS, "x"]), st.text(max_size=8)))
def test_any_input_gives_answers_or_an_answer_error(raw):
    faults = {}
    answers = {}
    try:
        answers = validate_answers(AI_PREFS, raw)
    except AnswerError as error:
        faults = error.fields

    assert faults.keys() <= raw.keys()
    assert all(isinstance(answer, Missing) or 0 <= answer <= 100 for answer in answers.values())


# Scores


def test_ai_prefs_are_given_as_they_are_and_centred():
    scores = score(AI_PREFS, prefs(values=80, creativity=20, fluency=60, factuality=100))

    # mean = (80 + 20 + 60 + 100) / 4 = 65 over the four answered
    assert scores["values"] == 80
    assert scores["ai_prefs_mean"] == 65
    assert scores["values_centred"] == 15
    assert scores["creativity_centred"] == -45
    assert scores["safety"] is None
    assert scores["safety_centred"] is None


def test_too_few_sliders_have_no_mean_and_no_centre():
    scores = score(AI_PREFS, prefs(values=80, creativity=20, fluency=60))

    assert scores["values"] == 80
    assert scores["ai_prefs_mean"] is None
    assert scores["values_centred"] is None


def test_nothing_answered_is_undefined_never_zero():
    assert set(score(AI_PREFS, prefs()).values()) == {None}
    assert set(score(DEMOGRAPHICS, validate_answers(DEMOGRAPHICS, {})).values()) == {None}
    assert score(FREE_TEXT, validate_answers(FREE_TEXT, {})) == {}


def test_every_operation_by_hand(portraits):
    scores = score(portraits, portrait_answers(portraits, 1, 2, 6, 3, 2))

    # reversed 7 - x: 6, 5, 1, 4; p5 is reversed on a reversed scale and stays 2
    assert scores["universalism"] == 4  # (6 + 5 + 1) / 3
    assert scores["power"] == 3  # (4 + 2) / 2
    assert scores["mrat"] == pytest.approx(3.6)  # 18 / 5, not (4 + 3) / 2
    assert scores["universalism_c"] == pytest.approx(0.4)
    assert scores["total"] == 18
    assert scores["turned"] == 3  # 1 + 6 - 4
    assert scores["z"] == 2  # (4 - 3) / 0.5
    assert scores["p1_points"] == 10  # looked up by the answer as typed


def test_min_answered_is_honoured(portraits):
    scores = score(portraits, portrait_answers(portraits, 1, 2, "", "", 2))

    # reversed: 6, 5, -, -, 2
    assert scores["universalism"] == 5.5  # two of three are enough
    assert scores["power"] is None  # one of two is not
    assert scores["mrat"] == pytest.approx(13 / 3)  # over the answered
    assert scores["total"] is None  # a sum needs every item unless it says otherwise
    assert scores["some"] == 13


def test_what_needs_an_undefined_score_is_undefined(portraits):
    scores = score(portraits, portrait_answers(portraits, 1, "prefer_not_to_say"))

    for name in ("universalism", "universalism_c", "turned", "turned_back", "z"):
        assert scores[name] is None


def test_answers_stored_before_an_item_existed_still_score(portraits):
    assert score(portraits, {"p1": 1, "p2": 2})["universalism"] == 5.5


def test_education_and_religion_are_looked_up():
    raw = {"education": "post_secondary", "religion_importance": "not_at_all", "left_right": "0"}
    scores = score(DEMOGRAPHICS, validate_answers(DEMOGRAPHICS, raw))

    assert scores == {"education_step": 4, "religion_importance_step": 1, "left_right": 0}


@given(st.integers(0, 100))
def test_constant_responder_is_centred_at_zero(level):
    scores = score(AI_PREFS, prefs(**dict.fromkeys(KEYS, level)))

    assert all(scores[f"{key}_centred"] == 0 for key in KEYS)


@given(st.lists(st.integers(0, 60), min_size=4, max_size=8), st.integers(0, 40))
def test_adding_a_constant_leaves_centred_scores_unchanged(values, constant):
    before = score(AI_PREFS, prefs(**dict(zip(KEYS, values, strict=False))))
    after = score(AI_PREFS, prefs(**dict(zip(KEYS, [value + constant for value in values], strict=False))))

    for key in KEYS[: len(values)]:
        assert after[f"{key}_centred"] == pytest.approx(before[f"{key}_centred"])


@given(st.dictionaries(st.sampled_from(KEYS), st.integers(0, 100)))
def test_centred_scores_add_up_to_zero(values):
    assume(len(values) >= 4)
    scores = score(AI_PREFS, prefs(**values))

    assert sum(scores[f"{key}_centred"] for key in values) == pytest.approx(0, abs=1e-9)


@given(st.lists(st.integers(1, 6), min_size=5, max_size=5))
def test_mean_rating_is_the_centre_of_all_items(portraits, raw):
    scores = score(portraits, portrait_answers(portraits, *raw))
    reversed_items = [7 - x for x in raw[:4]] + raw[4:]

    assert sum(x - scores["mrat"] for x in reversed_items) == pytest.approx(0, abs=1e-9)


@given(st.integers(-1000, 1000), st.integers(-1000, 0), st.integers(1, 1000))
def test_reversing_twice_changes_nothing(value, low, high):
    assert reverse_value(reverse_value(value, low, high), low, high) == value


@given(st.lists(st.integers(1, 6), min_size=3, max_size=5))
def test_a_score_turned_twice_is_itself(portraits, raw):
    scores = score(portraits, portrait_answers(portraits, *raw))

    assert scores["turned_back"] == pytest.approx(scores["universalism"])


@given(raw_prefs)
def test_scores_have_the_same_names_whatever_was_answered(raw):
    scores = score(AI_PREFS, validate_answers(AI_PREFS, raw))

    assert list(scores) == [wanted.id for wanted in AI_PREFS.scores]


# Attributes and flags


@pytest.mark.parametrize(
    ("number", "band"),
    [("0", "left"), ("3", "left"), ("4", "centre"), ("6", "centre"), ("7", "right"), ("10", "right")],
)
def test_left_right_is_released_as_its_band(number, band):
    answers = validate_answers(DEMOGRAPHICS, {"left_right": number})

    assert attributes(DEMOGRAPHICS, answers)["left_right"] == band


def test_attributes_are_levels_or_none():
    raw = {"age_band": "55+", "gender": "non-binary", "region": "europe", "education": "prefer_not_to_say"}

    assert attributes(DEMOGRAPHICS, validate_answers(DEMOGRAPHICS, raw)) == {
        "age_band": "55+",
        "gender": "non-binary",
        "region": "europe",
        "education": None,
        "religion_importance": None,
        "left_right": None,
    }


def test_own_words_never_become_an_attribute():
    raw = {"gender": "self_describe", "gender_own_words": "agender"}

    assert "agender" not in attributes(DEMOGRAPHICS, validate_answers(DEMOGRAPHICS, raw)).values()


def test_same_answer_on_more_than_the_limit_is_flagged():
    # The limit of ai-prefs-8 is 6 of 8.
    assert profile_flags(AI_PREFS, prefs(**dict.fromkeys(KEYS[:7], 50), helpfulness=9)) == ["straight_lining"]
    assert (
        profile_flags(AI_PREFS, prefs(**dict.fromkeys(KEYS[:6], 50), helpfulness=9, personalisation=8)) == []
    )


def test_straight_line_is_seen_before_reversal(portraits):
    # Typed 2, 2, 2, 3, 2; after reversal 5, 5, 5, 4, 2.
    assert profile_flags(portraits, portrait_answers(portraits, 2, 2, 2, 3, 2)) == ["straight_lining"]


def test_more_blanks_than_the_limit_are_flagged():
    # The limit of ai-prefs-8 is 4 of 8; declined counts, not asked does not.
    assert profile_flags(AI_PREFS, prefs(values=1, creativity=2, fluency=3, safety="prefer_not_to_say")) == [
        "too_many_blanks"
    ]
    assert profile_flags(AI_PREFS, prefs(values=1, creativity=2, fluency=3, safety=4)) == []
    assert profile_flags(AI_PREFS, validate_answers(AI_PREFS, {}, shown=[])) == []


def test_a_person_who_tells_nothing_about_themselves_is_not_flagged():
    assert profile_flags(DEMOGRAPHICS, validate_answers(DEMOGRAPHICS, {})) == []


# Published instruments, by their published keys


HVS = load_instrument("ess-hvs-21")
VALUES = {
    "conformity": (7, 16),
    "tradition": (9, 20),
    "benevolence": (12, 18),
    "universalism": (3, 8, 19),
    "self_direction": (1, 11),
    "stimulation": (6, 15),
    "hedonism": (10, 21),
    "achievement": (4, 13),
    "power": (2, 17),
    "security": (5, 14),
}


def answered(instrument, typed):
    """The instrument's items answered in order with these numbers; None is left blank."""
    pairs = zip(instrument.items, typed, strict=True)
    return validate_answers(instrument, {item.id: str(value) for item, value in pairs if value is not None})


def test_the_human_values_scale_is_scored_as_its_author_says():
    typed = [1, 6, 2, 5, 3, 4, 2, 1, 3, 5, 1, 2, 4, 3, 6, 2, 5, 1, 2, 4, 3]
    scores = score(HVS, answered(HVS, typed))

    # Reversed, 7 - x: 6 1 5 2 4 3 5 6 4 2 6 5 3 4 1 5 2 6 5 3 4, whose sum is 82 and whose mean is MRAT.
    mrat = 82 / 21
    assert scores["hvs_mrat"] == pytest.approx(mrat)
    assert scores["hvs_universalism"] == pytest.approx((5 + 6 + 5) / 3)  # items 3, 8 and 19
    assert scores["hvs_self_direction"] == 6  # items 1 and 11
    assert scores["hvs_power"] == 1.5  # items 2 and 17
    assert scores["hvs_universalism_centred"] == pytest.approx(16 / 3 - mrat)
    # Universalism and benevolence (5 + 6) / 2, each counting once though one has three items.
    assert scores["hvs_self_transcendence"] == pytest.approx((16 / 3 + 5.5) / 2)
    assert scores["hvs_self_transcendence_centred"] == pytest.approx((16 / 3 + 5.5) / 2 - mrat)
    # Self-direction 6, stimulation 2, hedonism 3; security 4, conformity 5, tradition 3.5.
    assert scores["hvs_openness_over_conservation"] == pytest.approx(11 / 3 - 12.5 / 3)


def test_every_value_of_the_human_values_scale_has_its_items():
    for value, numbers in VALUES.items():
        of_value = next(one for one in HVS.scores if one.id == f"hvs_{value}")
        assert [HVS.items.index(HVS.item(item)) + 1 for item in of_value.items] == list(numbers)


@given(st.lists(st.integers(1, 6), min_size=21, max_size=21))
def test_centred_items_of_the_human_values_scale_add_up_to_zero(typed):
    scores = score(HVS, answered(HVS, typed))

    total = sum(len(items) * scores[f"hvs_{value}_centred"] for value, items in VALUES.items())
    assert total == pytest.approx(0, abs=1e-9)


@given(st.lists(st.integers(1, 3), min_size=21, max_size=21), st.integers(0, 3))
def test_who_rates_everything_higher_has_the_same_centred_values(typed, constant):
    before = score(HVS, answered(HVS, typed))
    after = score(HVS, answered(HVS, [value + constant for value in typed]))

    for one in HVS.scores:
        if one.op == "subtract":
            assert after[one.id] == pytest.approx(before[one.id], abs=1e-9)


@given(st.integers(1, 6))
def test_the_same_answer_throughout_leaves_no_value_above_another(level):
    scores = score(HVS, answered(HVS, [level] * 21))

    assert {round(scores[f"hvs_{value}_centred"], 9) for value in VALUES} == {0}
    assert profile_flags(HVS, answered(HVS, [level] * 21)) == ["straight_lining"]


def test_the_mean_rating_is_of_the_answered_items_and_needs_most_of_them():
    # Two left out of 21: the mean of the other nineteen.
    typed = [1, 6, 2, 5, 3, 4, 2, 1, 3, 5, 1, 2, 4, 3, 6, 2, 5, 1, 2, None, None]
    assert score(HVS, answered(HVS, typed))["hvs_mrat"] == pytest.approx((82 - 3 - 4) / 19)

    # Six left out: too many to know the person's level, and flagged as such.
    few = [None] * 6 + [3] * 15
    assert score(HVS, answered(HVS, few))["hvs_mrat"] is None
    assert score(HVS, answered(HVS, few))["hvs_hedonism_centred"] is None
    assert profile_flags(HVS, answered(HVS, few)) == ["too_many_blanks"]


# Items that count for a trait, as published; those turned round are negative.
TRAITS = [
    ("mini-ipip-20", "ipip_extraversion", (1, -6, 11, -16)),
    ("mini-ipip-20", "ipip_agreeableness", (2, -7, 12, -17)),
    ("mini-ipip-20", "ipip_conscientiousness", (3, -8, 13, -18)),
    ("mini-ipip-20", "ipip_neuroticism", (4, -9, 14, -19)),
    ("mini-ipip-20", "ipip_imagination", (5, -10, -15, -20)),
    ("tipi", "tipi_extraversion", (1, -6)),
    ("tipi", "tipi_agreeableness", (-2, 7)),
    ("tipi", "tipi_conscientiousness", (3, -8)),
    ("tipi", "tipi_emotional_stability", (-4, 9)),
    ("tipi", "tipi_openness", (5, -10)),
    ("bfi-10", "bfi_extraversion", (-1, 6)),
    ("bfi-10", "bfi_agreeableness", (2, -7)),
    ("bfi-10", "bfi_conscientiousness", (-3, 8)),
    ("bfi-10", "bfi_neuroticism", (-4, 9)),
    ("bfi-10", "bfi_openness", (-5, 10)),
    ("mfq-30", "mfq30_harm", (1, 7, 12, 17, 23, 28)),
    ("mfq-30", "mfq30_purity", (5, 11, 16, 21, 27, 32)),
    ("mfq-2", "mfq2_care", (1, 7, 13, 19, 25, 31)),
    ("mfq-2", "mfq2_purity", (6, 12, 18, 24, 30, 36)),
    ("twivi", "twivi_conformity", (1, 11)),
    ("twivi", "twivi_security", (10, 20)),
    ("pvq-rr", "pvqrr_humility", (7, 38, 54)),
    ("pvq-rr", "pvqrr_benevolence_care", (11, 25, 47)),
    ("valuecompass-56", "vc56_stimulation", (-9, -25, -37)),
]


@pytest.mark.parametrize(("name", "trait", "key"), TRAITS)
def test_published_keys(name, trait, key):
    instrument = load_instrument(name)
    of_trait = next(one for one in instrument.scores if one.id == trait)
    signs = [-1 if instrument.item(item).reverse else 1 for item in of_trait.items]
    numbers = [int(item.removeprefix("i")) for item in of_trait.items]

    assert tuple(sign * number for sign, number in zip(signs, numbers, strict=True)) == key


def test_the_refined_values_use_every_item_once():
    items = [item for one in load_instrument("pvq-rr").scores if len(one.items) == 3 for item in one.items]

    assert sorted(items) == [f"i{number:02d}" for number in range(1, 58)]


def test_moral_foundations_attention_items_flag_and_do_not_count():
    mfq = load_instrument("mfq-30")
    typed = [(number % 5) for number in range(32)]
    typed[5], typed[21] = 0, 5
    assert profile_flags(mfq, answered(mfq, typed)) == []

    for place, value in ((5, 3), (21, 2)):
        wrong = [*typed[:place], value, *typed[place + 1 :]]
        assert profile_flags(mfq, answered(mfq, wrong)) == ["failed_catch"]
        assert score(mfq, answered(mfq, wrong)) == score(mfq, answered(mfq, typed))


def test_not_knowing_where_one_stands_is_not_refusing_to_say():
    answers = validate_answers(DEMOGRAPHICS, {"left_right": "dont_know"})

    assert answers["left_right"] is Missing.DONT_KNOW
    assert attributes(DEMOGRAPHICS, answers)["left_right"] is None
    assert unpack_answers(pack_answers(answers)) == answers


def test_dont_know_is_an_answer_only_where_it_is_offered():
    with pytest.raises(AnswerError, match="not_a_number"):
        validate_answers(AI_PREFS, {"values": "dont_know"})
