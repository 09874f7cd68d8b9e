"""What an exporter is: one consumer's layout, what it needs of a release, and how its files are written."""

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from exports.files import to_line
from exports.formats.content import Content

SMALLEST_GROUP = 5


class CannotExport(Exception):
    """The release lacks what the format needs, or the folder is not free; says which."""


@dataclass(frozen=True)
class Options:
    """What the caller may choose: the criterion, what makes a group, and how small a group may be."""

    criterion: str | None = None
    group_by: str = "stratum"
    smallest_group: int = SMALLEST_GROUP


@dataclass(frozen=True)
class Written:
    """What an exporter wrote: rows, what it left out and how often, and facts to read the files by."""

    rows: int
    left_out: dict[str, int] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """One consumer's layout; `write` raises CannotExport where the release cannot supply `needs`."""

    name: str
    consumer: str
    needs: str
    write: Callable[[Content, Path, Options], Written]


def write_lines(folder: Path, rows: Iterable[tuple[str, dict[str, Any]]]) -> int:
    """Write (file stem, row) pairs as JSONL, one file per stem that occurs; returns the number of rows."""
    count = 0
    with ExitStack() as stack:
        files: dict[str, IO[str]] = {}
        for stem, row in rows:
            if stem not in files:
                path = folder / f"{stem}.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                files[stem] = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            files[stem].write(to_line(row) + "\n")
            count += 1
    return count


def write_json_list(path: Path, rows: list[dict[str, Any]]) -> int:
    """Write rows as one JSON list, a row a line; returns their number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8", newline="")
    return len(rows)
