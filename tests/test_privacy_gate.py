"""The privacy gate of a release: nobody stands out in what leaves, and the report says what that cost."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.utils import timezone

from collector.models import Membership
from exports.columns import TABLES
from exports.interchange import import_campaign
from exports.models import Release
from exports.releases import NotPublishable, cut_release, publish_release, release_folder, verify_release
from exports.small_groups import hide_small_groups
from tests.anonymity_oracle import brute_k, brute_l
from tests.builders import make_user
from tests.crowds import POLICY, crowd, make_study, someone

pytestmark = pytest.mark.django_db
QUASI = ("age_band", "education", "left_right", "stratum", "weight")


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path):
    options = {"location": tmp_path / "releases", "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "releases": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }


def cut(campaign, version="1.0") -> Path:
    release = cut_release(campaign, version, now=timezone.now())
    return Path(storages["releases"].path(release_folder(release)))


def annotators(folder: Path) -> list[dict]:
    return pq.read_table(folder / "data" / "annotators.parquet").to_pylist()


def report(folder: Path) -> dict:
    return json.loads((folder / "MANIFEST.json").read_text())["privacy"]


@pytest.fixture
def study(tmp_path):
    return make_study(tmp_path / "source", crowd())


@pytest.mark.parametrize(("tier", "k"), [("restricted", 5), ("open", 10)])
def test_nobody_stands_out(tmp_path, tier, k):
    folder = cut(make_study(tmp_path / "source", crowd(), privacy=POLICY | {"tier": tier}))
    people, said = annotators(folder), report(folder)
    shown = [name for name in QUASI if name in people[0]]

    assert brute_k(people, shown) == said["k"] >= k
    assert brute_l(people, shown, "left_right", ()) == said["l"] >= 2
    assert said["k_before"] == 1
    assert said["is_met"]
    assert verify_release(folder) == []


def test_what_is_hidden_leaks_through_no_file(study):
    folder = cut(study)

    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            text = str(pq.read_table(path).to_pylist())
        elif path.name == "campaign.json":
            continue  # which levels the jury was planned by, not who has them
        else:
            text = path.read_text() if path.is_file() else ""
        for secret in ("55+", "primary_or_less", "centre", "7.25", "Smallville", "a rare phone", "3.14159"):
            assert secret not in text, (path, secret)


def test_the_report_says_what_it_cost(study):
    said = report(cut(study))
    by_column = {entry["column"]: entry for entry in said["columns"]}

    assert said["quasi_identifiers"] == ["age_band", "education", "left_right", "stratum", "weight"]
    assert by_column["weight"] == {
        "column": "weight", "cells": 1, "levels_before": 1, "levels_after": 0,
        "coarsened": 0, "suppressed": 1,
    }  # fmt: skip
    assert by_column["age_band"]["suppressed"] >= 5
    assert said["score_step"] == 0.1


def test_scores_are_rounded_and_repeat_no_attribute(study):
    people = annotators(cut(study))

    assert {one["score_care"] for one in people} == {3.1}
    assert "score_left_right" not in people[0]


def test_open_scores_are_in_halves(tmp_path):
    folder = cut(make_study(tmp_path / "source", crowd(), privacy=POLICY | {"tier": "open"}))

    assert {one["score_care"] for one in annotators(folder)} == {3.0}


def test_a_score_alone_on_a_sensitive_matter_is_a_quasi_identifier(tmp_path):
    people = [someone(n, score_left_right=float(n % 2)) for n in range(24)] + [
        someone(24, score_left_right=9.0)
    ]
    policy = {"tier": "restricted", "attributes": ["age_band", "score_left_right"]}
    shown = annotators(cut(make_study(tmp_path / "source", people, privacy=policy)))

    assert brute_k(shown, ["age_band", "score_left_right", "stratum"]) >= 5
    assert 9.0 not in {one["score_left_right"] for one in shown}


def test_people_who_comply_are_shown_as_they_are(tmp_path):
    people = crowd()[:40]
    shown = annotators(cut(make_study(tmp_path / "source", people)))

    for before, after in zip(people, shown, strict=True):
        assert {name: after[name] for name in ("age_band", "education", "left_right")} == {
            name: before[name] for name in ("age_band", "education", "left_right")
        }
        assert after["stratum"] == before["age_band"]


def test_an_internal_release_is_reported_on_and_left_alone(tmp_path):
    folder = cut(make_study(tmp_path / "source", crowd(), privacy=POLICY | {"tier": "internal"}))
    said = report(folder)

    assert [one["age_band"] for one in annotators(folder)] == [one["age_band"] for one in crowd()]
    assert (said["enforced"], said["is_met"], said["k"], said["columns"]) == (False, False, 1, [])
    publish_release(Release.objects.get(), timezone.now())


def test_the_gate_gives_the_same_bytes_twice(study):
    cut(study)
    cut(study)  # raises where a byte differs

    assert Release.objects.count() == 1


def test_too_few_people_are_cut_but_not_published(tmp_path):
    folder = cut(make_study(tmp_path / "source", crowd()[:4]))

    assert {one["age_band"] for one in annotators(folder) if "age_band" in one} <= {None}
    with pytest.raises(NotPublishable, match="4 annotators cannot be hidden"):
        publish_release(Release.objects.get(), timezone.now())


def test_policy_may_name_other_quasi_identifiers_but_never_frees_the_stratum(tmp_path):
    policy = POLICY | {"quasi_identifiers": ["education"], "sensitive": []}
    folder = cut(make_study(tmp_path / "source", crowd(), privacy=policy))

    assert report(folder)["quasi_identifiers"] == ["age_band", "education", "stratum"]
    assert {one["left_right"] for one in annotators(folder)} == {"left", "right", "centre"}


def test_groups_in_numbers_have_k_people(study):
    folder = cut(study)
    members: dict[str, int] = {}
    for one in annotators(folder):
        members[one["stratum"]] = members.get(one["stratum"], 0) + 1
    metrics = json.loads((folder / "metrics.json").read_text())
    jury = [row for path in folder.glob("benchmarks/jury/*") for row in pq.read_table(path).to_pylist()]

    assert all(members[record["group"]] >= 5 for record in metrics if record["group_by"] == "stratum")
    assert all(members[entry["stratum"]] >= 5 for row in jury for entry in row["by_stratum"])


def test_a_number_about_few_is_hidden_with_its_reason():
    few = {
        "group_by": "stratum",
        "n_annotators": 3,
        "n_items": 2,
        "n_ratings": 4,
        "value": 1.0,
        "low": 0,
        "high": 2,
    }
    many, model = few | {"n_annotators": 5}, few | {"group_by": "generator"}
    (hidden, *kept), count = hide_small_groups([few, many, model], 5)

    assert (hidden["value"], hidden["undefined_reason"]) == (None, "fewer than 5 annotators")
    assert (kept, count) == ([many, model], 1)


def test_days_are_released_and_no_times_of_anybody(study):
    folder = cut(study)

    assert not re.search(r"\d\d:\d\d", (folder / "data" / "ratings.jsonl").read_text())


def test_card_datasheet_and_page_show_the_report(study, client):
    folder = cut(study)
    manager = make_user()
    Membership.objects.create(user=manager, campaign=study, role="manager")
    client.force_login(manager)
    page = client.get("/console/c/study/releases/1.0/").content.decode()

    for text in ((folder / "README.md").read_text(), (folder / "DATASHEET.md").read_text()):
        assert "| `weight` | 1 | 0 | 1 | 1 | 0 |" in text
        assert "has 5 (k), 1 before" in text
    assert "At least 5 annotators look alike" in page
    assert "Without the changes below it were 1; this tier needs 5." in page


def test_the_page_says_why_it_cannot_be_published(tmp_path, client):
    campaign = make_study(tmp_path / "source", crowd()[:4])
    cut(campaign)
    manager = make_user()
    Membership.objects.create(user=manager, campaign=campaign, role="manager")
    client.force_login(manager)
    page = client.get("/console/c/study/releases/1.0/").content.decode()

    assert "4 annotators cannot be hidden among each other" in page
    assert client.post("/console/c/study/releases/1.0/publish/").status_code == 409


def test_a_gated_release_survives_the_round_trip(study):
    first = cut(study)
    again = cut(import_campaign(first, "again"))

    for table in TABLES:
        paths = [folder / "data" / f"{table}.parquet" for folder in (first, again)]
        assert pq.read_table(paths[0]).equals(pq.read_table(paths[1])), table
