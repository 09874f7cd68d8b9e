"""Reading rows from CSV, JSONL, JSON and Parquet files, with every fault named by file, line and column."""

import csv
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MAX_CELL = 65536  # bytes of UTF-8; a cell this long or longer is refused
MAX_LINE = 64 * MAX_CELL
MAX_JSON = 50 * 1024 * 1024  # a .json list is read whole
MAX_DEPTH = 32
SHOWN_PROBLEMS = 20
ENDINGS = (".csv", ".jsonl", ".json", ".parquet")


class Problem(NamedTuple):
    """One fault in a file; `line` and `column` where it has them.

    >>> str(Problem("prompts.csv", 12, "language", "is empty"))
    'prompts.csv line 12: "language" is empty'
    """

    file: str
    line: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else _("%(file)s line %(line)s") % self.location
        said = self.message if self.column is None else f'"{self.column}" {self.message}'
        return f"{place}: {said}"

    @property
    def location(self) -> dict[str, object]:
        return {"file": self.file, "line": self.line, "column": self.column}


class IntakeError(Exception):
    """Nothing was stored, because of `problems`: the first twenty of `total`."""

    def __init__(self, problems: Iterable[Problem], total: int | None = None) -> None:
        found = list(problems)
        self.problems = found[:SHOWN_PROBLEMS]
        self.total = len(found) if total is None else total
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems]
        hidden = self.total - len(lines)
        if hidden > 0:
            text = ngettext("and %(count)s more problem", "and %(count)s more problems", hidden)
            lines.append(
                text % {"count": f"{hidden:,}"} + " " + _("(%(total)s in all)") % {"total": f"{self.total:,}"}
            )
        return "\n".join(lines)


class Problems:
    """Collects problems, keeping the first twenty and the count of all."""

    def __init__(self) -> None:
        self.shown: list[Problem] = []
        self.total = 0

    def add(self, file: str, line: int | None, column: str | None, message: str) -> None:
        self.total += 1
        if len(self.shown) < SHOWN_PROBLEMS:
            self.shown.append(Problem(file, line, column, message))

    def raise_if_any(self) -> None:
        if self.total:
            raise IntakeError(self.shown, self.total)


class Row(NamedTuple):
    """One record: where it stood, and its values by column name. CSV values are text, empty cells ''."""

    file: str
    line: int
    values: dict[str, Any]


def read_rows(
    source: Path | BinaryIO, name: str | None = None, *, problems: Problems | None = None
) -> Iterator[Row]:
    """Yield the records of a file one by one; `name` (default: the path's) tells its format by its ending.

    Faults of a record go to `problems` and the record is skipped, so that a caller can count them all;
    without `problems` the first is raised. Faults of the whole file (not UTF-8, empty, a column twice) are
    always raised, as IntakeError. In Parquet the line is the number of the record.
    """
    label = name or (source.name if isinstance(source, Path) else "file")
    ending = Path(label).suffix.lower()
    reader = READERS.get(ending)
    if reader is None:
        known = ", ".join(ENDINGS)
        raise _fault(label, None, None, _("is none of the formats %(known)s") % {"known": known})
    own = problems if problems is not None else Problems()
    with _opened(source) as stream:
        for row in reader(stream, label, own):
            if problems is None:
                own.raise_if_any()
            if _is_clean(row, own):
                yield row
            elif problems is None:
                own.raise_if_any()
    if problems is None:
        own.raise_if_any()


def parse_json(text: str | bytes) -> Any:
    """JSON as Python values; raises ValueError on duplicate keys, NaN, infinities and nesting beyond 32."""
    try:
        parsed = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError(_("is nested too deeply")) from error
    except UnicodeDecodeError as error:
        raise ValueError(_("is not valid UTF-8")) from error
    except json.JSONDecodeError as error:
        said = {"reason": error.msg, "place": error.colno}
        raise ValueError(_("is not valid JSON: %(reason)s at character %(place)s") % said) from error
    _refuse_depth(parsed)
    return parsed


def find_fault(value: object) -> str | None:
    """Why a cell's value cannot be stored, in words, or None."""
    if isinstance(value, str):
        return _find_text_fault(value)
    if isinstance(value, float) and not math.isfinite(value):
        return _("is not a finite number")
    if isinstance(value, dict):
        return next((fault for part in value.items() for fault in map(find_fault, part) if fault), None)
    if isinstance(value, list):
        return next((fault for fault in map(find_fault, value) if fault), None)
    if isinstance(value, bytes):
        return _("is binary data")
    return None


def _find_text_fault(text: str) -> str | None:
    if "\0" in text:
        return _("has a NUL byte")
    if len(text) * 4 < MAX_CELL or text.isascii():
        size = len(text)
    else:
        size = len(text.encode("utf-8", "surrogatepass"))
    if size >= MAX_CELL:
        return _("is 64 KiB or longer")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return _("has half of a surrogate pair")
    return None


def _is_clean(row: Row, problems: Problems) -> bool:
    before = problems.total
    for column, value in row.values.items():
        fault = find_fault(value)
        if fault:
            problems.add(row.file, row.line, column, fault)
    return problems.total == before


def _fault(file: str, line: int | None, column: str | None, message: str) -> IntakeError:
    return IntakeError([Problem(file, line, column, message)])


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    with source.open("rb") as stream:
        yield stream


def _read_lines(stream: BinaryIO, name: str) -> Iterator[str]:
    """Decode line by line: a line feed is never part of another character, and the fault gets its line."""
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            raise _fault(name, number, None, _("the line is too long"))
        if b"\0" in raw:
            raise _fault(name, number, None, _("there is a NUL byte"))
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            said = {"byte": error.start + 1}
            raise _fault(
                name, number, None, _("not valid UTF-8 at byte %(byte)s of the line") % said
            ) from error
        yield line
    if number == 0:
        raise _fault(name, None, None, _("the file is empty"))


def _read_csv(stream: BinaryIO, name: str, problems: Problems) -> Iterator[Row]:
    reader = csv.reader(_read_lines(stream, name), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            long = "field larger" in str(error)
            said = (
                _("a cell is 64 KiB or longer")
                if long
                else _("not valid CSV: %(reason)s") % {"reason": error}
            )
            raise _fault(name, line, None, said) from error
        if not any(cells):
            continue
        if header is None:
            header = _checked_header(cells, name, line)
        elif len(cells) != len(header):
            said_counts = {"cells": len(cells), "columns": len(header)}
            problems.add(name, line, None, _("%(cells)s cells for %(columns)s columns") % said_counts)
        else:
            yield Row(name, line, dict(zip(header, cells, strict=True)))
    if header is None:
        raise _fault(name, None, None, _("the file is empty"))


def _checked_header(cells: list[str], name: str, line: int | None) -> list[str]:
    header = [cell.strip() for cell in cells]
    for index, column in enumerate(header):
        if not column:
            raise _fault(name, line, None, _("column %(number)s has no name") % {"number": index + 1})
        if column in header[:index]:
            raise _fault(name, line, column, _("is there twice"))
    return header


def _read_jsonl(stream: BinaryIO, name: str, problems: Problems) -> Iterator[Row]:
    seen = False
    for number, line in enumerate(_read_lines(stream, name), 1):
        if not line.strip():
            continue
        seen = True
        try:
            record = parse_json(line)
        except ValueError as error:
            problems.add(name, number, None, str(error))
            continue
        yield from _as_row(record, name, number, problems)
    if not seen:
        raise _fault(name, None, None, _("the file is empty"))


def _read_json(stream: BinaryIO, name: str, problems: Problems) -> Iterator[Row]:
    raw = stream.read(MAX_JSON + 1)
    if len(raw) > MAX_JSON:
        raise _fault(name, None, None, _("larger than 50 MiB; use JSONL or Parquet"))
    if not raw.strip():
        raise _fault(name, None, None, _("the file is empty"))
    try:
        records = parse_json(raw)
    except ValueError as error:
        raise _fault(name, None, None, str(error)) from error
    if not isinstance(records, list):
        raise _fault(name, None, None, _("is not a list of records"))
    for number, record in enumerate(records, 1):
        yield from _as_row(record, name, number, problems)


def _as_row(record: object, name: str, number: int, problems: Problems) -> Iterator[Row]:
    if isinstance(record, dict):
        yield Row(name, number, record)
    else:
        problems.add(name, number, None, _("is not a record (a JSON object)"))


def _read_parquet(stream: BinaryIO, name: str, problems: Problems) -> Iterator[Row]:
    try:
        file = pq.ParquetFile(stream)
        header = _checked_header(file.schema_arrow.names, name, None)
        number = 0
        for batch in file.iter_batches(batch_size=4096):
            for record in batch.to_pylist():
                number += 1
                yield Row(name, number, dict(zip(header, record.values(), strict=True)))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = _("cannot be read as Parquet: %(reason)s") % {"reason": str(error).splitlines()[0]}
        raise _fault(name, None, None, said) from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    keys = [key for key, _value in pairs]
    twice = next(key for index, key in enumerate(keys) if key in keys[:index])
    raise ValueError(_('has the key "%(key)s" twice') % {"key": twice})


def _refuse_constant(name: str) -> None:
    raise ValueError(_("has %(name)s, which is not a number") % {"name": name})


def _refuse_depth(value: object, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(_("is nested too deeply"))
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            _refuse_depth(part, depth + 1)


READERS = {".csv": _read_csv, ".jsonl": _read_jsonl, ".json": _read_json, ".parquet": _read_parquet}
