"""Learning with Disagreements: every annotation of an item, with its soft and its hard label."""

from collections import Counter
from pathlib import Path
from typing import Any

from exports.files import to_document
from exports.formats.answers import NEEDS, Answers, Item
from exports.formats.content import Content
from exports.formats.format import Format, Options, Written


def write_lewidi(content: Content, out: Path, options: Options) -> Written:
    """Write {split}.json, objects from item number to item; labels are positions of options, from 0.

    The hard label is the most frequent one, empty where two are: such items are counted.
    """
    answers = Answers(content, options)
    splits: dict[str, dict[str, dict[str, Any]]] = {}
    without = 0
    for number, item in enumerate(answers):
        row = _to_row(content, answers, item)
        without += not row["hard_label"]
        splits.setdefault(row["split"], {})[str(number)] = row
    for split, rows in splits.items():
        (out / f"{split}.json").write_text(to_document(rows), encoding="utf-8", newline="")
    count = sum(len(rows) for rows in splits.values())
    return Written(count, answers.left_out, answers.notes | {"items_without_hard_label": without})


def _to_row(content: Content, answers: Answers, item: Item) -> dict[str, Any]:
    prompt = content.prompts[item.candidate.prompt_id]
    counts = Counter(option for _annotator, option in item.answers)
    most = [option for option, count in counts.items() if count == max(counts.values())]
    return {
        "text": content.question(answers.criterion, item.candidate),
        "annotation task": answers.criterion,
        "number of annotations": len(item.answers),
        "annotations": ",".join(str(option) for _annotator, option in item.answers),
        "annotators": ",".join(annotator.name for annotator, _option in item.answers),
        "lang": prompt.language,
        "hard_label": str(most[0]) if len(most) == 1 else "",
        "soft_label": {str(option): counts[option] / counts.total() for option in range(len(answers.labels))},
        "split": prompt.split,
        "other_info": {
            "prompt_id": prompt.prompt_id,
            "candidate_id": item.candidate.candidate_id,
            "options": answers.labels,
        },
    }


LEWIDI = Format("lewidi", "Learning with Disagreements (soft labels)", NEEDS, write_lewidi)
