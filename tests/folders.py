"""Writing interchange folders for tests, small ones and the published data sets."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

LIKERT = {"criterion": "good", "question": "Is it good?", "kind": "likert", "scale_min": 1, "scale_max": 5}
SETTINGS = {"title": "A small study", "licence": "CC-BY-4.0", "languages": ["en"], "criteria": [LIKERT]}
PROMPTS = [{"prompt_id": "p1", "text": "One?"}, {"prompt_id": "p2", "text": "Two?"}]
CANDIDATES = [
    {"candidate_id": "p1-a", "prompt_id": "p1", "text": "One A", "generator": "a"},
    {"candidate_id": "p1-b", "prompt_id": "p1", "text": "One B", "generator": "b"},
    {"candidate_id": "p2-a", "prompt_id": "p2", "text": "Two A", "generator": "a"},
]
ANNOTATORS = [
    {"annotator_id": "ann", "age": "young", "score_care": "4.5"},
    {"annotator_id": "bob", "age": "old", "score_care": "2"},
]
RATINGS = [
    {"annotator_id": "ann", "candidate_id": "p1-a", "criterion": "good", "value": "5"},
    {"annotator_id": "ann", "candidate_id": "p1-b", "criterion": "good", "value": "1"},
    {"annotator_id": "bob", "candidate_id": "p1-a", "criterion": "good", "value": "3"},
    {"annotator_id": "bob", "candidate_id": "p2-a", "criterion": "good", "value": "4"},
]
SMALL = {"prompts": PROMPTS, "candidates": CANDIDATES, "annotators": ANNOTATORS, "ratings": RATINGS}


def write_folder(folder: Path, settings=None, *, form: str = "csv", **tables) -> Path:
    """A folder with campaign.json and the tables given as lists of rows, or as the file's bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campaign.json").write_text(json.dumps(SETTINGS if settings is None else settings))
    for name, rows in tables.items():
        path = folder / f"{name}.{form}"
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        elif form == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        elif form == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            _write_csv(path, rows)
    return folder


def write_small(folder: Path, settings=None, **tables) -> Path:
    """The small study of two prompts, with some tables replaced (None: left out)."""
    merged = SMALL | tables
    return write_folder(folder, settings, **{name: rows for name, rows in merged.items() if rows is not None})


def write_squality(source: Path, folder: Path) -> Path:
    """SQuALITY: 300 responses of three systems, four raters, three criteria on 0-100."""
    names = ("correctness", "coverage", "overall")
    responses = _read_csv(source / "squality" / "responses.csv")
    settings = {
        "title": "SQuALITY",
        "licence": "CC-BY-4.0",
        "criteria": [
            {"criterion": name, "kind": "slider", "scale_min": 0, "scale_max": 100} for name in names
        ],
    }
    ratings = [
        {
            "annotator_id": row["rater_id"],
            "candidate_id": row["response_id"],
            "criterion": name,
            "value": row[name],
        }
        for row in _read_csv(source / "squality" / "ratings.csv")
        for name in names
    ]
    candidates = [
        {
            "candidate_id": row["response_id"],
            "prompt_id": row["prompt_id"],
            "text": row["response"],
            "generator": row["system"],
        }
        for row in responses
    ]
    prompts = [
        {"prompt_id": name, "text": f"Summarise {name}"}
        for name in {row["prompt_id"]: 0 for row in responses}
    ]
    return write_folder(folder, settings, prompts=prompts, candidates=candidates, ratings=ratings)


def write_recipes(source: Path, folder: Path) -> Path:
    """Recipes: 52 texts by six criteria on 1-6, raters known by position only."""
    rows = _read_csv(source / "recipes" / "ratings.csv")
    criteria = dict.fromkeys(row["criterion"] for row in rows)
    items = dict.fromkeys(row["item_id"] for row in rows)
    settings = {
        "title": "Recipes",
        "criteria": [
            {"criterion": name, "kind": "likert", "scale_min": 1, "scale_max": 6} for name in criteria
        ],
    }
    ratings = [
        {
            "annotator_id": f"position-{row['rater_pos']}",
            "candidate_id": row["item_id"],
            "criterion": row["criterion"],
            "value": row["score"],
        }
        for row in rows
    ]
    candidates = [{"candidate_id": name, "prompt_id": name, "text": name} for name in items]
    prompts = [{"prompt_id": name, "text": f"A recipe for {name}"} for name in items]
    return write_folder(folder, settings, prompts=prompts, candidates=candidates, ratings=ratings)


def _write_csv(path: Path, rows: list[dict]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def _read_csv(path: Path) -> list[dict]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
