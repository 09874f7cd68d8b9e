"""Rows on their way out as Arrow record batches, chunk by chunk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import pyarrow as pa
from django.db.models import QuerySet

from exports.columns import Table
from exports.loose_columns import LooseColumns

ROWS = 5000
Item = TypeVar("Item")


@dataclass
class Batches:
    """One table on its way out."""

    table: Table
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


def from_rows(table: Table, loose: LooseColumns, parts: Iterable[list[dict[str, Any]]]) -> Batches:
    """Rows as mappings become batches of the table's schema."""
    schema = table.schema(loose.fields)
    return Batches(table, schema, (pa.RecordBatch.from_pylist(part, schema) for part in parts))


def find_extras(rows: QuerySet[Any]) -> LooseColumns:
    """The x_ columns that occur in the rows' `extra`."""
    return LooseColumns(rows.exclude(extra={}).values_list("extra", flat=True).iterator(chunk_size=ROWS))


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of `size`, the last one shorter.

    >>> list(chunks("abc", 2))
    [['a', 'b'], ['c']]
    """
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
