"""Exports for other projects: which response is preferred, what is left out, and the exact text of files."""

import ast
import csv
import json
import pickle
from itertools import combinations
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone

from exports.format_export import export_format
from exports.formats import FORMATS
from exports.formats.format import CannotExport, Options
from exports.interchange import import_campaign
from exports.releases import cut_release, release_folder
from tests.folders import LIKERT, SETTINGS, write_folder, write_squality

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden" / "formats"
DOCS = Path(__file__).parent.parent / "docs" / "formats.md"

# p1 is in the test split, p3 in validation, p2 in train.
PROMPTS = [
    {"prompt_id": "p1", "text": "Why?"},
    {"prompt_id": "p2", "text": "Who, “you”?"},
    {"prompt_id": "p18", "text": "What?"},
]
TEXTS = {
    "p1-a": "Because it is so.", "p1-b": "So.", "p2-a": "Me.", "p2-b": "Nobody that you know.",
    "p18-a": "This, or the other.", "p18-b": "That.",
}  # fmt: skip
CANDIDATES = [
    {"candidate_id": name, "prompt_id": name.split("-")[0], "text": text, "generator": name[-1]}
    for name, text in TEXTS.items()
]
LONGER = "long.er"
ANNOTATORS = [
    {"annotator_id": LONGER, "age": "young", "town": "Ur", "weight": "1.5"},
    {"annotator_id": "ann", "age": "young"},
    {"annotator_id": "bob", "age": "old"},
    {"annotator_id": "cat", "age": "old"},
    {"annotator_id": "dan", "age": "unknown"},
]
# Of p1-a, p1-b, p2-a, p2-b, p18-a, p18-b; ann is of two minds about p1, bob says nothing of p18-b.
VALUES = {LONGER: "521541", "ann": "332412", "bob": "41514-", "cat": "154251", "dan": "151524"}


def make_source(folder: Path, criterion=LIKERT, **settings) -> Path:
    ratings = [
        {"annotator_id": who, "candidate_id": name, "criterion": "good", "value": value.strip("-")}
        for who, values in VALUES.items()
        for name, value in zip(TEXTS, values, strict=True)
    ]
    file = SETTINGS | {"strata": ["age"], "criteria": [criterion]} | settings
    tables = {"prompts": PROMPTS, "candidates": CANDIDATES, "annotators": ANNOTATORS, "ratings": ratings}
    return write_folder(folder, file, **tables)


def make_four(folder: Path) -> Path:
    """The small study with two more responses to p2: one longer than all, one that ann likes best too."""
    source = make_source(folder)
    more = {"p2-c": "Somebody who has not been named.", "p2-d": "I."}
    said = {LONGER: "51", "ann": "14", "bob": "12", "cat": "15"}
    ratings = [
        {"annotator_id": who, "candidate_id": name, "criterion": "good", "value": value}
        for who, values in said.items()
        for name, value in zip(more, values, strict=True)
    ]
    candidates = [{"candidate_id": name, "prompt_id": "p2", "text": text} for name, text in more.items()]
    rated = table(source / "ratings.csv")
    longer = {"annotator_id": LONGER, "candidate_id": "p2-b"}
    rated = [row | {"value": "4"} if longer.items() <= row.items() else row for row in rated]
    settings = json.loads((source / "campaign.json").read_text())
    return write_folder(source, settings, candidates=CANDIDATES + candidates, ratings=rated + ratings)


def cut(source: Path) -> Path:
    release = cut_release(import_campaign(source, "study"), "1", now=timezone.now())
    return Path(storages["releases"].path(release_folder(release)))


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path):
    options = {"location": tmp_path / "releases", "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "releases": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }


@pytest.fixture
def release(tmp_path) -> Path:
    return cut(make_source(tmp_path / "source"))


@pytest.fixture
def release_for(tmp_path):
    """The small release, or what else a format needs."""

    def find(name: str) -> Path:
        make = make_four if name == "community_alignment" else make_source
        return cut(make(tmp_path / "source"))

    return find


@pytest.fixture
def export(release_for, tmp_path):
    """Exports the small release; gives the folder."""

    def run(name: str, **options) -> Path:
        release = release_for(name)
        chosen = Options(**{"smallest_group": 2} | options)
        export_format(release, name, tmp_path / "out" / name, chosen)
        return tmp_path / "out" / name

    return run


NAME = "long-er-56388554"


def lines(*paths: Path) -> list[dict]:
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def all_lines(folder: Path) -> list[dict]:
    return lines(*sorted(folder.glob("*.jsonl")))


def table(*paths: Path) -> list[dict]:
    rows = []
    for path in paths:
        with path.open(newline="", encoding="utf-8") as stream:
            rows += csv.DictReader(stream)
    return rows


def manifest(folder: Path) -> dict:
    return json.loads((folder / "MANIFEST.json").read_text())


def longest(*texts: str) -> str:
    return max(texts, key=len)


# --- every format -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_files_are_as_they_were(export, name):
    folder = export(name)
    written = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "MANIFEST.json"
    }
    golden = {
        path.relative_to(GOLDEN / name).as_posix(): path.read_bytes()
        for path in (GOLDEN / name).rglob("*")
        if path.is_file()
    }

    assert written == golden


@pytest.mark.parametrize("name", FORMATS)
def test_a_second_export_gives_the_same_bytes(release_for, name, tmp_path):
    release = release_for(name)
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        export_format(release, name, folder, Options(smallest_group=2))

    first, second = ((folder / "MANIFEST.json").read_bytes() for folder in folders)
    assert first == second


@pytest.mark.parametrize("name", FORMATS)
def test_no_id_holds_a_full_stop(export, name):
    folder = export(name)
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "MANIFEST.json"]

    assert manifest(folder)["renamed_annotators"] == {LONGER: NAME}
    assert all(LONGER.encode() not in path.read_bytes() for path in files)


@pytest.mark.parametrize("name", FORMATS)
def test_the_documentation_shows_how_to_load_it(export, name):
    text = DOCS.read_text()
    example = text.partition(f"### {name}\n")[2].partition("```python\n")[2].partition("```")[0]
    known = {"DIR": str(export(name))}
    exec(example, known)

    assert f"| `{name}` |" in text
    assert 2 <= len(example.splitlines()) <= 3
    assert len(known["rows"]) == manifest(Path(known["DIR"]))["rows"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_what_it_needs_and_for_whom(name):
    assert FORMATS[name].name == name
    assert FORMATS[name].needs
    assert FORMATS[name].consumer


# --- preferences --------------------------------------------------------------------------------------

# 5 annotators x 3 prompts - ann's tie in p1 - bob's missing answer in p18.
PAIRS = 13


@pytest.mark.parametrize("name", ["pal", "pref", "vpl", "persona", "trl"])
def test_ties_and_missing_answers_are_absent_and_counted(export, name):
    found = manifest(export(name))

    assert found["rows"] == PAIRS
    assert found["left_out"].items() >= {"ties": 1, "missing": 1, "repeats": 0}.items()
    assert found["notes"].items() >= {"criterion": "good", "preferences_from": "ratings"}.items()


def test_pal_says_left_with_minus_one(export):
    rows = all_lines(export("pal"))
    mine = [row for row in rows if row["uid"] == NAME]

    assert len(rows) == PAIRS
    assert [row["left" if row["y"] == -1 else "right"] for row in mine] == [
        f" {longest(row['left'].strip(), row['right'].strip())}" for row in mine
    ]
    assert {row["y"] for row in mine} == {-1, 1}


def test_pref_says_response_1_with_one(export):
    folder = export("pref")
    rows = table(*folder.glob("preferences_dataset_*.csv"))
    people = table(folder / "annotators.csv")
    (me,) = [row for row in people if row["annotator_id"] == NAME]
    mine = [row for row in rows if row["persona_index"] == me["persona_index"]]

    assert len(rows) == PAIRS
    assert len(mine) == 3
    for row in mine:
        preferred = row["response_1"] if row["preference"] == "1" else row["response_2"]
        assert preferred == longest(row["response_1"], row["response_2"])


def test_persona_puts_the_preferred_response_in_data(export):
    rows = all_lines(export("persona"))

    mine = [row for row in rows if row["persona"] == "age: young\ntown: Ur"]

    assert len(rows) == PAIRS
    assert len(mine) == 3
    assert all(len(row["data"]) > len(row["original"]) for row in mine)


def test_trl_has_messages_and_labels(export):
    folder = export("trl")
    rows = all_lines(folder / "preference")
    kto = all_lines(folder / "kto")
    mine = [row for row in rows if row["annotator_id"] == NAME]
    good = [row["completion"] for row in kto if row["annotator_id"] == NAME and row["label"]]

    assert (len(rows), len(kto)) == (PAIRS, 2 * PAIRS)
    assert len(mine) == 3
    assert all(len(row["chosen"][0]["content"]) > len(row["rejected"][0]["content"]) for row in mine)
    assert good == [row["chosen"] for row in mine]


def test_vpl_prefers_chosen_and_marks_what_groups_dispute(export):
    folder = export("vpl")
    rows = all_lines(folder / "8") + all_lines(folder / "4") + all_lines(folder / "2")
    named = {index: row for row in rows for index in [row["Index"]]}
    mine = [named[index] for index in (10, 11, 12)]  # the last annotator's

    assert manifest(folder)["notes"]["slots"] == {"8": "old", "4": "unknown", "2": "young"}
    assert sorted(named) == list(range(PAIRS))
    assert all(len(row["chosen"]) > len(row["rejected"]) for row in mine)
    # p2: dan, ann and long.er for the longer, bob and cat against.
    assert (mine[2]["controversial"], mine[2]["satisfied_subset"]) == (True, ["4", "2"])


def test_vpl_takes_four_groups_at_most(export):
    with pytest.raises(CannotExport, match="one to four groups; annotator_id has 5"):
        export("vpl", group_by="annotator_id")


def test_copl_puts_the_positive_item_first(export):
    folder = export("copl")
    total, users = pickle.loads((folder / "dataset" / "PLM-ours-ALL.pkl").read_bytes())
    found = manifest(folder)
    me = users[found["notes"]["users"].index(NAME)]
    pairs = [*me["context"], *me["context_unseen"], *me["target"]]
    contexts = [item for user in users for pair in user["context"] for item in pair]

    assert len(pairs) == 3
    assert all(len(total[won]["full_text"]) > len(total[lost]["full_text"]) for won, lost in pairs)
    assert [user["user"] for user in users] == [0, 1, 2, 3]
    assert max(contexts) == len(total) - 1 == 5
    # bob said nothing of one response of the validation prompt: his two other pairs go too.
    assert found["left_out"].items() >= {"users": 1, "pairs_of_those_users": 2, "ties": 1}.items()
    assert found["rows"] == PAIRS - 2


def test_copl_needs_both_splits(tmp_path):
    source = make_source(tmp_path / "source")
    ratings = table(source / "ratings.csv")
    some = [row for row in ratings if not row["candidate_id"].startswith("p18")]
    settings = json.loads((source / "campaign.json").read_text())

    with pytest.raises(CannotExport, match="in both the train and the validation split"):
        export_format(cut(write_folder(source, settings, ratings=some)), "copl", tmp_path / "out", Options())


def test_community_alignment_names_the_letter_of_the_best_of_four(export):
    folder = export("community_alignment")
    rows = {row["annotator_id"]: row for row in all_lines(folder)}

    # bob likes p2-a best, ann and cat two alike or others; long.er the longest of them all.
    best = {who: row["first_turn_preferred_response"][-1] for who, row in rows.items()}
    assert best == {"bob": "a", "cat": "d", NAME: "c"}
    assert rows[NAME]["first_turn_response_c"] == "Somebody who has not been named."
    assert rows[NAME]["annotator_age"] == "young"
    assert manifest(folder)["left_out"]["without_single_best"] == 2  # ann: 4 and 4; dan: rated two of four


def test_community_alignment_needs_four_candidates(release, tmp_path):
    with pytest.raises(CannotExport, match="exactly four candidates; the release has none"):
        export_format(release, "community_alignment", tmp_path / "out", Options())


# --- groups -------------------------------------------------------------------------------------------


def test_global_opinions_gives_each_large_groups_shares(export):
    folder = export("global_opinions")
    rows = all_lines(folder)
    # As its reader cuts the text.
    shares = [ast.literal_eval(row["selections"].split(">")[1][2:-1]) for row in rows]

    assert len(rows) == manifest(folder)["rows"] == 6
    assert ast.literal_eval(rows[0]["options"]) == ["1", "2", "3", "4", "5"]
    # p1-a: bob 4 and cat 1; ann 3 and long.er 5.
    assert shares[0] == {"old": [0.5, 0, 0, 0.5, 0], "young": [0, 0, 0.5, 0, 0.5]}
    assert all(sum(part) == 1 for row in shares for part in row.values())


@pytest.mark.parametrize("name", ["global_opinions", "modular_pluralism"])
def test_small_groups_are_suppressed_and_counted(export, name):
    folder = export(name)

    # dan is alone in each of 6 items, cat in that which bob did not rate.
    assert manifest(folder)["left_out"]["small_groups"] == 7
    assert all(
        b"unknown" not in path.read_bytes() for path in folder.rglob("*.json*") if path.stem != "MANIFEST"
    )


def test_all_groups_too_small_is_a_refusal(export):
    with pytest.raises(CannotExport, match=r"nothing is left to export .*18 small_groups"):
        export("global_opinions", smallest_group=5)


def test_groups_by_an_unknown_column_are_refused(export):
    with pytest.raises(
        CannotExport, match="needs annotators with country; their columns are: annotator_id, "
    ):
        export("modular_pluralism", group_by="country")


def test_a_slider_has_no_options(tmp_path):
    slider = {"criterion": "good", "kind": "slider", "scale_min": 0, "scale_max": 100}
    folder = cut(make_source(tmp_path / "source", slider))

    with pytest.raises(CannotExport, match="kind likert, binary or categorical; good is slider"):
        export_format(folder, "lewidi", tmp_path / "out", Options())


def test_seven_options_are_too_many_for_five_letters(tmp_path):
    folder = cut(make_source(tmp_path / "source", LIKERT | {"scale_max": 7}))

    with pytest.raises(CannotExport, match="needs at most 5 options; good has 7"):
        export_format(folder, "modular_pluralism", tmp_path / "out", Options())


def test_modular_pluralism_has_a_row_for_each_group(export):
    rows = json.loads((export("modular_pluralism") / "input" / "distributional.json").read_text())

    assert [row["id"] for row in rows] == list(range(11))
    assert [row["attribute"] for row in rows[:2]] == ["old", "young"]
    assert rows[0]["gold_distribution"] == [0.5, 0, 0, 0.5, 0]


def test_lewidi_keeps_every_annotation_and_its_shares(export):
    item = json.loads((export("lewidi") / "train.json").read_text())["5"]

    # p2-b: ann 4, bob 1, cat 2, dan 5, long.er 5.
    assert item["annotators"] == f"ann,bob,cat,dan,{NAME}"
    assert item["annotations"] == "3,0,1,4,4"
    assert item["soft_label"] == {"0": 0.2, "1": 0.2, "2": 0.0, "3": 0.2, "4": 0.4}
    assert item["hard_label"] == "4"


# --- people and prompts -------------------------------------------------------------------------------


def test_aepo_has_a_column_for_each_response(export):
    rows = table(*sorted(export("aepo").glob("*.csv")))

    assert len(rows) == 3
    assert rows[0] == {"prompt": "Why?", "response_1": "Because it is so.", "response_2": "So."}


def test_plurals_has_weights_and_words_for_attributes(export):
    folder = export("plurals")
    rows = table(folder / "dataset.csv")

    assert len(rows) == 5
    assert rows[4] == {"annotator_id": NAME, "weight": "1.5", "age": "young", "town": "Ur"}
    assert json.loads((folder / "persona_mapping.yaml").read_text())["age"]["name"] == "age"


def test_lower_can_be_better(tmp_path):
    folder = cut(make_source(tmp_path / "source", LIKERT | {"higher_is_better": False}))
    export_format(folder, "pal", tmp_path / "out", Options())
    mine = [row for row in all_lines(tmp_path / "out") if row["uid"] == NAME]

    assert all(len(row["left"]) < len(row["right"]) for row in mine if row["y"] == -1)
    assert len(mine) == 3


def test_choices_go_before_ratings(tmp_path):
    choice = {"annotator_id": LONGER, "prompt_id": "p1", "criterion": "good"}
    choices = [
        choice | {"chosen": "p1-a", "rejected": "p1-b"},
        choice | {"annotator_id": "ann", "chosen": "p1-a", "rejected": "p1-b", "tie": "true"},
    ]
    source = make_source(tmp_path / "source")
    write_folder(source, json.loads((source / "campaign.json").read_text()), choices=choices)
    export_format(cut(source), "pal", tmp_path / "out", Options())

    assert [(row["uid"], row["left"], row["y"]) for row in all_lines(tmp_path / "out")] == [
        (NAME, " Because it is so.", -1)
    ]
    assert manifest(tmp_path / "out")["notes"]["preferences_from"] == "choices"
    assert manifest(tmp_path / "out")["left_out"]["ties"] == 1


# --- refusals -----------------------------------------------------------------------------------------


def test_ratings_without_a_scale_give_no_preferences(tmp_path):
    kinds = {"criterion": "good", "kind": "categorical", "categories": ["1", "2", "3", "4", "5"]}
    folder = cut(make_source(tmp_path / "source", kinds))

    with pytest.raises(CannotExport, match=r"needs choices, or ratings on a scale .* good is categorical"):
        export_format(folder, "pal", tmp_path / "out", Options())
    assert not (tmp_path / "out").exists()


def test_an_unknown_criterion_is_refused_by_name(export):
    with pytest.raises(CannotExport, match='no criterion "bad"; the release has: good'):
        export("trl", criterion="bad")


def test_a_full_folder_is_left_alone(release, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(CannotExport, match="is not an empty folder"):
        export_format(release, "pal", tmp_path, Options())
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_release_is_not_written_into(release):
    with pytest.raises(CannotExport, match="lies inside the release"):
        export_format(release, "pal", release / "pal", Options())
    assert not (release / "pal").exists()


def test_a_changed_release_is_refused(release, tmp_path):
    (release / "metrics.json").write_text("[]")

    with pytest.raises(CannotExport, match=r"is not a release as it was written: metrics\.json was changed"):
        export_format(release, "pal", tmp_path / "out", Options())


def test_the_command_exports_and_refuses_in_words(release, tmp_path, capsys):
    call_command("export_format", str(release), "pal", "--out", str(tmp_path / "out"))

    assert capsys.readouterr().out == "Exported 13 rows; left out: 1 ties, 1 missing.\n"
    with pytest.raises(CommandError, match='Cannot export: there is no format "pall"; there are: pal, '):
        call_command("export_format", str(release), "pall", "--out", str(tmp_path / "more"))


# --- published data -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_squality_exports_to_what_it_supports(shared_data, tmp_path):
    folder = cut(write_squality(shared_data, tmp_path / "squality"))
    refused = {}
    for name in FORMATS:
        try:
            export_format(folder, name, tmp_path / "out" / name, Options(**SQUALITY.get(name, {})))
        except CannotExport as error:
            refused[name] = str(error)

    assert set(refused) == REFUSED
    # Recounted from the published file: each rater's pairs of one prompt's three responses.
    ratings = table(shared_data / "squality" / "ratings.csv")
    prompts = {
        row["response_id"]: row["prompt_id"] for row in table(shared_data / "squality" / "responses.csv")
    }
    pairs = [
        float(one["correctness"]) == float(other["correctness"])
        for one, other in combinations(ratings, 2)
        if one["rater_id"] == other["rater_id"]
        and prompts[one["response_id"]] == prompts[other["response_id"]]
    ]
    written = manifest(tmp_path / "out" / "pal")
    assert len(all_lines(tmp_path / "out" / "pal")) == written["rows"] == pairs.count(False)
    assert written["left_out"]["ties"] == pairs.count(True)


# Its four raters have no attributes: each is a group.
SQUALITY = {"vpl": {"group_by": "annotator_id"}}
# It has neither attributes nor a criterion with options.
REFUSED = {"persona", "global_opinions", "modular_pluralism", "lewidi", "plurals", "community_alignment"}
