"""VPL: preferences of up to four groups, a folder each, with pairs on which groups disagree marked."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exports.columns import SPLITS
from exports.formats.content import Content
from exports.formats.format import CannotExport, Format, Options, Written, write_lines
from exports.formats.preferences import NEEDS, Pair, Preferences

SLOTS = ("8", "4", "2", "1")  # the only names its collator knows

Votes = dict[tuple[str, str], Counter[str]]


def write_vpl(content: Content, out: Path, options: Options) -> Written:
    """Write {slot}/train.jsonl (train and validation splits) and {slot}/test.jsonl for each group."""
    slots = _find_slots(content, options)
    preferences = Preferences(content, options)
    votes = _count_votes(preferences, slots, options)
    numbers = {key: number for number, key in enumerate(votes)}
    without = 0

    def lines() -> Iterator[tuple[str, dict[str, Any]]]:
        nonlocal without
        index = 0
        for pair in preferences:
            slot = slots.get(pair.annotator.group(options.group_by) or "")
            if slot is None:
                without += 1
                continue
            file = "test" if pair.prompt.split == SPLITS[2] else "train"
            row = _to_row(pair, slot, votes[_key(pair)])
            yield f"{slot}/{file}", {"Index": index, "original_idx": numbers[_key(pair)]} | row
            index += 1

    rows = write_lines(out, lines())
    notes = {"group_by": options.group_by, "slots": {slot: group for group, slot in slots.items()}}
    return Written(rows, preferences.left_out | {"without_group": without}, preferences.notes | notes)


def _find_slots(content: Content, options: Options) -> dict[str, str]:
    people = content.annotators.values()
    groups = sorted({group for who in people if (group := who.group(options.group_by)) is not None})
    if not 1 <= len(groups) <= len(SLOTS):
        raise CannotExport(
            f"needs annotators in one to four groups; {options.group_by} has {len(groups)}"
            " (choose another column by --group-by)"
        )
    return dict(zip(groups, SLOTS, strict=False))


def _count_votes(preferences: Preferences, slots: dict[str, str], options: Options) -> Votes:
    """For every pair, each slot's votes for its first candidate less those for its second."""
    votes: Votes = defaultdict(Counter)
    for pair in preferences:
        slot = slots.get(pair.annotator.group(options.group_by) or "")
        if slot is not None:
            votes[_key(pair)][slot] += 1 if pair.prefers_first else -1
    return votes


def _to_row(pair: Pair, slot: str, votes: Counter[str]) -> dict[str, Any]:
    wants_first = {name for name, lead in votes.items() if lead > 0}
    wants_second = {name for name, lead in votes.items() if lead < 0}
    agreeing = wants_first if pair.prefers_first else wants_second
    opening = f"Human: {pair.prompt.text}\n\nAssistant: "
    return {
        "prompt": pair.prompt.text,
        "chosen": opening + pair.chosen.text,
        "rejected": opening + pair.rejected.text,
        "data_subset": slot,
        "controversial": bool(wants_first and wants_second),
        "reversed": False,
        "satisfied_subset": [name for name in SLOTS if name in agreeing],
        "survey_options": True,
    }


def _key(pair: Pair) -> tuple[str, str]:
    return pair.first.candidate_id, pair.second.candidate_id


VPL = Format("vpl", "VPL (variational preference learning)", f"{NEEDS}; one to four groups", write_vpl)
