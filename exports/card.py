"""README.md of a release: the card that tells people and `datasets` what the folder holds."""

import json
from typing import Any

from exports.benchmarks import BENCHMARKS
from exports.columns import EXTRA_PREFIX, TABLES
from exports.privacy_words import privacy_in_words
from exports.release_folder import ReleaseFolder

# Licences the hub knows by these names; others are "other" with their own name beside.
KNOWN_LICENCES = {
    "apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "odbl",
    "cc-by-3.0", "cc-by-sa-3.0", "pddl", "odc-by",
}  # fmt: skip
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
DEFAULT_TABLE = "ratings"


def write_card(folder: ReleaseFolder, facts: dict[str, Any]) -> str:
    """The card's text; `facts` are those of MANIFEST.json without its files."""
    title = f"{facts['title']}, release {facts['version']}"
    parts = [
        _header(folder, facts),
        f"# {title}",
        facts["description"],
        _notices(facts),
        _contents(facts),
        _use(facts),
        _columns(folder),
        _handling(facts),
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _header(folder: ReleaseFolder, facts: dict[str, Any]) -> str:
    licence = facts["licence"].lower()
    lines = ["---"]
    if licence in KNOWN_LICENCES:
        lines.append(f"license: {licence}")
    else:
        lines += ["license: other", f"license_name: {_quoted(facts['licence'] or 'not stated')}"]
    lines += ["language:", *(f"- {_quoted(language)}" for language in facts["languages"])]
    lines += [f"pretty_name: {_quoted(facts['title'])}", "size_categories:", f"- {_size(facts)}"]
    lines += [
        "annotations_creators:",
        "- crowdsourced",
        "tags:",
        "- pluralistic-alignment",
        "- jury",
        "configs:",
    ]
    for name in sorted(TABLES, key=lambda name: (name != DEFAULT_TABLE, name)):
        if facts["rows"][name]:
            lines += [f"- config_name: {name}", *(["  default: true"] if name == DEFAULT_TABLE else [])]
            lines += ["  data_files:", "  - split: train", f"    path: data/{name}.parquet"]
    for kind in BENCHMARKS:
        filled = [split for split, rows in facts["benchmarks"][kind].get("rows", {}).items() if rows]
        if filled:
            lines += [f"- config_name: benchmark_{kind}", "  data_files:"]
            for split in filled:
                lines += [f"  - split: {split}", f"    path: benchmarks/{kind}/{split}.parquet"]
    return "\n".join([*lines, "---"])


def _size(facts: dict[str, Any]) -> str:
    rows = facts["rows"]["ratings"]
    return next((name for limit, name in SIZES if rows < limit), "1M<n<10M")


def _notices(facts: dict[str, Any]) -> str:
    notices = []
    if facts["has_simulated"]:
        notices.append(
            "> **Contains simulated annotators.** Rows of annotators flagged `simulated` were made by a "
            "program and say nothing about people. This release is for trying things out, not for publishing."
        )
    if facts["tier"] == "internal":
        notices.append("> **Internal.** This release was made for the people of its campaign.")
    if facts["tier"] == "restricted":
        notices.append("> **Restricted.** For researchers who agreed to its terms; do not pass it on.")
    return "\n\n".join(notices)


def _contents(facts: dict[str, Any]) -> str:
    lines = ["## What is inside", "", "| table | rows | what |", "|---|---|---|"]
    for name, table in TABLES.items():
        lines.append(f"| `data/{name}` (Parquet, JSONL, CSV) | {facts['rows'][name]} | {table.meaning} |")
    for kind, state in facts["benchmarks"].items():
        if state["supported"]:
            rows = sum(state["rows"].values())
            lines.append(f"| `benchmarks/{kind}` (Parquet) | {rows} | {BENCHMARKS[kind].meaning} |")
        else:
            lines.append(f"| `benchmarks/{kind}` | - | not in this release: {state['reason']} |")
    lines += [
        "",
        "`metrics.json` holds agreement, means and welfare with intervals, `report.html` the same to read.",
    ]
    return "\n".join(lines)


def _use(facts: dict[str, Any]) -> str:
    return "\n".join(
        [
            "## Use",
            "",
            "```python",
            "import pandas as pd",
            'ratings = pd.read_parquet("data/ratings.parquet")',
            "",
            "from datasets import load_dataset",
            'ratings = load_dataset(".", "ratings")["train"]',
            'jury = load_dataset(".", "benchmark_jury")',
            "```",
            "",
            "The split (train, validation, test) belongs to the prompt, so no prompt is in two of them.",
            "CSV files are canonical: no cell is escaped, so a spreadsheet may take a text that starts with "
            "`=`, `+`, `-` or `@` for a formula. Load them with a program.",
        ]
    )


def _columns(folder: ReleaseFolder) -> str:
    lines = ["## Columns"]
    for name, table in TABLES.items():
        lines += ["", f"### {name}", "", "| column | type | meaning |", "|---|---|---|"]
        declared = table.by_name
        for field in folder.table(name, None).schema:
            column = declared.get(field.name)
            if column:
                unit = f" ({column.unit})" if column.unit else ""
                meaning = f"{column.meaning}{unit}"
            elif field.name.startswith(EXTRA_PREFIX):
                meaning = "a column of the campaign's own"
            else:
                meaning = "value-profile score" if field.name.startswith("score_") else "attribute"
            lines.append(f"| `{field.name}` | {_type_name(str(field.type))} | {meaning} |")
    return "\n".join(lines)


def _handling(facts: dict[str, Any]) -> str:
    return "\n".join(
        [
            "## People",
            "",
            "Annotator ids are random for this release; they link to another release only where the person "
            "allowed it. Do not try to find out who anybody is.",
            "",
            *(line for part in privacy_in_words(facts["privacy"]) for line in (part, "")),
            "`withdrawals.jsonl` names annotators of earlier releases who have since withdrawn. Copies that "
            "were downloaded cannot be called back: please drop those ids from yours.",
            "",
            "`MANIFEST.json` lists every file with its SHA-256, and what was left out and why.",
            "",
            f"Licence: {facts['licence'] or 'not stated'}. Providers of models may have terms for responses.",
        ]
    )


def _type_name(kind: str) -> str:
    return "list of messages" if kind.startswith("list<element: struct") else kind.replace("element: ", "")


def _quoted(text: str) -> str:
    """A YAML string; JSON's are a subset."""
    return json.dumps(text, ensure_ascii=False)
