"""PReF: its four CSV files, preference 1 where response_1 is preferred; new people calibrate and test."""

import csv
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from exports.columns import SPLITS
from exports.formats.content import Annotator, Content
from exports.formats.format import Format, Options, Written
from exports.formats.preferences import NEEDS, Pair, Preferences
from exports.splits import split_of

COLUMNS = ["prompt", "response_1", "response_2", "persona_index", "persona", "preference"]
FILES = ("train", "validation", "calibration", "test")


def write_pref(content: Content, out: Path, options: Options) -> Written:
    """Write preferences_dataset_{train,validation,calibration,test}.csv and annotators.csv.

    The consumer learns from the people of the first two files and meets those of the last two anew, and
    numbers each set from 0; who is new is decided by the annotator's id, one in ten.
    """
    preferences = Preferences(content, options)
    numbers: dict[str, dict[str, int]] = {"known": {}, "new": {}}
    for annotator in content.annotators.values():
        people = numbers[_side(annotator)]
        people[annotator.name] = len(people)
    rows = 0
    with ExitStack() as stack:
        writers = {}
        for name in FILES:
            path = out / f"preferences_dataset_{name}.csv"
            stream = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            writers[name] = csv.writer(stream, lineterminator="\n")
            writers[name].writerow(COLUMNS)
        for pair in preferences:
            number = numbers[_side(pair.annotator)][pair.annotator.name]
            writers[_file(pair)].writerow(_to_row(pair, number))
            rows += 1
    _write_people(out / "annotators.csv", numbers)
    return Written(rows, preferences.left_out, preferences.notes)


def _side(annotator: Annotator) -> str:
    return "new" if split_of(annotator.name) == SPLITS[2] else "known"


def _file(pair: Pair) -> str:
    if _side(pair.annotator) == "new":
        return "test" if pair.prompt.split == SPLITS[2] else "calibration"
    return "train" if pair.prompt.split == SPLITS[0] else "validation"


def _to_row(pair: Pair, number: int) -> list[Any]:
    persona = pair.annotator.persona.replace("\n", ", ")
    return [pair.prompt.text, pair.first.text, pair.second.text, number, persona, int(pair.prefers_first)]


def _write_people(path: Path, numbers: dict[str, dict[str, int]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["side", "persona_index", "annotator_id"])
        for side, people in numbers.items():
            writer.writerows([side, number, name] for name, number in people.items())


PREF = Format("pref", "PReF (preference features)", NEEDS, write_pref)
