"""Modular Pluralism's distributional shape: a question, one group and its shares of the options."""

from pathlib import Path
from typing import Any

from exports.formats.answers import NEEDS, Answers, Groups
from exports.formats.content import Content
from exports.formats.format import Format, Options, Written, write_json_list

LETTERS = "ABCDE"  # all that its runners know


def write_modular_pluralism(content: Content, out: Path, options: Options) -> Written:
    """Write input/distributional.json, one row for each item and group; `id` counts them from 0."""
    answers = Answers(content, options, most_options=len(LETTERS))
    groups = Groups(content, options, len(answers.labels))
    listed = " ".join(f"{letter}. {label}" for letter, label in zip(LETTERS, answers.labels, strict=False))
    rows: list[dict[str, Any]] = []
    for item in answers:
        question = content.question(answers.criterion, item.candidate)
        for group, shares in groups.shares(item).items():
            rows.append(
                {
                    "question": f"Question: {question}\nOptions: {listed}\nAnswer:",
                    "options": answers.labels,
                    "attribute": group,
                    "gold_distribution": shares,
                    "pred_distribution": None,
                    "id": len(rows),
                }
            )
    count = write_json_list(out / "input" / "distributional.json", rows)
    return Written(count, answers.left_out | groups.left_out, answers.notes | groups.notes)


MODULAR_PLURALISM = Format(
    "modular_pluralism",
    "Modular Pluralism (distributional evaluation)",
    f"{NEEDS}, at most {len(LETTERS)} options; annotators in groups",
    write_modular_pluralism,
)
