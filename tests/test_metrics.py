"""metrics.json: published numbers come out, small ones match by hand, undefined is null with a reason."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.utils import timezone

from exports.interchange import import_campaign
from exports.releases import cut_release, release_folder
from tests.folders import RATINGS, SETTINGS, write_recipes, write_small, write_squality

pytestmark = pytest.mark.django_db
KEYS = (
    "metric", "criterion", "level", "group_by", "group", "other_group", "value", "low", "high", "ci_method",
    "n_items", "n_annotators", "n_ratings", "seed", "base", "undefined_reason",
)  # fmt: skip


def cut(source: Path) -> Path:
    release = cut_release(import_campaign(source, "study"), "1", now=timezone.now())
    return Path(storages["releases"].path(release_folder(release)))


def read(folder: Path) -> list[dict]:
    return json.loads((folder / "metrics.json").read_text())


def find(records: list[dict], metric: str, **wanted) -> dict:
    (record,) = [
        record
        for record in records
        if record["metric"] == metric and all(record[name] == value for name, value in wanted.items())
    ]
    return record


def test_squality_gives_the_published_means_and_alphas(shared_data, tmp_path):
    expected = json.loads((shared_data / "squality" / "expected.json").read_text())
    folder = cut(write_squality(shared_data, tmp_path))
    records = read(folder)

    for system, means in zip(expected["unrounded"], expected["unrounded"].values(), strict=True):
        for name, mean in zip(("correctness", "coverage", "overall"), means, strict=True):
            assert find(records, "mean", criterion=name, group=system)["value"] == pytest.approx(
                mean, abs=1e-6
            )
    for name, levels in expected["computed_here_not_published"]["alpha"].items():
        for level, alpha in levels.items():
            found = find(records, "krippendorff_alpha", criterion=name, level=level)
            assert found["value"] == pytest.approx(alpha, abs=1e-4)
    assert_published_item_means(shared_data, folder)


def assert_published_item_means(shared_data: Path, folder: Path) -> None:
    import pandas as pd

    published = pd.read_csv(shared_data / "squality" / "published_item_means.csv").set_index("response_id")
    ratings = pd.read_parquet(folder / "data" / "ratings.parquet")
    means = ratings.pivot_table(index="candidate_id", columns="criterion", values="value").loc[
        published.index
    ]
    for name in ("correctness", "coverage", "overall"):
        assert np.allclose(means[name], published[f"pub_mean_{name}"], atol=1e-12)


def test_recipes_gives_the_six_published_alphas(shared_data, tmp_path):
    expected = json.loads((shared_data / "recipes" / "expected.json").read_text())
    records = read(cut(write_recipes(shared_data, tmp_path)))

    for name, alpha in expected["alpha_ordinal"].items():
        found = find(records, "krippendorff_alpha", criterion=name, level="ordinal")
        assert found["value"] == pytest.approx(alpha, abs=1e-9)
        assert found["low"] < found["value"] < found["high"]
        assert found["n_items"] == expected["units"]


def test_small_numbers_match_by_hand(tmp_path):
    records = read(cut(write_small(tmp_path, SETTINGS | {"strata": ["age"]})))

    # Generator a got 5, 3 and 4; b got 1.
    assert find(records, "mean", group="a")["value"] == 4.0
    # p1-a: 5 and 3 differ, and no other candidate has two ratings.
    assert find(records, "raw_agreement")["value"] == 0.0
    # a: candidates p1-a (1 and 0.5: lowest stratum 0.5) and p2-a (0.75 from the old alone).
    assert find(records, "welfare.utilitarian", group="a")["value"] == (0.75 + 0.75) / 2
    assert find(records, "welfare.maximin_strata", group="a")["value"] == (0.5 + 0.75) / 2
    assert find(records, "mean", group_by="stratum", group="old")["value"] == 3.5


def test_welfare_is_the_mean_of_the_benchmarks(tmp_path):
    folder = cut(write_small(tmp_path, SETTINGS | {"strata": ["age"]}))
    rows = [
        row for path in folder.glob("benchmarks/jury/*.parquet") for row in pq.read_table(path).to_pylist()
    ]

    found = find(read(folder), "welfare.utilitarian", group=None)["value"]
    assert found == pytest.approx(np.mean([row["welfare"]["utilitarian"] for row in rows]))


def test_shares_and_entropy_of_categories(tmp_path):
    kinds = {"criterion": "good", "kind": "categorical", "categories": ["1", "3", "4", "5"]}
    records = read(cut(write_small(tmp_path, SETTINGS | {"criteria": [kinds]})))

    assert [find(records, "category_share", group=label)["value"] for label in "1345"] == [0.25] * 4
    # p1-a has two labels (1 bit), the others one each (0 bits).
    assert find(records, "entropy")["value"] == pytest.approx(1 / 3)
    assert [record["level"] for record in records if record["metric"] == "krippendorff_alpha"] == ["nominal"]


def test_every_record_has_the_keys_of_the_contract(tmp_path):
    records = read(cut(write_small(tmp_path)))

    assert all(tuple(record) == KEYS for record in records)


def test_undefined_is_null_with_a_reason(tmp_path):
    records = read(cut(write_small(tmp_path, ratings=RATINGS[:1])))

    alpha = find(records, "krippendorff_alpha", level="interval")
    assert (alpha["value"], alpha["undefined_reason"]) == (None, "no unit has two or more values")
    assert find(records, "welfare.maximin_strata", group=None)["undefined_reason"] == "no juror has a stratum"
    assert all((record["value"] is None) == bool(record["undefined_reason"]) for record in records)
