"""croissant.json is valid for the reference implementation, which reads every table through it."""

import mlcroissant as mlc
import pyarrow.parquet as pq
import pytest
from django.utils import timezone

from exports.interchange import import_campaign
from exports.releases import copy_release, cut_release
from tests.folders import SETTINGS, write_small

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("default")]


@pytest.fixture
def folder(tmp_path, settings):
    options = {"location": tmp_path / "releases", "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "releases": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }
    study = import_campaign(write_small(tmp_path / "source", SETTINGS | {"strata": ["age"]}), "study")
    release = cut_release(study, "1.0.0", now=timezone.now())
    copy_release(release, tmp_path / "copy")
    return tmp_path / "copy"


def test_it_is_valid(folder) -> None:
    issues = mlc.Dataset(jsonld=folder / "croissant.json").metadata.issues

    assert list(issues.errors) == []
    assert list(issues.warnings) == []


@pytest.mark.parametrize("table", ["prompts", "candidates", "criteria", "annotators", "ratings"])
def test_every_table_is_read_through_it(folder, table: str) -> None:
    records = list(mlc.Dataset(jsonld=folder / "croissant.json").records(table))

    assert len(records) == pq.read_table(folder / "data" / f"{table}.parquet").num_rows
