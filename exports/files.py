"""Writing files so that the same rows give the same bytes: Parquet, JSONL, CSV and JSON."""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP = 65536
NESTED_ROW_GROUP = 4096  # rows of benchmarks hold a whole jury
COMPRESSION = "zstd"


def write_parquet(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write record batches in row groups of one size, however they arrive; returns the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with pq.ParquetWriter(path, schema, compression=COMPRESSION) as writer:
        for group in _regroup(schema, batches):
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += group.num_rows
    return rows


def write_table(stem: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write the same rows as STEM.parquet, STEM.jsonl and STEM.csv; returns their number.

    CSV is canonical: nothing is escaped for spreadsheets, empty is null, lists are JSON.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lines = stack.enter_context(stem.with_suffix(".jsonl").open("w", encoding="utf-8", newline=""))
        cells = stack.enter_context(stem.with_suffix(".csv").open("w", encoding="utf-8", newline=""))
        writer = csv.writer(cells, lineterminator="\n")
        writer.writerow(schema.names)

        def written() -> Iterator[pa.RecordBatch]:
            for batch in batches:
                rows = batch.to_pylist()
                lines.writelines(f"{to_line(row)}\n" for row in rows)
                writer.writerows([_to_cell(value) for value in row.values()] for row in rows)
                yield batch

        return write_parquet(stem.with_suffix(".parquet"), schema, written())


def write_splits(
    paths: dict[str, Path], schema: pa.Schema, rows: Iterable[tuple[str, dict[str, Any]]]
) -> dict[str, int]:
    """Write (split, row) pairs to one Parquet file per split, in one pass; returns rows per split."""
    counts = dict.fromkeys(paths, 0)
    with ExitStack() as stack:
        waiting: dict[str, list[dict[str, Any]]] = {split: [] for split in paths}
        writers = {}
        for split, path in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            writers[split] = stack.enter_context(pq.ParquetWriter(path, schema, compression=COMPRESSION))
        for split, row in rows:
            counts[split] += 1
            waiting[split].append(row)
            if len(waiting[split]) == NESTED_ROW_GROUP:
                writers[split].write_table(pa.Table.from_pylist(waiting[split], schema))
                waiting[split].clear()
        for split, rest in waiting.items():
            if rest:
                writers[split].write_table(pa.Table.from_pylist(rest, schema))
    return counts


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_document(value), encoding="utf-8", newline="")


def to_document(value: object) -> str:
    """A JSON file's text: two spaces, keys as given, no NaN, a line feed at the end."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_line(value: object) -> str:
    """A JSONL line's text."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_to_text)


def hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _regroup(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= ROW_GROUP:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, ROW_GROUP).combine_chunks()
            rest = table.slice(ROW_GROUP)
            waiting, count = rest.to_batches(), rest.num_rows
    if count:
        yield pa.Table.from_batches(waiting, schema).combine_chunks()


def _to_cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return to_line(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _to_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
