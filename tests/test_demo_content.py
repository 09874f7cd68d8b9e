"""The demo campaign: its prompts, translations, criteria, generators and consent documents."""

import csv
import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parent.parent / "exports" / "demo"
LANGUAGES = ["en", "es", "de", "ar"]
ARABIC = re.compile(r"[\u0600-\u06ff]")
COLUMNS = ["prompt_id", "text", "language", "topic", "source", "licence", "x_translation_of"]


def read_prompts():
    with (DEMO / "prompts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def english():
    return [row for row in read_prompts() if row["language"] == "en"]


def translations():
    return [row for row in read_prompts() if row["x_translation_of"]]


def read_campaign():
    return json.loads((DEMO / "campaign.json").read_text(encoding="utf-8"))


def words(text):
    return re.findall(r"\w+", text.casefold())


def shingles(text):
    found = words(text)
    return {tuple(found[i : i + 3]) for i in range(len(found) - 2)}


def test_prompts_have_exactly_the_declared_columns():
    header = (DEMO / "prompts.csv").read_text(encoding="utf-8").splitlines()[0]

    assert header == ",".join(COLUMNS)


def test_prompts_file_is_utf8_with_unix_line_ends():
    raw = (DEMO / "prompts.csv").read_bytes()

    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")


def test_every_cell_but_the_original_is_filled_on_one_line():
    for row in read_prompts():
        assert all(row[name].strip() == row[name] != "" for name in COLUMNS[:-1]), row
        assert "\n" not in row["text"]


def test_there_are_at_least_eighty_english_prompts_of_eight_to_forty_words():
    assert len(english()) >= 80
    assert [row["text"] for row in english() if not 8 <= len(row["text"].split()) <= 40] == []


def test_english_prompts_cover_many_topics():
    topics = Counter(row["topic"] for row in english())

    assert len(topics) >= 20
    assert max(topics.values()) <= 5
    assert all(re.fullmatch(r"[a-z]+( [a-z]+)?", topic) for topic in topics)


def test_prompt_ids_are_unique():
    ids = [row["prompt_id"] for row in read_prompts()]

    assert len(set(ids)) == len(ids)


def test_no_two_prompts_read_the_same():
    texts = Counter(" ".join(words(row["text"])) for row in read_prompts())

    assert [text for text, count in texts.items() if count > 1] == []


def test_no_two_english_prompts_are_alike():
    grams = {row["prompt_id"]: shingles(row["text"]) for row in english()}

    alike = [
        (a, b)
        for a, b in combinations(grams, 2)
        if len(grams[a] & grams[b]) / len(grams[a] | grams[b]) >= 0.35
    ]
    assert alike == []


def test_twenty_originals_have_all_three_translations():
    languages = {}
    for row in translations():
        languages.setdefault(row["x_translation_of"], []).append(row["language"])

    assert len(languages) == 20
    assert all(found == ["es", "de", "ar"] for found in languages.values())


def test_translations_follow_all_english_prompts_and_name_theirs():
    rows = read_prompts()
    originals = {row["prompt_id"]: row for row in english()}

    assert [row["language"] for row in rows[: len(originals)]] == ["en"] * len(originals)
    for row in translations():
        assert row["prompt_id"] == f"{row['x_translation_of']}-{row['language']}"
        assert row["topic"] == originals[row["x_translation_of"]]["topic"]


def test_arabic_script_stands_in_arabic_texts_only():
    for row in read_prompts():
        assert bool(ARABIC.search(row["text"])) == (row["language"] == "ar"), row["prompt_id"]


def test_spanish_questions_open_with_their_mark():
    spanish = [row["text"] for row in read_prompts() if row["language"] == "es"]

    assert [text for text in spanish if text.count("¿") != text.count("?")] == []


def test_everything_is_dedicated_to_the_public_domain():
    assert {(row["licence"], row["source"]) for row in read_prompts()} == {("CC0-1.0", "Empanel demo")}
    assert read_campaign()["licence"] == "CC0-1.0"


def test_campaign_describes_itself_and_its_jury():
    campaign = read_campaign()

    assert campaign["title"] == "Where reasonable people differ"
    assert campaign["languages"] == LANGUAGES
    assert campaign["demo"] is True
    assert campaign["strata"] == [
        {"attribute": "age_band", "levels": ["18-34", "35-54", "55+"]},
        {"attribute": "gender", "levels": ["woman", "man"]},
    ]
    assert (campaign["seats_per_stratum"], campaign["wildcard_seats"]) == (1, 1)
    assert campaign["privacy"] == {"attributes": ["age_band", "gender"], "tier": "open"}


def test_criteria_are_the_three_promised_and_speak_four_languages():
    criteria = read_campaign()["criteria"]

    assert [(c["criterion"], c["kind"], c["scale_min"], c["scale_max"]) for c in criteria] == [
        ("acceptable", "likert", 1, 5),
        ("speaks_to_my_values", "slider", 0, 100),
        ("helpful", "likert", 1, 5),
    ]
    for criterion in criteria:
        assert criterion["higher_is_better"] is True
        assert list(criterion["translations"]) == LANGUAGES[1:]
        for shown in (criterion, *criterion["translations"].values()):
            assert shown["question"]
            assert shown["label_min"]
            assert shown["label_max"]


def test_four_generators_run_the_small_model():
    generators = {g["name"]: g for g in read_campaign()["generators"]}

    assert list(generators) == ["plain", "hot", "tradition-first", "freedom-first"]
    for generator in generators.values():
        assert (generator["provider"], generator["model"]) == ("transformers_local", "smollm2-135m-instruct")
        assert (generator["samples"], generator["max_new_tokens"]) == (1, 64)
    assert (generators["plain"]["temperature"], generators["hot"]["temperature"]) == (0.7, 1.3)


def test_two_generators_are_steered_against_each_other():
    generators = {g["name"]: g for g in read_campaign()["generators"]}
    tradition = generators["tradition-first"]["steering"]
    freedom = generators["freedom-first"]["steering"]

    assert tradition["label"] != freedom["label"]
    assert "custom" in tradition["system"]
    assert "custom" not in freedom["system"]
    assert "freedom to choose" in freedom["system"]
    assert generators["plain"]["steering"] is None
    assert generators["hot"]["steering"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_consent_document_is_short_calm_and_says_how_to_withdraw(language):
    text = (DEMO / f"consent.{language}.md").read_text(encoding="utf-8")

    assert 200 <= len(text.split()) <= 300  # headings and their marks count too
    assert text.startswith("# ")
    assert text.count("\n## ") == 7
    assert "/my-data/" in text
    assert "!" not in text
