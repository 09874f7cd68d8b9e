"""Columns nobody declared (attributes, scores, x_ columns): their types follow from the values that occur."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

EXACT = 2**53  # beyond it a float cannot tell whole numbers apart


class LooseColumns:
    """The columns of some mappings, by name; a column of mixed kinds holds text, JSON where it is not text.

    >>> [(field.name, str(field.type)) for field in LooseColumns([{"b": 1, "a": "x"}, {"b": 1.5}]).fields]
    [('a', 'string'), ('b', 'double')]
    """

    def __init__(self, mappings: Iterable[Mapping[str, Any]]) -> None:
        kinds: dict[str, set[str]] = {}
        for mapping in mappings:
            for name, value in mapping.items():
                if value is not None:
                    kinds.setdefault(name, set()).add(_kind(value))
        self.fields = [pa.field(name, _type(kinds[name])) for name in sorted(kinds)]

    def cells(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        """The mapping's value for every column, None where it has none."""
        return {field.name: _cell(mapping.get(field.name), field.type) for field in self.fields}


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "whole" if abs(value) <= EXACT else "text"
    return "number" if isinstance(value, float) else "text"


def _type(kinds: set[str]) -> pa.DataType:
    if kinds == {"flag"}:
        return pa.bool_()
    if kinds == {"whole"}:
        return pa.int64()
    return pa.float64() if kinds <= {"whole", "number"} else pa.string()


def _cell(value: Any, kind: pa.DataType) -> Any:
    if value is None or kind != pa.string() or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
