"""Cutting, verifying and publishing releases: complete, frozen, rebuilt byte for byte, with consent."""

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from annotations.assignment import next_seats
from annotations.ballots import submit_ballot
from annotations.enrolment import enrol, give_consent, withdraw
from annotations.entry import Entry
from annotations.jury import place_annotator
from annotations.models import Annotator, ConsentDocument, Scope, ValueProfile
from annotations.simulation import simulate
from collector.models import Campaign
from exports.building import build_release
from exports.columns import TABLES
from exports.interchange import import_campaign
from exports.models import Release
from exports.releases import (
    InvalidVersion,
    NotPublishable,
    ReleaseChanged,
    _claim,
    _finish,
    copy_release,
    cut_release,
    publish_release,
    release_folder,
    verify_release,
)
from tests.builders import make_open_campaign
from tests.folders import LIKERT, SETTINGS, SMALL, write_folder, write_small

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden"
ALL = list(Scope)


def cut(campaign, version="1.0", **options) -> Path:
    release = cut_release(campaign, version, now=timezone.now(), **options)
    return Path(storages["releases"].path(release_folder(release)))


def rows(folder: Path, table: str) -> list[dict]:
    return pq.read_table(folder / "data" / f"{table}.parquet").to_pylist()


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.fixture(autouse=True)
def empty_storage(settings, tmp_path):
    options = {"location": tmp_path / "releases", "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "releases": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }


@pytest.fixture
def study(tmp_path) -> Campaign:
    return import_campaign(write_small(tmp_path / "source", SETTINGS | {"strata": ["age"]}), "study")


@pytest.fixture
def rated() -> Campaign:
    """An open campaign of one prompt that nobody has rated yet."""
    return make_open_campaign("rated", prompts=1, wildcard_seats=4)


def rate(campaign: Campaign, scopes=ALL, **attributes) -> Annotator:
    """One more person, who rates the prompt 4 and 40 throughout."""
    document = ConsentDocument.objects.get(campaign=campaign)
    annotator = enrol(campaign, Entry(source="link"), document, scopes, language="en").annotator
    ValueProfile.objects.create(annotator=annotator, version=1, attributes=attributes, text="I value calm.")
    place_annotator(annotator, attributes)
    seat = next_seats(annotator, now=timezone.now())[0]
    answers = {
        (candidate, name): value
        for candidate in seat.candidate_order
        for name, value in (("acceptable", 4.0), ("helpful", 40.0))
    }
    submit_ballot(seat, answers, now=timezone.now())
    return annotator


# --- the folder -------------------------------------------------------------------------------------


def test_the_folder_is_as_the_contract_says(study):
    names = set(hashes(cut(study)))

    assert names == {
        "README.md", "DATASHEET.md", "croissant.json", "MANIFEST.json", "metrics.json", "report.html",
        "withdrawals.jsonl", "campaign.json",
        *(f"data/{table}.{ending}" for table in TABLES for ending in ("parquet", "jsonl", "csv")),
        *(f"benchmarks/jury/{split}.parquet" for split in ("train", "validation", "test")),
    }  # fmt: skip


def test_ratings_are_exactly_these(study):
    assert (cut(study) / "data" / "ratings.csv").read_text() == (GOLDEN / "ratings.csv").read_text()


def test_annotators_are_exactly_these(study):
    assert (cut(study) / "data" / "annotators.jsonl").read_text() == (GOLDEN / "annotators.jsonl").read_text()


def test_manifest_lists_every_file_with_its_checksum(study):
    folder = cut(study)
    manifest = json.loads((folder / "MANIFEST.json").read_text())

    found = hashes(folder)
    del found["MANIFEST.json"]
    assert {name: file["sha256"] for name, file in manifest["files"].items()} == found
    assert manifest["files"]["data/ratings.parquet"]["rows"] == 4
    assert manifest["benchmarks"]["overton"]["reason"]


def test_datasets_and_pandas_read_it(study, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets
    import pandas as pd

    folder = cut(study)
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(folder), cache_dir=cache)["train"]
    jury = datasets.load_dataset(str(folder), "benchmark_jury", cache_dir=cache)
    frame = pd.read_parquet(folder / "data" / "ratings.parquet")

    assert loaded["utility"] == frame["utility"].tolist() == [1.0, 0.5, 0.0, 0.75]
    assert sum(split.num_rows for split in jury.values()) == 3


# --- the same bytes ---------------------------------------------------------------------------------


def test_cutting_a_version_twice_gives_the_same_bytes(study):
    first = hashes(cut(study))
    folder = cut(study)
    shutil.rmtree(folder)

    assert hashes(cut(study)) == first
    assert Release.objects.count() == 1


def test_a_version_that_would_differ_is_refused(study):
    cut(study)
    Campaign.objects.filter(pk=study.pk).update(title="Another title")
    study.refresh_from_db()

    with pytest.raises(ReleaseChanged, match=r"README\.md"):
        cut(study)


def test_later_ballots_do_not_change_an_earlier_version(rated):
    rate(rated)
    first = hashes(cut(rated))
    rate(rated)

    assert hashes(cut(rated)) == first
    assert len(rows(cut(rated, "2.0"), "annotators")) == 2


def test_an_unfinished_cut_starts_over(study, monkeypatch):
    monkeypatch.setattr("exports.releases.build_release", lambda *args, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cut(study)
    monkeypatch.undo()

    assert Release.objects.get().state == "cutting"
    assert not storages["releases"].exists("study/1.0/MANIFEST.json")
    assert verify_release(cut(study)) == []


def test_of_two_who_cut_at_once_the_first_to_finish_wins(study, tmp_path):
    slow = _claim(study, "1.0", None, True, timezone.now())
    fast = cut(study)
    manifest = build_release(slow, tmp_path / "slow", include_simulated=True)

    with pytest.raises(ReleaseChanged, match="at the same time"):
        _finish(slow, tmp_path / "slow", manifest)
    assert verify_release(fast) == []


def test_a_storage_that_is_no_folder_holds_the_same_files(study, settings, tmp_path):
    remote = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"releases": remote}
    release = cut_release(study, "1.0", now=timezone.now())
    copy_release(release, tmp_path / "copy")

    assert verify_release(tmp_path / "copy") == []
    assert cut_release(study, "1.0", now=timezone.now()) == release


@pytest.mark.parametrize("version", ["", "../x", "a/b", ".hidden", "x" * 33, "a..b"])
def test_a_version_must_name_a_folder(study, version):
    with pytest.raises(InvalidVersion):
        cut(study, version)


# --- verifying --------------------------------------------------------------------------------------


def test_a_fresh_release_verifies(study):
    assert verify_release(cut(study)) == []


@pytest.mark.parametrize("name", ["data/ratings.parquet", "README.md", "MANIFEST.json", "metrics.json"])
def test_a_flipped_bit_is_found(study, tmp_path, name):
    folder = shutil.copytree(cut(study), tmp_path / "copy")
    raw = bytearray((folder / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / name).write_bytes(raw)

    assert any(name in problem for problem in verify_release(folder))


def test_a_missing_file_an_added_file_and_an_added_row_are_found(study, tmp_path):
    folder = shutil.copytree(cut(study), tmp_path / "copy")
    (folder / "DATASHEET.md").unlink()
    (folder / "extra.txt").write_text("hello")
    lines = (folder / "data" / "ratings.jsonl").read_text()
    (folder / "data" / "ratings.jsonl").write_text(lines + lines.splitlines()[0] + "\n")

    problems = verify_release(folder)
    assert problems[:2] == ["DATASHEET.md is missing", "extra.txt is not in MANIFEST.json"]
    assert problems[-1] == "data/ratings.jsonl has 5 rows, 4 expected"


def test_a_folder_that_is_no_release_is_said_to_be_none(tmp_path):
    assert verify_release(tmp_path) == ["MANIFEST.json is missing"]


# --- consent, withdrawal, simulation ------------------------------------------------------------------


def test_ratings_need_consent_to_be_released(rated):
    rate(rated, [Scope.TAKE_PART])
    folder = cut(rated)

    assert rows(folder, "ratings") == []
    left_out = json.loads((folder / "MANIFEST.json").read_text())["left_out"]
    assert {"what": "annotators", "count": 1, "why": "no consent to release ratings"} in left_out


def test_attributes_need_consent_of_their_own(rated):
    shown = rate(rated, age_band="55+", gender="woman", region="north")
    hidden = rate(rated, [Scope.TAKE_PART, Scope.RELEASE_RATINGS], age_band="18-34", gender="man")
    by_age = {row.get("age_band"): row for row in rows(cut(rated), "annotators")}

    assert set(by_age) == {"55+", None}
    assert by_age[None]["stratum"] is None
    assert "region" not in by_age["55+"]  # not an attribute that the campaign releases
    assert by_age["55+"]["profile_text"] is None  # nor free text
    assert {shown.external_id, hidden.external_id}.isdisjoint(row["annotator_id"] for row in by_age.values())


def test_free_text_needs_policy_and_consent(rated):
    Campaign.objects.filter(pk=rated.pk).update(privacy={"attributes": [], "free_text": True})
    rated.refresh_from_db()
    rate(rated)
    rate(rated, [Scope.TAKE_PART, Scope.RELEASE_RATINGS])

    texts = [row["profile_text"] for row in rows(cut(rated), "annotators")]
    assert sorted(texts, key=str) == ["I value calm.", None]


def test_ids_link_releases_only_with_consent(rated):
    rate(rated)
    rate(rated, [scope for scope in ALL if scope != Scope.LINK_RELEASES])
    ids = [{row["annotator_id"] for row in rows(cut(rated, version), "annotators")} for version in ("1", "2")]

    assert len(ids[0] & ids[1]) == 1


def test_days_are_released_and_no_times(rated):
    rate(rated)

    text = (cut(rated) / "data" / "ratings.jsonl").read_text()
    assert f'"submitted_on":"{timezone.now().date()}"' in text


def test_a_withdrawal_is_honoured_from_the_next_release_on(rated):
    stays, goes = rate(rated), rate(rated)
    first = cut(rated, "1.0")
    withdraw(goes, now=timezone.now())
    second = cut(rated, "2.0")

    listed = [json.loads(line) for line in (second / "withdrawals.jsonl").read_text().splitlines()]
    assert [(row["release"], row["date"]) for row in listed] == [("1.0", str(timezone.now().date()))]
    assert listed[0]["annotator_id"] in {row["annotator_id"] for row in rows(first, "annotators")}
    assert len(rows(second, "annotators")) == 1
    assert stays.external_id not in str(rows(second, "annotators"))


def test_after_a_withdrawal_the_old_version_is_not_cut_again(rated):
    goes = rate(rated)
    cut(rated)
    withdraw(goes, now=timezone.now())

    with pytest.raises(ReleaseChanged, match="1 annotator has withdrawn since"):
        cut(rated)


def test_consent_taken_back_counts_as_withdrawal(rated):
    annotator = rate(rated)
    cut(rated, "1.0")
    give_consent(annotator, ConsentDocument.objects.get(campaign=rated), [Scope.TAKE_PART])
    second = cut(rated, "2.0")

    assert rows(second, "ratings") == []
    assert len((second / "withdrawals.jsonl").read_text().splitlines()) == 1


def test_simulated_annotators_are_marked_and_never_published(rated):
    simulate(rated, 4, seed=1, now=timezone.now())
    folder = cut(rated)
    release = Release.objects.get()

    assert {tuple(row["flags"]) for row in rows(folder, "annotators")} == {("simulated",)}
    assert (release.has_simulated, release.tier) == (True, "internal")
    with pytest.raises(NotPublishable):
        publish_release(release, timezone.now())


def test_people_alone_can_be_published(rated):
    person = rate(rated)
    simulate(rated, 4, seed=1, now=timezone.now())
    folder = cut(rated, include_simulated=False)
    publish_release(Release.objects.get(), timezone.now())

    assert len(rows(folder, "annotators")) == 1
    assert person.state != "withdrawn"
    assert Release.objects.get().state == "published"


def test_simulated_annotators_stay_so_after_an_import(rated):
    simulate(rated, 4, seed=1, now=timezone.now())
    again = import_campaign(cut(rated), "again")
    cut(again)

    assert Release.objects.get(campaign=again).has_simulated


# --- round trip ---------------------------------------------------------------------------------------


def assert_same_tables(one: Path, other: Path) -> None:
    for table in TABLES:
        paths = [folder / "data" / f"{table}.parquet" for folder in (one, other)]
        assert pq.read_table(paths[0]).equals(pq.read_table(paths[1])), table


def test_a_release_imported_and_cut_again_gives_equal_tables(rated):
    rate(rated, age_band="55+", gender="woman")
    rate(rated, [Scope.TAKE_PART, Scope.RELEASE_RATINGS])
    simulate(rated, 6, seed=1, now=timezone.now())
    first = cut(rated)

    assert_same_tables(first, cut(import_campaign(first, "again")))


VALUES = st.one_of(st.none(), st.text('aä,"\n=', max_size=5))
NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6))


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_campaign_survives_the_round_trip(data, tmp_path_factory):
    number = Campaign.objects.count()
    folder = write_folder(tmp_path_factory.mktemp("source"), form="jsonl", **draw_tables(data))
    (folder / "campaign.json").write_text(json.dumps(SETTINGS | {"strata": ["age"], "criteria": CRITERIA}))
    first = cut(import_campaign(folder, f"source-{number}"))

    assert verify_release(first) == []
    assert_same_tables(first, cut(import_campaign(first, f"again-{number}")))


CRITERIA = [
    LIKERT | {"higher_is_better": False},
    {"criterion": "kind", "kind": "categorical", "categories": ["1", "0", "b"], "ordered": True},
    {"criterion": "yes", "kind": "binary"},
]


def draw_tables(data) -> dict[str, list[dict]]:
    people = [
        {"annotator_id": f"r{index}", "age": data.draw(st.sampled_from(["young", "old", None]))}
        | {"score_care": data.draw(NUMBERS), "x_note": data.draw(VALUES), "weight": data.draw(NUMBERS)}
        | {"profile_text": data.draw(VALUES), "flags": data.draw(st.lists(st.sampled_from("ab"), max_size=2))}
        for index in range(data.draw(st.integers(1, 3)))
    ]
    candidates = [
        row | {"seed": data.draw(st.integers(0, 2**62)), "x_more": data.draw(VALUES)}
        for row in SMALL["candidates"]
    ]
    answers = {"good": st.integers(1, 5), "kind": st.sampled_from(["1", "0", "b"]), "yes": st.booleans()}
    ratings = [
        {
            "annotator_id": person["annotator_id"],
            "candidate_id": candidate["candidate_id"],
            "criterion": criterion,
        }
        | {
            "value": data.draw(st.one_of(st.none(), values)),
            "seconds": data.draw(st.one_of(st.none(), st.floats(0, 99))),
        }
        | {"submitted_on": data.draw(st.sampled_from([None, "2026-01-31"])), "x_device": data.draw(VALUES)}
        for person in people
        for candidate in candidates
        for criterion, values in answers.items()
        if data.draw(st.booleans())
    ]
    tables = {"prompts": SMALL["prompts"], "candidates": candidates, "annotators": people}
    return tables | ({"ratings": ratings} if ratings else {})


# --- commands -----------------------------------------------------------------------------------------


def test_the_commands_cut_copy_and_verify(study, tmp_path, capsys):
    out = tmp_path / "out"
    call_command("cut_release", "study", "--version", "1.0", "--out", str(out))
    call_command("verify_release", str(out))

    assert "4 ratings" in capsys.readouterr().out
    (out / "README.md").write_text("changed")
    with pytest.raises(CommandError, match=r"README\.md was changed"):
        call_command("verify_release", str(out))


def test_a_copy_overwrites_nothing(study, tmp_path):
    cut(study)
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(FileExistsError):
        copy_release(Release.objects.get(), tmp_path)


def test_publishing_twice_keeps_the_first_time(study):
    cut(study)
    release, now = Release.objects.get(), timezone.now()
    publish_release(release, now)
    publish_release(release, now + timedelta(days=1))

    assert release.published_at == now
