"""Columns are declared once: the contract's are there, each with a meaning, and the card prints them all."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from exports.cells import parse_cell
from exports.columns import MESSAGES, TABLES, TEXTS, Column
from exports.loose_columns import LooseColumns

CONTRACT = {
    "criteria": "criterion question kind scale_min scale_max categories ordered higher_is_better",
    "prompts": "prompt_id text messages language topic source licence split",
    "candidates": "candidate_id prompt_id text generator sample_index steering temperature seed split",
    "annotators": "annotator_id profile_text weight flags stratum",
    "ratings": "annotator_id candidate_id criterion value position seconds repeat_index submitted_on label "
    "utility stratum split",
    "choices": "annotator_id prompt_id criterion chosen rejected strength tie stratum split",
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contracts_columns_are_declared(name):
    assert set(CONTRACT[name].split()) <= set(TABLES[name].by_name)


def test_every_column_has_a_meaning_that_its_schema_carries():
    for table in TABLES.values():
        assert all(field.metadata[b"description"] for field in table.schema())


def test_value_is_a_float_and_the_day_a_date():
    ratings = TABLES["ratings"].by_name

    assert (ratings["value"].type, ratings["submitted_on"].type) == (pa.float64(), pa.date32())


@pytest.mark.parametrize(
    ("kind", "given", "parsed"),
    [
        (pa.string(), 12, "12"),
        (pa.float64(), " 1.5 ", 1.5),
        (pa.int64(), "9007199254740993", 9007199254740993),
        (pa.int64(), 2.0, 2),
        (pa.bool_(), "Yes", True),
        (pa.bool_(), 0, False),
        (TEXTS, '["a|b", "c"]', ["a|b", "c"]),
        (TEXTS, "a|b", ["a", "b"]),
        (MESSAGES, '[{"role": "user", "content": "Hi"}]', [{"role": "user", "content": "Hi"}]),
        (pa.string(), "", None),
    ],
)
def test_cells_become_their_columns_type(kind, given, parsed):
    assert parse_cell(given, Column("column", kind, "")) == parsed


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (pa.string(), 1.5, "is not text"),
        (pa.float64(), "1_0", "is not a number"),
        (pa.float64(), True, "is not a number"),
        (pa.float64(), "inf", "is not a number"),
        (pa.int64(), "1.5", "is not a whole number"),
        (pa.int64(), 2**63, "is out of range"),
        (pa.int64(), "1" * 40, "is out of range"),
        (pa.bool_(), "perhaps", "is neither true nor false"),
        (pa.date32(), "31.1.2026", "is not a date such as 2026-01-31"),
        (TEXTS, [1], "is not a list of texts"),
        (MESSAGES, '[{"role": "robot", "content": "Hi"}]', "has a message"),
    ],
)
def test_cells_of_another_type_are_refused(kind, given, words):
    with pytest.raises(ValueError, match=words):
        parse_cell(given, Column("column", kind, ""))


def test_loose_columns_take_the_type_of_their_values():
    loose = LooseColumns([{"a": 1, "b": True, "c": "x"}, {"a": 2.5, "c": [1], "d": 2**60}])

    assert [str(field.type) for field in loose.fields] == ["double", "bool", "string", "string"]
    assert loose.cells({"a": 1, "c": [1]}) == {"a": 1, "b": None, "c": "[1]", "d": None}


@pytest.mark.parametrize("name", TABLES)
def test_the_docs_show_every_column_with_its_meaning(name):
    text = (Path(__file__).parent.parent / "docs" / "formats.md").read_text()

    for column in TABLES[name].columns:
        assert re.search(
            rf"\| (\*\*)?{column.name}(\*\*)?( \*)? \|.*{re.escape(str(column.meaning))}", text
        ), column.name
