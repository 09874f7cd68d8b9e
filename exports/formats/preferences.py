"""Preferences of a release: its choices, or pairs of ratings of one criterion, with ties counted."""

from collections.abc import Iterator
from itertools import combinations, groupby
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exports.formats.content import Annotator, Candidate, Content, Prompt
from exports.formats.format import CannotExport, Options

NEEDS = "choices, or ratings on a scale (likert, slider, binary) of two candidates of a prompt"


class Pair(NamedTuple):
    """One annotator's strict preference; `first` stands before `second` in the release, whoever won."""

    annotator: Annotator
    prompt: Prompt
    first: Candidate
    second: Candidate
    prefers_first: bool

    @property
    def chosen(self) -> Candidate:
        return self.first if self.prefers_first else self.second

    @property
    def rejected(self) -> Candidate:
        return self.second if self.prefers_first else self.first


class Preferences:
    """Iterates over the pairs, in the order of annotators, prompts and candidates, as often as asked.

    `left_out` is complete once an iteration is. Raises CannotExport where nothing can be preferred.
    """

    def __init__(self, content: Content, options: Options) -> None:
        self.content = content
        self.left_out: dict[str, int] = {}
        self.criterion, self.source = _find_source(content, options.criterion)

    def __iter__(self) -> Iterator[Pair]:
        self.left_out = {"ties": 0, "missing": 0, "repeats": 0}
        yield from self._from_choices() if self.source == "choices" else self._from_ratings()

    @property
    def notes(self) -> dict[str, Any]:
        return {"criterion": self.criterion, "preferences_from": self.source}

    def _from_choices(self) -> Iterator[Pair]:
        columns = ["annotator_id", "prompt_id", "chosen", "rejected", "tie", "repeat_index"]
        for row in self._read("choices", columns, ["annotator_id", "prompt_id", "chosen", "rejected"]):
            if row["repeat_index"]:
                self.left_out["repeats"] += 1
            elif row["tie"]:
                self.left_out["ties"] += 1
            else:
                yield self._pair(row["annotator_id"], row["chosen"], row["rejected"])

    def _from_ratings(self) -> Iterator[Pair]:
        columns = ["annotator_id", "prompt_id", "candidate_id", "utility", "repeat_index"]
        rows = self._read("ratings", columns, ["annotator_id", "prompt_id", "candidate_id"])
        for (annotator, _prompt), rated in groupby(self._counted(rows), _judge):
            for one, other in combinations(rated, 2):
                if one["utility"] == other["utility"]:
                    self.left_out["ties"] += 1
                elif one["utility"] > other["utility"]:
                    yield self._pair(annotator, one["candidate_id"], other["candidate_id"])
                else:
                    yield self._pair(annotator, other["candidate_id"], one["candidate_id"])

    def _counted(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            if row["repeat_index"]:
                self.left_out["repeats"] += 1
            elif row["utility"] is None:
                self.left_out["missing"] += 1
            else:
                yield row

    def _read(self, table: str, columns: list[str], order: list[str]) -> Iterator[dict[str, Any]]:
        found = rows_of(self.content, table, self.criterion, columns)
        for batch in found.sort_by([(name, "ascending") for name in order]).to_batches(5000):
            yield from batch.to_pylist()

    def _pair(self, annotator_id: str, chosen: str, rejected: str) -> Pair:
        won, lost = self.content.candidates[chosen], self.content.candidates[rejected]
        first, second = sorted((won, lost), key=lambda candidate: candidate.order)
        annotator = self.content.annotators[annotator_id]
        return Pair(annotator, self.content.prompts[won.prompt_id], first, second, won is first)


def rows_of(content: Content, table: str, criterion: str, columns: list[str]) -> pa.Table:
    """The table's rows of one criterion."""
    read = content.folder.table(table, ["criterion", *columns])
    return read.filter(pc.equal(read["criterion"], criterion)).drop_columns(["criterion"])


def check_criterion(content: Content, criterion: str | None) -> None:
    """Raises CannotExport where the release has no such criterion."""
    if criterion is not None and criterion not in content.criteria:
        known = ", ".join(content.criteria)
        raise CannotExport(f'there is no criterion "{criterion}"; the release has: {known}')


def _judge(row: dict[str, Any]) -> tuple[str, str]:
    return row["annotator_id"], row["prompt_id"]


def _find_source(content: Content, criterion: str | None) -> tuple[str, str]:
    """The criterion to take preferences from, and the table: choices go before ratings."""
    check_criterion(content, criterion)
    wanted = [criterion] if criterion else list(content.criteria)
    chosen = content.folder.table("choices", ["criterion"])["criterion"].unique().to_pylist()
    ratings = content.folder.table("ratings", ["criterion", "utility"])
    rated = ratings.filter(pc.is_valid(ratings["utility"]))["criterion"].unique().to_pylist()
    for source, criteria in (("choices", chosen), ("ratings", rated)):
        for name in wanted:
            if name in criteria:
                return name, source
    kinds = ", ".join(f"{name} is {content.criteria[name]['kind']}" for name in wanted) or "there are none"
    raise CannotExport(f"needs {NEEDS}; {kinds}")
