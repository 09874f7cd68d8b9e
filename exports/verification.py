"""Checking a release folder against its own manifest: nothing changed, missing or added."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from collector.tabular import parse_json
from exports.columns import TABLES
from exports.files import hash_file, to_document
from exports.folder import MANIFEST
from exports.manifest import OWN, count_rows, hash_manifest, list_files
from exports.release_folder import ReleaseFolder


def verify_release(folder: Path | str) -> list[str]:
    """What is wrong with the folder, in words; empty when every file is as it was written."""
    path = Path(folder)
    manifest, problem = _read_manifest(path)
    if manifest is None:
        return [problem]
    files: dict[str, dict[str, Any]] = manifest["files"]
    present = set(list_files(path))
    problems = [_("%(file)s is missing") % {"file": name} for name in sorted(files.keys() - present)]
    problems += [
        _("%(file)s is not in %(manifest)s") % {"file": name, "manifest": MANIFEST}
        for name in sorted(present - files.keys())
    ]
    for name in sorted(files.keys() & present):
        problems += _check_file(path, name, files[name])
    return problems or _check_tables(ReleaseFolder(path))


def _read_manifest(path: Path) -> tuple[dict[str, Any] | None, str]:
    file = path / MANIFEST
    if not file.is_file():
        return None, _("%(file)s is missing") % {"file": MANIFEST}
    try:
        raw = file.read_bytes()
        manifest = parse_json(raw)
        is_whole = isinstance(manifest, dict) and isinstance(manifest.get("files"), dict)
        # Text that is not written as we write it could hide a change from the checksum.
        if (
            not is_whole
            or to_document(manifest).encode() != raw
            or manifest.get(OWN) != hash_manifest(manifest)
        ):
            raise ValueError
    except (ValueError, json.JSONDecodeError):
        return None, _("%(file)s was changed: its own checksum does not match") % {"file": MANIFEST}
    if any(not _is_inside(name) for name in manifest["files"]):
        return None, _("%(file)s names a file outside the folder") % {"file": MANIFEST}
    if not all(
        isinstance(file, dict) and {"sha256", "bytes"} <= file.keys() for file in manifest["files"].values()
    ):
        return None, _("%(file)s does not describe its files") % {"file": MANIFEST}
    return manifest, ""


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _check_file(path: Path, name: str, expected: dict[str, Any]) -> list[str]:
    file = path / name
    if file.is_symlink() or not file.is_file():
        return [_("%(file)s is not a plain file") % {"file": name}]
    size = file.stat().st_size
    if size == expected["bytes"] and hash_file(file) == expected["sha256"]:
        return []
    said = {"file": name, "bytes": size, "expected": expected["bytes"]}
    problems = [_("%(file)s was changed: %(bytes)s bytes, %(expected)s expected") % said]
    if size == expected["bytes"]:
        problems = [_("%(file)s was changed: its SHA-256 does not match") % {"file": name}]
    if name.endswith((".jsonl", ".parquet")):
        problems += _check_rows(file, name, expected)
    return problems


def _check_rows(file: Path, name: str, expected: dict[str, Any]) -> list[str]:
    try:
        rows = count_rows(file)
    except (pa.ArrowException, OSError):
        return [_("%(file)s cannot be read") % {"file": name}]
    if rows == expected.get("rows"):
        return []
    said = {"file": name, "rows": rows, "expected": expected.get("rows")}
    return [_("%(file)s has %(rows)s rows, %(expected)s expected") % said]


def _check_tables(folder: ReleaseFolder) -> list[str]:
    """Files as written can still be written wrong: columns as declared, references that lead somewhere."""
    problems = [
        _("%(table)s is missing") % {"table": f"data/{name}.parquet"}
        for name in TABLES
        if not folder.table_path(name).is_file()
    ]
    for name, declared in TABLES.items() if not problems else ():
        columns = set(folder.table(name).column_names)
        problems += [
            _("%(table)s has no column %(column)s") % {"table": name, "column": column.name}
            for column in declared.columns
            if column.name not in columns
        ]
    if problems:
        return problems
    references = (
        ("candidates", "prompt_id", "prompts", "prompt_id"),
        ("ratings", "annotator_id", "annotators", "annotator_id"),
        ("ratings", "candidate_id", "candidates", "candidate_id"),
        ("ratings", "criterion", "criteria", "criterion"),
        ("choices", "annotator_id", "annotators", "annotator_id"),
    )
    for name, column, target, key in references:
        known = set(folder.table(target, [key])[key].to_pylist())
        unknown = set(folder.table(name, [column])[column].unique().to_pylist()) - known
        if unknown:
            said = {"table": name, "column": column, "id": min(unknown), "target": target}
            problems.append(_("%(table)s: %(column)s %(id)s is not in %(target)s") % said)
    return problems
