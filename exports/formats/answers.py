"""Each candidate's answers to a question with options, and how groups of annotators divide over them."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow.compute as pc

from exports.formats.content import Annotator, Candidate, Content
from exports.formats.format import CannotExport, Options
from exports.formats.preferences import check_criterion, rows_of

NEEDS = "ratings of a criterion of kind likert, binary or categorical"
NO_YES = ["no", "yes"]


class Item(NamedTuple):
    """One candidate and the position of the option each annotator chose, in the order of annotators."""

    candidate: Candidate
    answers: list[tuple[Annotator, int]]


class Answers:
    """Iterates over items in the order of candidates' ids; `left_out` is complete once that is done.

    Raises CannotExport where no criterion has options.
    """

    def __init__(self, content: Content, options: Options, *, most_options: int | None = None) -> None:
        self.content = content
        self.left_out: dict[str, int] = {}
        self.criterion, self.labels, self.lowest = _find_criterion(content, options.criterion)
        if most_options and len(self.labels) > most_options:
            count = len(self.labels)
            raise CannotExport(f"needs at most {most_options} options; {self.criterion} has {count}")

    def __iter__(self) -> Iterator[Item]:
        self.left_out = {"missing": 0, "repeats": 0, "off_the_options": 0}
        columns = ["candidate_id", "annotator_id", "value", "repeat_index"]
        order = [("candidate_id", "ascending"), ("annotator_id", "ascending")]
        batches = rows_of(self.content, "ratings", self.criterion, columns).sort_by(order).to_batches(5000)
        rows = (row for batch in batches for row in batch.to_pylist())
        for candidate_id, rated in groupby(self._counted(rows), lambda row: row["candidate_id"]):
            answers = [
                (self.content.annotators[row["annotator_id"]], int(row["value"] - self.lowest))
                for row in rated
            ]
            yield Item(self.content.candidates[candidate_id], answers)

    @property
    def notes(self) -> dict[str, Any]:
        return {"criterion": self.criterion, "options": self.labels}

    def _counted(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            if row["repeat_index"]:
                self.left_out["repeats"] += 1
            elif row["value"] is None:
                self.left_out["missing"] += 1
            elif row["value"] - self.lowest not in range(len(self.labels)):
                self.left_out["off_the_options"] += 1
            else:
                yield row


class Groups:
    """How groups of at least `smallest_group` annotators divide over an item's options."""

    def __init__(self, content: Content, options: Options, count: int) -> None:
        self.options, self.count = options, count
        self.left_out = {"small_groups": 0, "without_group": 0, "items_without_groups": 0}
        columns = [name for name, value in _first_row(content).items() if not isinstance(value, list)]
        if all(annotator.group(options.group_by) is None for annotator in content.annotators.values()):
            raise CannotExport(
                f"needs annotators with {options.group_by}; their columns are: {', '.join(columns)}"
            )

    def shares(self, item: Item) -> dict[str, list[float]]:
        """Each group's share of every option, by the group's name; empty where all are too small."""
        chosen: dict[str, Counter[int]] = {}
        for annotator, option in item.answers:
            group = annotator.group(self.options.group_by)
            if group is None:
                self.left_out["without_group"] += 1
            else:
                chosen.setdefault(group, Counter())[option] += 1
        large = {name: chosen[name] for name in sorted(chosen) if self._is_large(chosen[name])}
        self.left_out["small_groups"] += len(chosen) - len(large)
        self.left_out["items_without_groups"] += not large
        return {
            name: [counts[option] / counts.total() for option in range(self.count)]
            for name, counts in large.items()
        }

    @property
    def notes(self) -> dict[str, Any]:
        return {"group_by": self.options.group_by, "smallest_group": self.options.smallest_group}

    def _is_large(self, counts: Counter[int]) -> bool:
        return counts.total() >= self.options.smallest_group


def _first_row(content: Content) -> dict[str, Any]:
    return next((annotator.columns for annotator in content.annotators.values()), {})


def _find_criterion(content: Content, wanted: str | None) -> tuple[str, list[str], float]:
    """The criterion's name, its options in order, and the value of the first of them."""
    check_criterion(content, wanted)
    table = content.folder.table("ratings", ["criterion", "value"])
    rated = table.filter(pc.is_valid(table["value"]))["criterion"].unique().to_pylist()
    names = [wanted] if wanted else list(content.criteria)
    for name in names:
        criterion = content.criteria[name]
        if name in rated and (labels := _labels(criterion)):
            return name, labels, criterion["scale_min"] if criterion["kind"] == "likert" else 0
    kinds = ", ".join(f"{name} is {content.criteria[name]['kind']}" for name in names) or "there are none"
    raise CannotExport(f"needs {NEEDS}; {kinds}")


def _labels(criterion: dict[str, Any]) -> list[str]:
    """The options' texts; empty where the criterion has none."""
    match criterion["kind"]:
        case "likert":
            return [
                str(value) for value in range(int(criterion["scale_min"]), int(criterion["scale_max"]) + 1)
            ]
        case "binary":
            return criterion["categories"] or NO_YES
        case "categorical":
            return criterion["categories"] or []
    return []
