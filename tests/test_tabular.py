"""Reading rows: what is accepted, and how each fault is named."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collector.tabular import IntakeError, Problem, Problems, read_rows


def read(content: bytes, name: str = "prompts.csv"):
    return list(read_rows(io.BytesIO(content), name))


def complaint(content: bytes, name: str = "prompts.csv") -> str:
    with pytest.raises(IntakeError) as caught:
        read(content, name)
    return str(caught.value)


def test_csv_rows_know_their_first_line():
    rows = read(b'a,b\r\n1,"two\nlines"\r\n\r\n3,4\r\n')

    assert [(row.line, row.values) for row in rows] == [
        (2, {"a": "1", "b": "two\nlines"}),
        (5, {"a": "3", "b": "4"}),
    ]


def test_byte_order_mark_is_not_part_of_the_first_column():
    assert read(b"\xef\xbb\xbfa\n1\n")[0].values == {"a": "1"}


def test_jsonl_and_json_keep_types():
    record = {"a": 1.5, "b": None, "c": ["x"]}

    assert read(b'{"a": 1.5, "b": null, "c": ["x"]}\n', "p.jsonl")[0].values == record
    assert read(b'[{"a": 1.5, "b": null, "c": ["x"]}]', "p.json")[0].values == record


def test_parquet_rows_are_numbered(tmp_path):
    path = tmp_path / "ratings.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), path)

    assert [(row.line, row.values) for row in read_rows(path)] == [
        (1, {"a": 1, "b": "x"}),
        (2, {"a": 2, "b": None}),
    ]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "prompts.csv", "prompts.csv: the file is empty"),
        (b"\n\n", "prompts.csv", "prompts.csv: the file is empty"),
        (b"", "p.jsonl", "p.jsonl: the file is empty"),
        (b"a,a\n1,2\n", "prompts.csv", 'prompts.csv line 1: "a" is there twice'),
        (b"a,\n1,2\n", "prompts.csv", "prompts.csv line 1: column 2 has no name"),
        (b"a,b\n1,2,3\n", "prompts.csv", "prompts.csv line 2: 3 cells for 2 columns"),
        (b"a\nok\n\xff\n", "prompts.csv", "prompts.csv line 3: not valid UTF-8 at byte 1 of the line"),
        (b"a\nx\0y\n", "prompts.csv", "prompts.csv line 2: there is a NUL byte"),
        (b'a\n"x\n', "prompts.csv", "prompts.csv line 2: not valid CSV: unexpected end of data"),
        (b"a\n" + b"x" * 65536 + b"\n", "prompts.csv", 'prompts.csv line 2: "a" is 64 KiB or longer'),
        (b'{"a": "x\\u0000"}', "p.jsonl", 'p.jsonl line 1: "a" has a NUL byte'),
        (b'{"a": "\\ud800"}', "p.jsonl", 'p.jsonl line 1: "a" has half of a surrogate pair'),
        (b'{"a": 1, "a": 2}', "p.jsonl", 'p.jsonl line 1: has the key "a" twice'),
        (b'{"a": NaN}', "p.jsonl", "p.jsonl line 1: has NaN, which is not a number"),
        (b'{"a": 1e999}', "p.jsonl", 'p.jsonl line 1: "a" is not a finite number'),
        (b"[1]", "p.jsonl", "p.jsonl line 1: is not a record (a JSON object)"),
        (b"{", "p.jsonl", "p.jsonl line 1: is not valid JSON"),
        (b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}", "p.jsonl", "p.jsonl line 1: is nested too deeply"),
        (b'{"a": 1}', "p.json", "p.json: is not a list of records"),
        (b"PAR1", "p.parquet", "p.parquet: cannot be read as Parquet"),
        (b"a\n1\n", "p.xlsx", "p.xlsx: is none of the formats .csv, .jsonl, .json, .parquet"),
    ],
)
def test_faults_name_file_line_and_column(content, name, words):
    assert complaint(content, name).startswith(words)


def test_ten_thousand_bad_rows_show_twenty_and_the_count():
    problems = Problems()
    list(read_rows(io.BytesIO(b"a,b\n" + b"1\n" * 10_000), "prompts.csv", problems=problems))

    with pytest.raises(IntakeError) as caught:
        problems.raise_if_any()
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 9,980 more problems (10,000 in all)"


def test_good_rows_come_through_beside_bad_ones():
    problems = Problems()
    rows = list(read_rows(io.BytesIO(b"a,b\n1\n2,3\n"), "prompts.csv", problems=problems))

    assert [row.line for row in rows] == [3]
    assert problems.shown == [Problem("prompts.csv", 2, None, "1 cells for 2 columns")]
