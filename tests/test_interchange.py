"""Importing a folder as a campaign: all of it, or nothing and every fault named."""

from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from annotations.models import Annotator, Ballot, Choice, Rating, Seat, Stratum, ValueProfile
from collector.models import Campaign, Candidate, Criterion, Generator, Membership, Prompt
from collector.tabular import IntakeError
from exports.campaign_file import write_settings
from exports.interchange import import_campaign
from tests.builders import make_campaign, make_user
from tests.folders import (
    ANNOTATORS,
    LIKERT,
    PROMPTS,
    RATINGS,
    SETTINGS,
    SMALL,
    write_folder,
    write_small,
)

pytestmark = pytest.mark.django_db
MODELS = (
    Campaign, Criterion, Prompt, Generator, Candidate, Annotator, ValueProfile, Stratum, Seat,
    Ballot, Rating, Choice,
)  # fmt: skip


CHOICE = {"annotator_id": "ann", "prompt_id": "p1", "criterion": "good", "chosen": "p1-a", "rejected": "p1-b"}


def count_everything() -> list[int]:
    return [model.objects.count() for model in MODELS]


def complaint(folder) -> str:
    """What is said of the folder, after making sure that nothing of it was kept."""
    make_campaign("stranger")
    before = count_everything()
    with pytest.raises(IntakeError) as caught:
        import_campaign(folder, "study")

    assert count_everything() == before
    return str(caught.value)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_each_format_gives_the_same_campaign(tmp_path, form):
    campaign = import_campaign(write_folder(tmp_path, form=form, **SMALL), "study")

    assert (campaign.state, campaign.is_imported) == ("closed", True)
    ratings = Rating.objects.order_by("pk")
    assert list(ratings.values_list("annotator__external_id", "candidate__external_id", "value")) == [
        ("ann", "p1-a", 5.0), ("ann", "p1-b", 1.0), ("bob", "p1-a", 3.0), ("bob", "p2-a", 4.0),
    ]  # fmt: skip


def test_one_seat_and_ballot_per_annotator_and_prompt(tmp_path):
    import_campaign(write_small(tmp_path), "study")

    seats = Seat.objects.order_by("pk").values_list("annotator__external_id", "prompt__external_id", "state")
    assert list(seats) == [("ann", "p1", "filled"), ("bob", "p1", "filled"), ("bob", "p2", "filled")]
    assert Ballot.objects.filter(is_current=True).count() == 3


def test_annotators_keep_id_profile_and_source(tmp_path):
    import_campaign(write_small(tmp_path), "study")

    ann = Annotator.objects.get(external_id="ann")
    assert ann.source == "imported"
    assert (ann.profiles.get().attributes, ann.profiles.get().scores) == ({"age": "young"}, {"care": 4.5})


def test_a_jurys_settings_are_read_and_written_as_they_were(tmp_path):
    jury = {
        "strata": [{"attribute": "score_care", "levels": ["low", "high"], "cuts": [3.5]}],
        "stratum_seats": {"low": 4},
        "wildcard_seats": 2,
        "soft_targets": [{"attribute": "age", "levels": ["old", "young"]}],
        "instruments": ["core-demographics", "mini-ipip-20"],
        "repeat_percent": 5,
        "repeat_distance": 10,
    }
    campaign = import_campaign(write_folder(tmp_path, SETTINGS | jury, prompts=PROMPTS), "study")

    assert {name: value for name, value in write_settings(campaign).items() if name in jury} == jury
    assert [stratum.seats for stratum in campaign.strata_cells.all()] == [4, campaign.seats_per_stratum, 2]


def test_levels_of_strata_are_taken_from_the_data(tmp_path):
    campaign = import_campaign(write_small(tmp_path, SETTINGS | {"strata": ["age"]}), "study")

    assert campaign.strata == [{"attribute": "age", "levels": ["old", "young"]}]
    assert Annotator.objects.get(external_id="bob").stratum.label == "old"


def test_annotators_may_be_known_from_ratings_alone(tmp_path):
    import_campaign(write_small(tmp_path, annotators=None), "study")

    assert set(Annotator.objects.values_list("external_id", flat=True)) == {"ann", "bob"}


def test_prompts_and_settings_alone_make_a_draft(tmp_path):
    settings = SETTINGS | {
        "strata": [{"attribute": "age", "levels": ["young", "old"]}],
        "generators": [
            {"name": "plain", "provider": "scripted", "steering": {"label": "kind", "system": "Be kind."}}
        ],
    }
    campaign = import_campaign(write_folder(tmp_path, settings, prompts=PROMPTS), "study")

    assert (campaign.state, campaign.is_imported) == ("draft", False)
    assert Generator.objects.get().steerings == [{"label": "kind", "system": "Be kind."}]
    assert list(Stratum.objects.values_list("label", flat=True)) == ["young", "old", "anyone"]


def test_how_a_generators_server_is_asked_comes_along(tmp_path):
    extra = {"endpoint": "https://models.example.org/v1", "n": True}
    generator = {"name": "own", "provider": "openai_compatible"} | extra
    settings = SETTINGS | {"generators": [generator]}
    campaign = import_campaign(write_folder(tmp_path, settings, prompts=PROMPTS), "study")

    assert Generator.objects.get().extra == extra
    assert write_settings(campaign)["generators"][0].items() >= extra.items()


def test_a_draft_has_the_folders_consent_or_the_standard_one(tmp_path):
    write_folder(tmp_path / "own", prompts=PROMPTS)
    (tmp_path / "own" / "consent.de.md").write_text("# Mitmachen\n\nBitte lesen.")
    own = import_campaign(tmp_path / "own", "own")
    standard = import_campaign(write_folder(tmp_path / "none", prompts=PROMPTS), "standard")

    assert [(each.language, each.title) for each in own.consent_documents.all()] == [("de", "Mitmachen")]
    assert standard.consent_documents.filter(language="en").exists()


def test_a_prompt_may_be_a_conversation(tmp_path):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    import_campaign(
        write_folder(tmp_path, form="jsonl", prompts=[{"prompt_id": "p1", "messages": messages}]), "study"
    )

    assert Prompt.objects.get().conversation == messages


def test_categories_are_given_by_label_or_position(tmp_path):
    kinds = {"criterion": "good", "kind": "categorical", "categories": ["no", "maybe", "yes"]}
    ratings = [RATINGS[0] | {"value": "maybe"}, RATINGS[1] | {"value": "2"}]
    import_campaign(write_small(tmp_path, SETTINGS | {"criteria": [kinds]}, ratings=ratings), "study")

    assert list(Rating.objects.order_by("pk").values_list("value", flat=True)) == [1.0, 2.0]


def test_an_empty_value_is_missing_for_a_reason(tmp_path):
    ratings = [RATINGS[0] | {"value": "", "missing": "declined"}, RATINGS[1] | {"value": ""}]
    import_campaign(write_small(tmp_path, ratings=ratings), "study")

    values = Rating.objects.order_by("pk").values_list("value", "missing")
    assert list(values) == [(None, "declined"), (None, "not_reached")]


def test_columns_of_ones_own_pass_through(tmp_path):
    import_campaign(write_small(tmp_path, ratings=[RATINGS[0] | {"x_device": "phone"}]), "study")

    assert Rating.objects.get().extra == {"x_device": "phone"}


def test_dry_run_checks_all_and_stores_nothing(tmp_path):
    before = count_everything()
    import_campaign(write_small(tmp_path), "study", dry_run=True)

    assert count_everything() == before


def test_the_owner_manages_it(tmp_path):
    owner = make_user()
    campaign = import_campaign(write_small(tmp_path), "study", owner=owner)

    assert Membership.objects.get(user=owner).campaign == campaign


@pytest.mark.parametrize(
    ("table", "index", "cells", "words"),
    [
        ("prompts", 1, {"langauge": "en"}, 'line 1: "langauge" is unknown; did you mean "language"?'),
        ("prompts", 1, {"text": ""}, 'line 3: "text" is empty'),
        ("prompts", 1, {"prompt_id": "p1"}, 'line 3: "prompt_id" p1 is there twice'),
        ("prompts", 1, {"prompt_id": ""}, 'line 3: "prompt_id" is empty'),
        ("prompts", 0, {"language": "x" * 17}, 'line 2: "language" is longer than 16 characters'),
        ("prompts", 0, {"text": "x" * 65536}, 'line 2: "text" is 64 KiB or longer'),
        ("candidates", 2, {"prompt_id": "p9"}, 'line 4: "prompt_id" p9 is not in prompts.csv'),
        ("candidates", 0, {"temperature": "hot"}, 'line 2: "temperature" is not a number'),
        ("candidates", 0, {"sample_index": "1.5"}, 'line 2: "sample_index" is not a whole number'),
        ("candidates", 1, {"candidate_id": "p1-a"}, 'line 3: "candidate_id" p1-a is there twice'),
        ("annotators", 1, {"annotator_id": "ann"}, 'line 3: "annotator_id" ann is there twice'),
        ("annotators", 1, {"score_care": "much"}, 'line 3: "score_care" is not a number'),
        ("ratings", 2, {"value": "7"}, 'line 4: "value" 7 is outside 1 to 5'),
        ("ratings", 2, {"value": "nan"}, 'line 4: "value" is not a number'),
        ("ratings", 2, {"value": "good"}, 'line 4: "value" is not a number'),
        ("ratings", 2, {"annotator_id": "eve"}, 'line 4: "annotator_id" eve is not in annotators.csv'),
        ("ratings", 2, {"candidate_id": "c9"}, 'line 4: "candidate_id" c9 is not in candidates.csv'),
        ("ratings", 2, {"criterion": "bad"}, 'line 4: "criterion" bad is not in criteria'),
        ("ratings", 2, RATINGS[0], "line 4: this annotator rated this candidate by this criterion already"),
        ("ratings", 0, {"submitted_on": "soon"}, 'line 2: "submitted_on" is not a date such as 2026-01-31'),
        ("ratings", 0, {"submitted_on": "2999-01-01"}, 'line 2: "submitted_on" is in the future'),
        ("ratings", 0, {"missing": "declined"}, 'line 2: "missing" is given although there is a value'),
        ("ratings", 0, {"missing": "lazy", "value": ""}, 'line 2: "missing" is none of declined'),
        ("ratings", 0, {"prompt_id": "p2"}, 'line 2: "prompt_id" is not the prompt of candidate p1-a'),
        ("ratings", 0, {"position": "0"}, 'line 2: "position" is out of range'),
    ],
)
def test_a_faulty_row_is_named_and_leaves_nothing(tmp_path, table, index, cells, words):
    rows = [row | cells if position == index else row for position, row in enumerate(SMALL[table])]

    assert f"{table}.csv {words}" in complaint(write_small(tmp_path, **{table: rows}))


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"prompts": [{"text": "One?"}]}, 'prompts.csv: "prompt_id" is a required column and is missing'),
        ({"prompts": b"prompt_id,text\np1,\xff\n"}, "prompts.csv line 2: not valid UTF-8"),
        ({"prompts": b"prompt_id,text\np1,a\0b\n"}, "prompts.csv line 2: there is a NUL byte"),
        ({"prompts": b""}, "prompts.csv: the file is empty"),
        ({"prompts": b"prompt_id,text\n"}, "prompts.csv: the table has no rows"),
        ({"prompts": None}, "prompts: the folder has no table of this name"),
        ({"candidates": None}, "candidates: the folder has no table of this name"),
        ({"choices": [CHOICE | {"rejected": "p1-a"}]}, 'line 2: "rejected" is the candidate chosen'),
        (
            {"choices": [CHOICE | {"rejected": "p2-a"}]},
            'line 2: "prompt_id" is not the prompt of candidate p2-a',
        ),
    ],
)
def test_a_faulty_table_is_named_and_leaves_nothing(tmp_path, tables, words):
    assert words in complaint(write_small(tmp_path, **tables))


@pytest.mark.parametrize(
    ("campaign_file", "words"),
    [
        ({}, 'campaign.json: "title" is missing'),
        (SETTINGS | {"license": "MIT"}, 'campaign.json: "license" is unknown; did you mean "licence"?'),
        (SETTINGS | {"title": "x" * 201}, '"title" is longer than 200 characters'),
        (SETTINGS | {"seats_per_stratum": "many"}, '"seats_per_stratum" is not a whole number'),
        (SETTINGS | {"strata": [1]}, '"strata[0]" is neither an attribute'),
        (SETTINGS | {"generators": [{"provider": "scripted"}]}, '"generators[0].name" is missing'),
        (
            SETTINGS | {"generators": [{"name": "a", "temprature": 1}]},
            '"generators[0].temprature" is unknown',
        ),
        (SETTINGS | {"privacy": {"tier": "secret"}}, '"privacy.tier" is none of open, restricted, internal'),
        (SETTINGS | {"criteria": [LIKERT, LIKERT]}, '"criterion" good is there twice'),
        (SETTINGS | {"criteria": [LIKERT | {"kind": "stars"}]}, '"kind" is none of likert'),
        (SETTINGS | {"criteria": [LIKERT | {"scale_max": 1}]}, '"scale_max" is not above scale_min'),
        (SETTINGS | {"criteria": [LIKERT | {"kind": "categorical"}]}, '"categories" needs at least two'),
        (SETTINGS | {"criteria": [LIKERT | {"scale": 5}]}, '"criteria[0].scale" is unknown'),
    ],
)
def test_a_fault_in_campaign_json_is_named_and_leaves_nothing(tmp_path, campaign_file, words):
    assert words in complaint(write_small(tmp_path, campaign_file))


def test_ten_thousand_bad_rows_show_twenty_and_the_count(tmp_path):
    ratings = [
        {"annotator_id": "ann", "candidate_id": f"c{i}", "criterion": "good", "value": "3"}
        for i in range(10_000)
    ]
    lines = complaint(write_small(tmp_path, ratings=ratings)).splitlines()

    assert len(lines) == 21
    assert lines[0] == 'ratings.csv line 2: "candidate_id" c0 is not in candidates.csv'
    assert lines[-1] == "and 9,980 more problems (10,000 in all)"


def test_a_table_given_twice_is_refused(tmp_path):
    write_small(tmp_path)
    write_folder(tmp_path, form="jsonl", ratings=RATINGS)

    assert "ratings.jsonl: is given a second time, besides ratings.csv" in complaint(tmp_path)


def test_a_misnamed_table_is_refused(tmp_path):
    write_small(tmp_path, annotators=None)
    write_folder(tmp_path, annotator=ANNOTATORS)

    assert 'annotator.csv: is not a known table; did you mean "annotators"?' in complaint(tmp_path)


def test_a_folder_without_campaign_json_is_refused(tmp_path):
    (write_small(tmp_path) / "campaign.json").unlink()

    assert complaint(tmp_path) == "campaign.json: is missing from the folder"


def test_a_taken_slug_is_refused(tmp_path):
    make_campaign("study")

    with pytest.raises(IntakeError, match='there is already a campaign "study"'):
        import_campaign(write_small(tmp_path), "study")


def test_the_command_says_what_it_did_or_what_is_wrong(tmp_path, capsys):
    call_command("import_campaign", str(write_small(tmp_path / "good")), "--slug", "study")
    bad = write_small(tmp_path / "bad", prompts=b"")

    assert capsys.readouterr().out.startswith(
        "Imported: 1 criteria, 2 prompts, 3 candidates, 2 annotators, 4 ratings"
    )
    with pytest.raises(CommandError, match=r"prompts\.csv: the file is empty"):
        call_command("import_campaign", str(bad), "--slug", "other")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
SETTING = st.sampled_from(
    [
        "title",
        "languages",
        "strata",
        "seats_per_stratum",
        "criteria",
        "generators",
        "privacy",
        "licence",
        "x_own",
    ]
)
ENTRY = st.sampled_from(
    ["name", "steering", "temperature", "samples", "criterion", "kind", "categories", "attribute"]
)


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_folder_holds_it_is_imported_or_refused_in_words(data, tmp_path_factory):
    value = data.draw(
        JSON | st.lists(st.dictionaries(ENTRY, JSON | st.just("likert"), max_size=3), max_size=2)
    )
    settings = SETTINGS | {data.draw(SETTING): value}
    tables = {name: [dict(row) for row in rows] for name, rows in SMALL.items()}
    row = data.draw(st.sampled_from([row for rows in tables.values() for row in rows]))
    row[data.draw(st.sampled_from([*row, "flags", "weight", "seed", "x_own"]))] = data.draw(JSON)
    folder = write_folder(tmp_path_factory.mktemp("fuzz"), settings, form="jsonl", **tables)
    before = count_everything()
    with suppress(IntakeError):
        import_campaign(folder, "study", dry_run=True)

    assert count_everything() == before
