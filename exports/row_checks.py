"""Checks that rows of every table share, and storing them batch by batch."""

from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

from django.db import models
from django.utils.translation import gettext as _

from collector.tabular import Problems
from exports.folder import Record

BATCH = 1000
MAX_SMALL = 32767  # of a PositiveSmallIntegerField
AnyModel = TypeVar("AnyModel", bound=models.Model)


def store_batches(model: type[AnyModel], rows: Iterator[AnyModel]) -> Iterator[list[AnyModel]]:
    """Store rows a batch at a time and yield each batch with its keys."""
    while batch := list(islice(rows, BATCH)):
        yield model._default_manager.bulk_create(batch)


def is_fresh(record: Record, column: str, seen: set[str], problems: Problems) -> bool:
    """Whether the id is met for the first time; a second time is a problem."""
    name = record.values[column]
    if name in seen:
        problems.add(record.file, record.line, column, _("%(id)s is there twice") % {"id": name})
        return False
    seen.add(name)
    return True


def fits(record: Record, limits: dict[str, int], problems: Problems) -> bool:
    """Whether the texts fit the database's columns, which SQLite would not say."""
    before = problems.total
    for column, limit in limits.items():
        if len(record.values.get(column) or "") > limit:
            said = _("is longer than %(limit)s characters") % {"limit": limit}
            problems.add(record.file, record.line, column, said)
    return problems.total == before


def refuse_reference(record: Record, column: str, table: str, problems: Problems) -> None:
    said = _("%(id)s is not in %(table)s") % {"id": record.values[column], "table": table}
    problems.add(record.file, record.line, column, said)
