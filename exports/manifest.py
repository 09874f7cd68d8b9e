"""MANIFEST.json: every file of a release with its checksum, and a checksum of the manifest itself."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from exports.columns import SCHEMA_VERSION
from exports.files import hash_file, to_document
from exports.folder import MANIFEST

OWN = "sha256"


def complete_manifest(folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with every file under `folder`, and last the checksum of all that."""
    manifest = facts | {"files": {name: describe_file(folder / name) for name in list_files(folder)}}
    return manifest | {OWN: hash_manifest(manifest)}


def hash_manifest(manifest: dict[str, Any]) -> str:
    """SHA-256 of the manifest's text without its own checksum."""
    rest = {name: value for name, value in manifest.items() if name != OWN}
    return hashlib.sha256(to_document(rest).encode()).hexdigest()


def list_files(folder: Path) -> list[str]:
    """Paths of the files below the folder, in order, except the manifest."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(path for path in paths if path != MANIFEST)


def describe_file(path: Path) -> dict[str, Any]:
    described: dict[str, Any] = {"sha256": hash_file(path), "bytes": path.stat().st_size}
    rows = count_rows(path)
    if rows is not None:
        described |= {"rows": rows, "schema_version": SCHEMA_VERSION}
    return described


def count_rows(path: Path) -> int | None:
    """Rows of a table file; None for other files."""
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    if path.suffix == ".jsonl":
        with path.open("rb") as stream:
            return sum(1 for _line in stream)
    if path.suffix == ".csv":
        # The same rows as its Parquet; line feeds inside cells make lines a poor count.
        return count_rows(path.with_suffix(".parquet"))
    return None
