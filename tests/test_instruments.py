"""The catalogue's files are whole and alike in every language; a broken file is refused by file and key."""

import hashlib
import re
import tomllib
from typing import get_args

import pytest

from annotations.instruments import (
    InstrumentError,
    available_instruments,
    load_instrument,
    load_score_texts,
    load_text,
)
from annotations.instruments.instrument import Kind, Op
from annotations.instruments.loader import CATALOG
from annotations.instruments.structure import KINDS, OPS

LANGUAGES = ("ar", "de", "en", "es", "hi", "zh")
# Whose words are ours, so that they come in every language.
OURS = ("ai-prefs-8", "core-demographics", "free-text-values")
WITHOUT_WORDS = ("bfi-10", "mfq-2", "mfq-30", "pvq-rr", "tipi", "twivi", "valuecompass-56")
PUBLISHED = ("ess-hvs-21", "mini-ipip-20")

STRUCTURE = """
schema = 1
id = "mini"
version = "1.0.0"
title = "Mini"
[licence]
spdx = "CC0-1.0"
attribution = "Tests"
[admin]
order = "fixed"
minutes = 1
[[item]]
id = "pet"
kind = "choice"
attribute = "pet"
options = ["cat", "dog"]
[[item]]
id = "trust"
kind = "likert"
min = 1
max = 7
attribute = "trust"
dont_know = true
bands = { low = [1, 4], high = [5, 7] }
[[item]]
id = "why"
kind = "text"
max_chars = 10
only_if = { item = "pet", equals = "cat" }
[[score]]
id = "m"
title = "Mean"
op = "mean"
items = "all"
[[score]]
id = "d"
title = "Nothing"
op = "subtract"
a = "m"
b = "m"
[[score]]
id = "r"
title = "Turned"
op = "reverse"
of = "m"
min = 1
max = 7
[[score]]
id = "z"
title = "Standardised"
op = "standardise"
of = "m"
mean = 4
sd = 2
[[score]]
id = "p"
title = "Pet"
op = "lookup"
item = "pet"
table = { cat = 1, dog = 2 }
[[score]]
id = "h"
title = "Higher order"
level = "higher_order"
op = "mean"
scores = ["m", "r"]
[[check]]
item = "trust"
fails = ["1", "2"]
[export]
default = "scores"
raw_items = "restricted"
"""
TEXT = """
instrument = "mini"
version = "1.0.0"
language = "en"
title = "Mini"
intro = "Three questions."
prefer_not_to_say = "Prefer not to say"
dont_know = "Don't know"
[translation]
translator = "Tests"
method = "none"
status = "source"
licence = "CC0-1.0"
[item.pet]
label = "Pet"
question = "Which?"
options = { cat = "Cat", dog = "Dog" }
[item.trust]
label = "Trust"
question = "How much?"
low = "None"
high = "All"
bands = { low = "Low", high = "High" }
[item.why]
label = "Why"
question = "Why?"
"""


@pytest.fixture
def write(tmp_path):
    """Writes the mini instrument with one piece of a file replaced and returns its catalogue."""

    def write_mini(file="instrument.toml", old="", new=""):
        contents = {"instrument.toml": STRUCTURE, "text.en.toml": TEXT}
        assert old in contents[file]
        contents[file] = contents[file].replace(old, new, 1) if old else contents[file]
        (tmp_path / "mini").mkdir()
        for name, content in contents.items():
            (tmp_path / "mini" / name).write_text(content, encoding="utf-8")
        return tmp_path

    return write_mini


def load_both(catalog):
    return load_text(load_instrument("mini", catalog=catalog), "en")


def key_paths(table, path=""):
    """Every key of a TOML table with the way to it."""
    for key, value in table.items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from key_paths(value, f"{path}{key}.")


def test_catalogue_holds_the_instruments_a_profile_needs():
    assert available_instruments() == tuple(sorted((*OURS, *PUBLISHED, *WITHOUT_WORDS)))


@pytest.mark.parametrize("instrument_id", OURS)
def test_our_own_instruments_load_in_every_language(instrument_id):
    assert load_instrument(instrument_id).languages == LANGUAGES


@pytest.mark.parametrize("instrument_id", available_instruments())
def test_every_text_has_words_for_every_item_and_answer(instrument_id):
    instrument = load_instrument(instrument_id)

    for language in instrument.languages:
        text = load_text(instrument, language)
        assert text.language == language
        assert [item.id for item in text.items] == [item.id for item in instrument.items]
        for item, words in zip(instrument.items, text.items, strict=True):
            assert tuple(key for key, _ in words.options) in (item.options, item.answers)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("instrument_id", OURS)
def test_every_language_has_the_keys_of_english(instrument_id, language):
    folder = CATALOG / instrument_id
    english = tomllib.loads((folder / "text.en.toml").read_text(encoding="utf-8"))
    other = tomllib.loads((folder / f"text.{language}.toml").read_text(encoding="utf-8"))

    assert list(key_paths(other)) == list(key_paths(english))


@pytest.mark.parametrize("instrument_id", OURS)
def test_no_translation_repeats_the_english_question(instrument_id):
    instrument = load_instrument(instrument_id)
    questions = [{item.question for item in load_text(instrument, language).items} for language in LANGUAGES]

    assert len(set.union(*questions)) == len(LANGUAGES) * len(instrument.items)


@pytest.mark.parametrize("instrument_id", OURS)
def test_our_own_words_are_free_to_use(instrument_id):
    instrument = load_instrument(instrument_id)

    assert instrument.licence.spdx == "CC0-1.0"
    assert {load_text(instrument, language).translation.licence for language in LANGUAGES} == {"CC0-1.0"}


@pytest.mark.parametrize("instrument_id", PUBLISHED)
def test_published_instruments_come_in_english_and_fall_back_to_it_for_all_to_see(instrument_id):
    instrument = load_instrument(instrument_id)

    assert instrument.licence.text_bundled
    assert load_text(instrument, "ar").language == "en"


@pytest.mark.parametrize("instrument_id", WITHOUT_WORDS)
def test_an_instrument_whose_licence_forbids_it_has_no_words_in_the_repository(instrument_id):
    instrument = load_instrument(instrument_id)

    assert not instrument.licence.text_bundled
    assert [path.name for path in instrument.folder.iterdir()] == ["instrument.toml"]
    # Numbers for names: even an item's key says nothing of its words.
    assert all(re.fullmatch(r"i\d\d", item.id) for item in instrument.items)


def test_the_survey_s_words_lie_beside_a_licence_of_their_own():
    instrument = load_instrument("ess-hvs-21")
    licence = (instrument.folder / "LICENSE.md").read_text(encoding="utf-8")

    assert instrument.licence.spdx == "CC-BY-SA-4.0" == load_text(instrument, "en").translation.licence
    assert "ESS ERIC" in licence
    assert "https://creativecommons.org/licenses/by-sa/4.0/" in licence
    assert "PVQ-40" in licence  # and says what must never be added to it


def test_scores_and_attributes_of_the_whole_catalogue_have_names_of_their_own():
    # One profile holds all of them in one flat table.
    instruments = [load_instrument(name) for name in available_instruments()]
    scores = [score.id for one in instruments for score in one.scores]
    attributes = [name for one in instruments for name in one.attributes]

    assert len(scores) == len(set(scores))
    assert len(attributes) == len(set(attributes))


@pytest.mark.parametrize("instrument_id", ["ai-prefs-8", "ess-hvs-21", "mini-ipip-20"])
def test_scores_shown_to_people_have_words_in_every_language(instrument_id):
    instrument = load_instrument(instrument_id)
    texts = [load_score_texts(instrument, language) for language in LANGUAGES]

    assert all(list(text) == list(texts[0]) for text in texts)
    assert len({one.meaning for text in texts for one in text.values()}) >= len(LANGUAGES)


def test_an_instrument_may_have_no_words_for_its_scores():
    assert load_score_texts(load_instrument("tipi"), "en") == {}


def test_levels_that_strata_are_declared_with():
    attributes = load_instrument("core-demographics").attributes

    assert attributes["age_band"] == ("18-34", "35-54", "55+")
    assert attributes["gender"] == ("woman", "man", "non-binary", "self_describe")
    assert attributes["left_right"] == ("left", "centre", "right")


def test_ai_prefs_keeps_the_keys_of_prism():
    instrument = load_instrument("ai-prefs-8")

    prism = [
        "values",
        "creativity",
        "fluency",
        "factuality",
        "diversity",
        "safety",
        "personalisation",
        "helpfulness",
    ]
    assert [item.id for item in instrument.items] == prism
    assert {item.bounds for item in instrument.items} == {(0, 100)}
    assert instrument.order == "random"


def test_level_label_is_the_bands_or_options_word():
    text = load_text(load_instrument("core-demographics"), "de")

    assert text.item("left_right").level_label("centre") == "Mitte"
    assert text.item("gender").level_label("woman") == "Frau"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("de", "de"), ("de-AT", "de"), ("es_MX", "es"), ("AR", "ar"), ("tlh", "en"), ("", "en")],
)
def test_text_falls_back_and_says_so(asked, given):
    assert load_text(load_instrument("free-text-values"), asked).language == given


def test_hashes_are_of_the_files_bytes():
    instrument = load_instrument("free-text-values")
    structure = (CATALOG / "free-text-values" / "instrument.toml").read_bytes()
    german = (CATALOG / "free-text-values" / "text.de.toml").read_bytes()

    assert instrument.sha256 == hashlib.sha256(structure).hexdigest()
    assert load_text(instrument, "de").sha256 == hashlib.sha256(structure + german).hexdigest()


def test_an_instrument_is_read_once():
    assert load_instrument("ai-prefs-8") is load_instrument("ai-prefs-8")


@pytest.mark.parametrize("instrument_id", ["nope", "../catalog/ai-prefs-8", "", "ai-prefs-8/"])
def test_unknown_instrument_is_refused(instrument_id):
    with pytest.raises(InstrumentError, match="no such instrument"):
        load_instrument(instrument_id)


def test_operations_are_a_closed_set():
    assert get_args(Op) == OPS == ("mean", "sum", "subtract", "reverse", "standardise", "lookup")
    assert get_args(Kind) == KINDS == ("choice", "likert", "slider", "text")


def test_instruments_need_no_django():
    sources = [path.read_text(encoding="utf-8") for path in CATALOG.parent.glob("*.py")]

    assert sources
    assert not [source for source in sources if "import django" in source or "from django" in source]


def test_mini_instrument_loads(write):
    assert load_both(write()).item("trust").high == "All"


BROKEN_STRUCTURES = [
    ("schema = 1", "schema = 2", "schema"),
    ("schema = 1", "", "schema"),
    ('id = "mini"', 'id = "maxi"', "id"),
    ('"1.0.0"', '"1"', "version"),
    ('title = "Mini"', "title = 3", "title"),
    ('title = "Mini"', 'title = "Mini"\ncolour = "red"', "colour"),
    ('spdx = "CC0-1.0"', 'spdx = " "', "licence.spdx"),
    ('order = "fixed"', 'order = "shuffled"', "admin.order"),
    ('order = "fixed"', "max_missing = -1", "admin.max_missing"),
    ("[admin]", "[[admin]]", "admin"),
    ("minutes = 1", "", "admin.minutes"),
    ("minutes = 1", "minutes = 0", "admin.minutes"),
    ('scores = ["m", "r"]', 'scores = ["m", "h"]', "score[6].scores"),
    ('level = "higher_order"', 'level = "highest"', "score[6].level"),
    ('fails = ["1", "2"]', 'fails = ["8"]', "check[1].fails"),
    ('item = "trust"\nfails', 'item = "why"\nfails', "check[1].item"),
    ('attribution = "Tests"', 'attribution = "Tests"\ntext_bundled = false', "licence.text_bundled"),
    ('id = "pet"', 'id = "Pet!"', "item[1].id"),
    ('id = "trust"', 'id = "pet"', "item[2].id"),
    ('attribute = "trust"', 'attribute = "pet"', "item[2].attribute"),
    ('kind = "choice"', 'kind = "matrix"', "item[1].kind"),
    ('kind = "choice"', "", "item[1].kind"),
    ('options = ["cat", "dog"]', "", "item[1].options"),
    ('["cat", "dog"]', '["cat", 1]', "item[1].options"),
    ('["cat", "dog"]', '["cat", "cat"]', "item[1].options"),
    ('["cat", "dog"]', '["cat"]', "item[1].options"),
    ('["cat", "dog"]', '["cat", "prefer_not_to_say"]', "item[1].options"),
    ('["cat", "dog"]', '["cat", "a dog"]', "item[1].options"),
    ("min = 1", "min = 1.5", "item[2].min"),
    ("min = 1", "min = true", "item[2].min"),
    ("max = 7", "max = 1", "item[2].max"),
    ("min = 1", "min = 1\nmax_chars = 5", "item[2].max_chars"),
    ("high = [5, 7]", "high = [6, 7]", "item[2].bands.high"),
    ("high = [5, 7]", "high = [5, 6]", "item[2].bands.high"),
    ("high = [5, 7]", 'high = "7"', "item[2].bands.high"),
    ("high = [5, 7]", '"High Up" = [5, 7]', "item[2].bands.High Up"),
    ("max_chars = 10", "max_chars = 0", "item[3].max_chars"),
    ('item = "pet", equals', 'item = "trust", equals', "item[3].only_if.item"),
    ('equals = "cat"', 'equals = "cow"', "item[3].only_if.equals"),
    ('op = "mean"', 'op = "eval"', "score[1].op"),
    ('title = "Mean"', "", "score[1].title"),
    ('items = "all"', 'items = ["nope"]', "score[1].items"),
    ('items = "all"', 'items = ["pet"]', "score[1].items"),
    ('items = "all"', 'items = "some"', "score[1].items"),
    ('items = "all"', 'items = "all"\nmin_answered = 2', "score[1].min_answered"),
    ('items = "all"', 'items = "all"\nformula = "1+1"', "score[1].formula"),
    ('id = "d"', 'id = "m"', "score[2].id"),
    ('b = "m"', 'b = "d"', "score[2].b"),
    ('of = "m"\nmin = 1', 'of = "m"\nmin = 9', "score[3].max"),
    ("sd = 2", "sd = 0", "score[4].sd"),
    ("sd = 2", "sd = nan", "score[4].sd"),
    ("mean = 4", 'mean = "4"', "score[4].mean"),
    ('item = "pet"\ntable', 'item = "why"\ntable', "score[5].item"),
    ("{ cat = 1, dog = 2 }", "{ cat = 1 }", "score[5].table.dog"),
    ("{ cat = 1, dog = 2 }", "{ cat = 1, dog = 2, cow = 3 }", "score[5].table.cow"),
    ('default = "scores"', 'default = "everything"', "export.default"),
    ('raw_items = "restricted"', "", "export.raw_items"),
]


@pytest.mark.parametrize(("old", "new", "key"), BROKEN_STRUCTURES)
def test_broken_structure_is_refused_by_file_and_key(write, old, new, key):
    catalog = write("instrument.toml", old, new)

    with pytest.raises(InstrumentError) as caught:
        load_both(catalog)
    assert (caught.value.file, caught.value.key) == ("mini/instrument.toml", key)
    assert str(caught.value).startswith(f"mini/instrument.toml: {key}: ")


BROKEN_TEXTS = [
    ('instrument = "mini"', 'instrument = "maxi"', "instrument"),
    ('version = "1.0.0"', 'version = "0.9.0"', "version"),
    ('language = "en"', 'language = "fr"', "language"),
    ('intro = "Three questions."', "", "intro"),
    ('intro = "Three questions."', 'outro = "Bye"\nintro = "Hi"', "outro"),
    ('prefer_not_to_say = "Prefer not to say"', "", "prefer_not_to_say"),
    ('status = "source"', 'status = "perfect"', "translation.status"),
    ("[item.why]", "[item.how]", "item.why"),
    ("[item.why]", '[item.how]\nlabel = "How"\nquestion = "How?"\n[item.why]', "item.how"),
    ('question = "Why?"', 'question = ""', "item.why.question"),
    ('cat = "Cat", ', "", "item.pet.options.cat"),
    ('cat = "Cat"', 'cow = "Cow", cat = "Cat"', "item.pet.options.cow"),
    ('low = "None"', "", "item.trust.low"),
    ('dont_know = "Don\'t know"', "", "dont_know"),
    ('low = "None"', 'low = "None"\nlabels = { 1 = "One" }', "item.trust.labels.2"),
    ('high = "High"', "high = 5", "item.trust.bands.high"),
    ('label = "Why"', 'label = "Why"\nlow = "No"', "item.why.low"),
]


@pytest.mark.parametrize(("old", "new", "key"), BROKEN_TEXTS)
def test_broken_text_is_refused_by_file_and_key(write, old, new, key):
    catalog = write("text.en.toml", old, new)

    with pytest.raises(InstrumentError) as caught:
        load_both(catalog)
    assert (caught.value.file, caught.value.key) == ("mini/text.en.toml", key)


@pytest.mark.parametrize("content", [b"schema = ", b"\xff\xfe", b"\x00", b"", b"a = 1\na = 2"])
def test_file_that_is_not_toml_is_refused_by_name(write, content):
    catalog = write()
    (catalog / "mini" / "instrument.toml").write_bytes(content)

    with pytest.raises(InstrumentError, match=r"mini/instrument\.toml"):
        load_instrument("mini", catalog=catalog)


def test_instrument_without_english_is_refused(write):
    catalog = write()
    (catalog / "mini" / "text.en.toml").unlink()

    with pytest.raises(InstrumentError, match=r"mini/text\.en\.toml: is missing"):
        load_instrument("mini", catalog=catalog)


def test_structure_changed_under_a_running_process_is_not_mixed_with_old_answers(write):
    catalog = write()
    instrument = load_instrument("mini", catalog=catalog)
    with (catalog / "mini" / "instrument.toml").open("a") as file:
        file.write("# edited\n")

    with pytest.raises(InstrumentError, match="changed since it was loaded"):
        load_text(instrument, "en")
