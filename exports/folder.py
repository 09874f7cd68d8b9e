"""The tables of an interchange folder or a release, row by row, with every cell of its declared type."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from collector.tabular import ENDINGS, IntakeError, Problem, Problems, Row, parse_json, read_rows
from exports.cells import parse_cell
from exports.columns import EXTRA_PREFIX, TABLES, Table

SETTINGS = "campaign.json"
MANIFEST = "MANIFEST.json"
MAX_SETTINGS = 5 * 1024 * 1024


class Record(NamedTuple):
    """One row: its declared columns, its x_ columns, and what else an open table (annotators) carries."""

    file: str
    line: int
    values: dict[str, Any]
    extra: dict[str, Any]
    attributes: dict[str, Any]


@dataclass
class Folder:
    """Where the tables of a folder are; `problems` gathers the faults found while reading."""

    path: Path
    files: dict[str, Path]
    problems: Problems = field(default_factory=Problems)

    def has(self, table: str) -> bool:
        return table in self.files

    def name_of(self, table: str) -> str:
        return self.files[table].name if table in self.files else table

    def read(self, table: str, problems: Problems | None = None) -> Iterator[Record]:
        """Records of a table, empty where the folder has none; bad rows go to `problems` and are skipped."""
        if table not in self.files:
            return
        found = self.problems if problems is None else problems
        reader = _TableReader(TABLES[table], self.files[table], found)
        for row in read_rows(self.files[table], problems=found):
            record = reader.parse(row)
            if record:
                yield record

    def read_settings(self) -> dict[str, Any]:
        """campaign.json as it stands; raises IntakeError when it is missing or not a JSON object."""
        path = self.path / SETTINGS
        if not path.is_file():
            raise IntakeError([Problem(SETTINGS, None, None, _("is missing from the folder"))])
        raw = path.read_bytes()
        try:
            if len(raw) > MAX_SETTINGS:
                raise ValueError(_("is larger than 5 MiB"))
            settings = parse_json(raw)
            if not isinstance(settings, dict):
                raise ValueError(_("is not a JSON object"))
        except ValueError as error:
            raise IntakeError([Problem(SETTINGS, None, None, str(error))]) from error
        return settings


def open_folder(path: Path) -> Folder:
    """Find a folder's tables; raises IntakeError where there is none, or one twice or misnamed."""
    if not path.is_dir():
        raise IntakeError([Problem(str(path), None, None, _("is not a folder"))])
    if (path / MANIFEST).is_file():
        files = {name: path / "data" / f"{name}.parquet" for name in TABLES}
        return Folder(path, {name: file for name, file in files.items() if file.is_file()})
    problems: list[Problem] = []
    files = {}
    for file in sorted([*path.glob("*"), *path.glob("data/*")]):
        if file.suffix.lower() not in ENDINGS or file.name == SETTINGS or not file.is_file():
            continue
        if file.stem in TABLES and file.stem in files:
            said = _("is given a second time, besides %(other)s") % {"other": files[file.stem].name}
            problems.append(Problem(file.name, None, None, said))
        elif file.stem in TABLES:
            files[file.stem] = file
        elif close := get_close_matches(file.stem.lower(), TABLES, 1, 0.8):
            said = _('is not a known table; did you mean "%(name)s"?') % {"name": close[0]}
            problems.append(Problem(file.name, None, None, said))
    if problems:
        raise IntakeError(problems)
    return Folder(path, files)


def unknown_message(name: str, known: list[str]) -> str:
    """What to say of a column or setting nobody knows."""
    close = get_close_matches(name, known, 1)
    if close:
        return _('is unknown; did you mean "%(name)s"?') % {"name": close[0]}
    return _("is unknown; names of your own start with x_")


class _TableReader:
    """Parses the rows of one file; an unknown or missing column of a file is said once."""

    def __init__(self, table: Table, path: Path, problems: Problems) -> None:
        self.columns = table.by_name
        self.required = [column.name for column in table.columns if column.required]
        self.is_open = table.name == "annotators"
        self.has_header = path.suffix.lower() in (".csv", ".parquet")
        self.problems = problems
        self.refused: set[str] = set()

    def parse(self, row: Row) -> Record | None:
        before = self.problems.total
        record = Record(row.file, row.line, {}, {}, {})
        for name, value in row.values.items():
            column = self.columns.get(name)
            if column is None:
                self._keep(row, name, value, record)
            elif not column.derived:
                try:
                    record.values[name] = parse_cell(value, column)
                except ValueError as error:
                    self.problems.add(row.file, row.line, name, str(error))
        self._check_required(row, record)
        return record if self.problems.total == before and not self.refused else None

    def _keep(self, row: Row, name: str, value: object, record: Record) -> None:
        if name.startswith(EXTRA_PREFIX):
            if value is not None and value != "":
                record.extra[name] = _plain(value)
        elif self.is_open:
            if value is not None and value != "":
                record.attributes[name] = _plain(value)
        elif name not in self.refused:
            self.refused.add(name)
            line = 1 if row.file.endswith(".csv") else None if self.has_header else row.line
            self.problems.add(row.file, line, name, unknown_message(name, list(self.columns)))

    def _check_required(self, row: Row, record: Record) -> None:
        for name in self.required:
            if name not in row.values:
                if self.has_header:
                    self.problems.add(row.file, None, name, _("is a required column and is missing"))
                    # Every row would say the same.
                    self.problems.raise_if_any()
                self.problems.add(row.file, row.line, name, _("is missing"))
            elif record.values.get(name, "") is None and not self.columns[name].is_raw:
                self.problems.add(row.file, row.line, name, _("is empty"))


def _plain(value: object) -> object:
    """What JSON can hold; dates as text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float | bool | list | dict):
        return value
    return str(value)
