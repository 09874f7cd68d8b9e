"""A release as it lies in a folder: its tables, benchmarks and manifest, read back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exports.columns import SPLITS


@dataclass(frozen=True)
class ReleaseFolder:
    """The files of one release under `path`, complete or still being written."""

    path: Path

    def table_path(self, name: str) -> Path:
        return self.path / "data" / f"{name}.parquet"

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        return pq.read_table(self.table_path(name), columns=columns)

    def rows(self, name: str, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """The table row by row, a few thousand in memory at once."""
        with pq.ParquetFile(self.table_path(name)) as file:
            for batch in file.iter_batches(batch_size=5000, columns=columns):
                yield from batch.to_pylist()

    def benchmark_paths(self, kind: str) -> dict[str, Path]:
        """The kind's file for each split."""
        return {split: self.path / "benchmarks" / kind / f"{split}.parquet" for split in SPLITS}

    def has_benchmark(self, kind: str) -> bool:
        return all(path.is_file() for path in self.benchmark_paths(kind).values())

    def benchmark(self, kind: str, columns: list[str] | None = None) -> pa.Table:
        """All splits of a kind in one table."""
        return pa.concat_tables(
            pq.read_table(path, columns=columns) for path in self.benchmark_paths(kind).values()
        )

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text(encoding="utf-8"))
