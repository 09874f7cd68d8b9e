"""The jury benchmark: its rows recomputed by hand from the ratings."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.utils import timezone

from annotations.statistics.welfare import WELFARE
from exports.benchmarks import BENCHMARKS, KINDS
from exports.benchmarks.jury import FIELDS, SCHEMA, resample_juries
from exports.columns import SPLITS
from exports.interchange import import_campaign
from exports.release_folder import ReleaseFolder
from exports.releases import cut_release, release_folder
from exports.splits import split_of
from tests.folders import RATINGS, SETTINGS, write_small


def make_jury(tmp_path, campaign_file=None, **tables):
    source = write_small(tmp_path, campaign_file or SETTINGS | {"strata": ["age"]}, **tables)
    folder = cut_folder(source)
    return folder, {
        (row["candidate_id"], row["criterion"]): row for row in folder.benchmark("jury").to_pylist()
    }


def cut_folder(source: Path) -> ReleaseFolder:
    release = cut_release(import_campaign(source, "study"), "1", now=timezone.now())
    return ReleaseFolder(Path(storages["releases"].path(release_folder(release))))


@pytest.mark.django_db
def test_a_row_holds_jurors_strata_and_welfare(tmp_path):
    _folder, rows = make_jury(tmp_path)
    row = rows["p1-a", "good"]

    # ann (young) gave 5 of 1..5, bob (old) 3: utilities 1 and 0.5.
    assert row["jurors"] == [
        {"annotator_id": "ann", "stratum": "young", "utility": 1.0},
        {"annotator_id": "bob", "stratum": "old", "utility": 0.5},
    ]
    assert row["by_stratum"] == [
        {"stratum": "old", "n": 1, "mean": 0.5},
        {"stratum": "young", "n": 1, "mean": 1.0},
    ]
    assert (row["welfare"]["utilitarian"], row["welfare"]["maximin_strata"]) == (0.75, 0.5)


@pytest.mark.django_db
def test_every_welfare_of_the_contract_is_there_in_order(tmp_path):
    _folder, rows = make_jury(tmp_path)

    assert list(rows["p1-a", "good"]["welfare"]) == list(FIELDS)
    assert set(FIELDS) - {"leximin_rank"} == set(WELFARE)


@pytest.mark.django_db
def test_leximin_ranks_candidates_among_jurors_of_them_all(tmp_path):
    _folder, rows = make_jury(tmp_path)

    # Only ann rated both of p1: 1.0 against 0.0.
    assert [rows[name, "good"]["welfare"]["leximin_rank"] for name in ("p1-a", "p1-b", "p2-a")] == [1, 2, 1]


@pytest.mark.django_db
def test_splits_hold_the_rows_of_their_prompts(tmp_path):
    folder, _rows = make_jury(tmp_path)

    for split, path in folder.benchmark_paths("jury").items():
        prompts = pq.read_table(path)["prompt_id"].to_pylist()
        assert all(split_of(prompt) == split for prompt in prompts)


@pytest.mark.django_db
def test_repeats_and_missing_values_sit_on_no_jury(tmp_path):
    ratings = [RATINGS[0], RATINGS[0] | {"repeat_index": "1", "value": "1"}, RATINGS[2] | {"value": ""}]
    _folder, rows = make_jury(tmp_path, ratings=ratings)

    assert [row["n_jurors"] for row in rows.values()] == [1]
    assert rows["p1-a", "good"]["jury_low"] is None  # one juror leaves nothing to resample


@pytest.mark.django_db
def test_without_a_scale_the_reason_is_in_the_manifest(tmp_path):
    kinds = {"criterion": "good", "kind": "categorical", "categories": ["1", "3", "4", "5"]}
    folder = cut_folder(write_small(tmp_path, SETTINGS | {"criteria": [kinds]}, ratings=RATINGS[2:]))

    state = folder.json("MANIFEST.json")["benchmarks"]["jury"]
    assert state == {"supported": False, "reason": "no rating is on a scale, so there are no utilities"}


def test_another_jury_is_drawn_inside_strata():
    # Each stratum is of one mind, so every jury of this composition says the same.
    juries = np.array([[1.0, 1.0, 0.0, 0.0]])
    assert resample_juries(juries, ["a", "a", "b", "b"], seed=1) == [(0.5, 0.5)]
    ((low, high),) = resample_juries(juries, ["a", "b", "c", "d"], seed=1)
    assert 0 <= low < 0.5 < high <= 1
    assert resample_juries(juries[:, :1], ["a"], seed=1) == [None]


def test_registered_kinds_are_kinds_and_say_what_columns_mean():
    assert set(BENCHMARKS) <= set(KINDS)
    assert all(field.metadata[b"description"] for field in SCHEMA)


def test_splits_are_stable_and_near_80_10_10():
    names = [split_of(f"prompt-{number}") for number in range(2000)]

    assert [round(names.count(split) / 2000, 1) for split in SPLITS] == [0.8, 0.1, 0.1]
    assert split_of("p1") == "test"  # frozen: releases already out there depend on it
