"""A campaign's ratings over the API: pages and streams say the same, and only to its managers."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotations.models import Annotator, Rating
from collector.models import Membership
from exports import rating_stream
from tests.api_client import client_for, error_of
from tests.builders import GENDER, make_criterion, make_open_campaign, make_user
from tests.jurors import make_juror, sit_and_rate

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/campaigns/ours/ratings/"
COLUMNS = [
    *("annotator_id", "candidate_id", "criterion", "value", "label", "missing", "position", "seconds"),
    *("repeat_index", "submitted_on", "surplus", "prompt_id", "stratum", "simulated"),
]


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


def rate(campaign):
    for stratum in ("woman", "man"):
        sit_and_rate(make_juror(campaign, stratum))
        sit_and_rate(make_juror(campaign, stratum, source=Annotator.Source.SIMULATED))


@pytest.fixture
def campaign():
    campaign = make_open_campaign("ours", prompts=2, strata=[GENDER], seats_per_stratum=3)
    make_criterion(campaign, "tone", "categorical", categories=["curt", "kind", "=sweet"])
    rate(campaign)
    return campaign


@pytest.fixture
def client(campaign):
    strangers = make_open_campaign("theirs", prompts=1, strata=[GENDER], seats_per_stratum=2)
    rate(strangers)
    manager = make_user()
    Membership.objects.create(campaign=campaign, user=manager, role="manager")
    return client_for(manager)


def paged(client, size):
    rows, address = [], f"{ADDRESS}?page_size={size}"
    while address:
        page = client.get(address).json()
        rows += page["results"]
        address = page["next"]
    return rows


def stream(client, form):
    response = client.get(ADDRESS, {"format": form}, headers={"Accept": "application/x-anything"})
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Disposition"] == f'attachment; filename="ours-ratings.{form}"'
    return response.getvalue()


def test_pages_hold_every_rating_once(client, campaign):
    rows = paged(client, 7)

    # 4 jurors, one prompt each, 2 candidates, 3 criteria
    assert len(rows) == 4 * 2 * 3
    assert len({(row["annotator_id"], row["candidate_id"], row["criterion"]) for row in rows}) == len(rows)
    assert {row["annotator_id"] for row in rows} == set(
        campaign.annotators.values_list("external_id", flat=True)
    )


def test_what_a_row_says(client, campaign):
    rating = (
        Rating.objects.filter(annotator__campaign=campaign, criterion__name="tone").order_by("pk").first()
    )
    row = next(row for row in paged(client, 100) if row["criterion"] == "tone")

    assert list(row) == COLUMNS
    assert row == {
        "annotator_id": rating.annotator.external_id,
        "candidate_id": rating.candidate.external_id,
        "criterion": "tone",
        "value": 1.0,
        "label": "kind",
        "missing": None,
        "position": rating.position,
        "seconds": rating.seconds,
        "repeat_index": 0,
        "submitted_on": "2026-03-01",
        "surplus": False,
        "prompt_id": rating.candidate.prompt.external_id,
        "stratum": "woman",
        "simulated": False,
    }


def test_ndjson_equals_the_pages(client, monkeypatch):
    monkeypatch.setattr(rating_stream, "BATCH", 5)
    lines = stream(client, "ndjson").decode().splitlines()

    assert [json.loads(line) for line in lines] == paged(client, 1000)


def test_parquet_equals_the_pages(client, monkeypatch):
    monkeypatch.setattr(rating_stream, "BATCH", 5)
    table = pq.read_table(io.BytesIO(stream(client, "parquet")))
    rows = [row | {"submitted_on": row["submitted_on"].isoformat()} for row in table.to_pylist()]

    assert table.column_names == COLUMNS
    assert rows == paged(client, 1000)


def test_csv_equals_the_pages(client, monkeypatch):
    monkeypatch.setattr(rating_stream, "BATCH", 5)
    rows = list(csv.DictReader(io.StringIO(stream(client, "csv").decode())))
    expected = [{k: "" if v is None else str(v) for k, v in row.items()} for row in paged(client, 1000)]

    assert rows == expected


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_a_campaign_without_ratings_streams_too(client, campaign, form):
    Rating.objects.all().delete()
    content = stream(client, form)

    assert content == {"ndjson": b"", "csv": (",".join(COLUMNS) + "\r\n").encode()}.get(form, content)
    if form == "parquet":
        assert pq.read_table(io.BytesIO(content)).num_rows == 0


def test_stream_reads_in_batches(client, monkeypatch):
    monkeypatch.setattr(rating_stream, "BATCH", 10)
    with CaptureQueriesContext(connection) as captured:
        stream(client, "ndjson")
    batches = [query for query in captured if "LIMIT 10" in query["sql"]]

    assert len(batches) == 4  # 24 rows, and one look that there are no more


def test_revised_ratings_replace_the_first_ones(client, campaign):
    rating = Rating.objects.filter(annotator__campaign=campaign).first()
    before = len(paged(client, 1000))
    rating.ballot.is_current = False
    rating.ballot.save()

    assert len(paged(client, 1000)) == before - 6


def test_streams_are_throttled_apart(client):
    statuses = [client.get(ADDRESS, {"format": "csv"}).status_code for _ in range(31)]

    assert statuses == [200] * 30 + [429]
    assert client.get(ADDRESS).status_code == 200


def test_unknown_format(client):
    response = client.get(ADDRESS, {"format": "xlsx"})

    assert error_of(response, 400)["fields"] == {"format": ["One of json, ndjson, csv, parquet."]}


def test_progress_counts(client, campaign):
    progress = client.get("/api/v1/campaigns/ours/progress/").json()

    assert progress["annotators"] == {"people": 2, "simulated": 2, "withdrawn": 0}
    assert progress["candidates"] == {"planned": 0, "done": 4, "failed": 0}
    # 2 prompts; two strata of 3 seats and one seat for anyone
    assert progress["seats"] == {"seats": 14, "held": 0, "filled": 4, "open": 10}
    assert [(row["label"], row["seats"], row["filled"]) for row in progress["strata"]] == [
        ("woman", 6, 2),
        ("man", 6, 2),
        ("anyone", 2, 0),
    ]


def test_strata(client):
    rows = client.get("/api/v1/campaigns/ours/strata/").json()["results"]

    assert [(row["label"], row["seats"], row["is_wildcard"]) for row in rows] == [
        ("woman", 3, False),
        ("man", 3, False),
        ("anyone", 1, True),
    ]
