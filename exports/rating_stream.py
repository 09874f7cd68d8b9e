"""A campaign's ratings as they stand now: in pages, or the whole as one stream of bounded memory."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from django.db.models import Max, QuerySet

from annotations.models import Annotator, Rating
from collector.models import Campaign, Prompt
from exports.columns import RATINGS, Column

BATCH = 5000
SIMULATED = Column("simulated", pa.bool_(), "whether the annotator is simulated, not a person")
COLUMNS = [column for column in RATINGS.columns if column.name not in ("utility", "split")] + [SIMULATED]
NAMES = [column.name for column in COLUMNS]
Row = dict[str, Any]

READ = {
    "annotator_id": "annotator__external_id",
    "candidate_id": "candidate__external_id",
    "criterion": "criterion__name",
    "value": "value",
    "missing": "missing",
    "position": "position",
    "seconds": "seconds",
    "repeat_index": "ballot__seat__repeat_index",
    "submitted_at": "ballot__submitted_at",
    "surplus": "ballot__seat__is_surplus",
    "prompt_id": "candidate__prompt__external_id",
    "own_stratum": "annotator__stratum__label",
    "seat_stratum": "ballot__seat__stratum__label",
    "source": "annotator__source",
}


class Format(NamedTuple):
    """One way to write the whole: its media type, and rows to chunks of bytes."""

    media_type: str
    write: Callable[[Iterator[list[Row]]], Iterator[bytes]]


def current_ratings(campaign: Campaign) -> QuerySet[Rating, dict[str, Any]]:
    """What counts: the ratings of the latest revision of every ballot, as `values` with `pk`."""
    ratings = Rating.objects.filter(
        annotator__campaign=campaign,
        ballot__is_current=True,
        ballot__seat__purpose=Prompt.Purpose.JUDGED,
    )
    return ratings.order_by("pk").values("pk", *READ.values())


def to_row(values: dict[str, Any], categories: dict[str, list[str]]) -> Row:
    """One row under the columns of a release's ratings, with the ids that the campaign itself uses."""
    row = {name: values[path] for name, path in READ.items()}
    labels = categories.get(row["criterion"], [])
    is_label = row["value"] is not None and 0 <= row["value"] < len(labels)
    submitted_at = row["submitted_at"]
    row |= {
        "label": labels[int(row["value"])] if is_label else None,
        "missing": row["missing"] or None,
        "submitted_on": submitted_at.astimezone(UTC).date() if submitted_at else None,
        "stratum": row["own_stratum"] or row["seat_stratum"],
        "simulated": row["source"] == Annotator.Source.SIMULATED,
    }
    return {name: row[name] for name in NAMES}


def categories_of(campaign: Campaign) -> dict[str, list[str]]:
    return dict(campaign.criteria.values_list("name", "categories"))


def read_batches(campaign: Campaign) -> Iterator[list[Row]]:
    """All rows there are at the start, a batch per query: a slow reader holds no transaction open."""
    ratings, categories = current_ratings(campaign), categories_of(campaign)
    last = Rating.objects.filter(annotator__campaign=campaign).aggregate(last=Max("pk"))["last"] or 0
    position = 0
    while batch := list(ratings.filter(pk__gt=position, pk__lte=last)[:BATCH]):
        position = batch[-1]["pk"]
        yield [to_row(values, categories) for values in batch]


def write_ndjson(batches: Iterator[list[Row]]) -> Iterator[bytes]:
    for batch in batches:
        lines = (json.dumps(row, ensure_ascii=False, default=str) for row in batch)
        yield ("\n".join(lines) + "\n").encode()


def write_csv(batches: Iterator[list[Row]]) -> Iterator[bytes]:
    """RFC 4180 with a header, cells exactly as stored: for programs, not for spreadsheets."""
    chunks: list[str] = []
    writer = csv.DictWriter(_Appending(chunks.append), NAMES)
    writer.writeheader()
    yield _drain(chunks).encode()
    for batch in batches:
        writer.writerows(batch)
        yield _drain(chunks).encode()


def write_parquet(batches: Iterator[list[Row]]) -> Iterator[bytes]:
    """One row group a batch; what the writer has put out so far is passed on after each."""
    schema = pa.schema([column.as_field() for column in COLUMNS])
    sink = _Sink()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_pylist(batch, schema))
            yield sink.take()
    yield sink.take()


FORMATS = {
    "ndjson": Format("application/x-ndjson", write_ndjson),
    "csv": Format("text/csv; charset=utf-8", write_csv),
    "parquet": Format("application/vnd.apache.parquet", write_parquet),
}


class _Appending:
    """The one method of a file that csv asks for."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.write = write


def _drain(chunks: list[str]) -> str:
    text = "".join(chunks)
    chunks.clear()
    return text


class _Sink:
    """A file that Arrow writes to and that is emptied while it grows."""

    closed = False

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        content = b"".join(self._chunks)
        self._chunks.clear()
        return content
