"""Ratings and choices of a release as record batches, in the order of candidates, criteria and annotators."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations.models import Ballot, Choice, Rating, Seat
from annotations.statistics.utilities import to_utility
from collector.models import Criterion
from exports.batches import Batches, chunks, find_extras, from_rows
from exports.columns import CHOICES, RATINGS
from exports.loose_columns import LooseColumns
from exports.models import Release
from exports.privacy import Juror, Jurors, current_at

CHUNK = 500  # candidates or prompts whose ratings or choices are in memory at once


class Place(NamedTuple):
    """Where a candidate stands in the release's order."""

    order: int
    candidate_id: str
    prompt_id: str
    split: str


class _Read(NamedTuple):
    """The columns of a rating as read, in the order of `READ`."""

    annotator: int
    candidate: int
    criterion: int
    value: float | None
    missing: str
    position: int | None
    seconds: float | None
    extra: dict[str, Any]
    repeat_index: int
    is_surplus: bool
    submitted_at: datetime | None
    active_seconds: float | None
    page_seconds: float | None


READ = (
    "annotator_id", "candidate_id", "criterion_id", "value", "missing", "position", "seconds", "extra",
    "ballot__seat__repeat_index", "ballot__seat__is_surplus", "ballot__submitted_at",
    "ballot__active_seconds", "ballot__seconds",
)  # fmt: skip


class JudgedRows:
    """What the jurors of a release said about its candidates."""

    def __init__(
        self,
        release: Release,
        jurors: Jurors,
        prompts: dict[int, tuple[str, str]],
        candidates: dict[int, Place],
        criteria: Sequence[Criterion],
    ) -> None:
        self.release = release
        self.people: dict[int, Juror] = jurors.by_key
        self.shows_extras = jurors.shows_extras
        self.prompts = prompts
        self.candidates = candidates
        self.criteria = {criterion.pk: criterion for criterion in criteria}
        self.order = {key: position for position, key in enumerate(self.criteria)}

    def ratings(self) -> Batches:
        counted = Rating.objects.filter(self._counted(), annotator__campaign=self.release.campaign)
        loose = self._extras(counted)
        schema = RATINGS.schema(loose.fields)
        return Batches(RATINGS, schema, (self._rating_batch(rows, schema, loose) for rows in self._read()))

    def choices(self) -> Batches:
        counted = Choice.objects.filter(self._counted(), annotator__campaign=self.release.campaign)
        loose = self._extras(counted)
        parts = (self._choice_rows(chunk, loose) for chunk in chunks(self.prompts, CHUNK))
        return from_rows(CHOICES, loose, (part for part in parts if part))

    def _extras(self, counted: QuerySet[Any]) -> LooseColumns:
        return find_extras(counted) if self.shows_extras else LooseColumns(())

    def _counted(self) -> Q:
        """Rows of ballots that counted at the cutoff: of a seat's ballots, the last one until then."""
        later = Ballot.objects.filter(
            seat=OuterRef("ballot__seat"),
            revision__gt=OuterRef("ballot__revision"),
            submitted_at__lte=self.release.cutoff,
        )
        return (
            current_at(self.release, "ballot__") & ~Exists(later) & Q(ballot__seat__state=Seat.State.FILLED)
        )

    def _read(self) -> Iterator[list[_Read]]:
        ratings = Rating.objects.filter(self._counted()).order_by().values_list(*READ)
        for chunk in chunks(self.candidates, CHUNK):
            found = map(_Read._make, ratings.filter(candidate_id__in=chunk).iterator(chunk_size=5000))
            rows = sorted((row for row in found if row.annotator in self.people), key=self._place)
            if rows:
                yield rows

    def _place(self, row: _Read) -> tuple[int, int, str, int]:
        juror = self.people[row.annotator]
        order = self.candidates[row.candidate].order
        return order, self.order[row.criterion], juror.annotator_id, row.repeat_index

    def _rating_batch(self, rows: list[_Read], schema: pa.Schema, loose: LooseColumns) -> pa.RecordBatch:
        people = [self.people[row.annotator] for row in rows]
        places = [self.candidates[row.candidate] for row in rows]
        criteria = [self.criteria[row.criterion] for row in rows]
        columns: dict[str, Any] = {
            "annotator_id": [juror.annotator_id for juror in people],
            "candidate_id": [place.candidate_id for place in places],
            "criterion": [criterion.name for criterion in criteria],
            "value": [row.value for row in rows],
            "label": [_label(criterion, row.value) for criterion, row in zip(criteria, rows, strict=True)],
            "missing": [row.missing or None for row in rows],
            "position": [row.position for row in rows],
            "seconds": [_seconds(row) for row in rows],
            "repeat_index": [row.repeat_index for row in rows],
            "submitted_on": [_day(row.submitted_at) for row in rows],
            "surplus": [row.is_surplus for row in rows],
            "prompt_id": [place.prompt_id for place in places],
            "utility": _utilities(criteria, [row.value for row in rows]),
            "stratum": [juror.stratum for juror in people],
            "split": [place.split for place in places],
        }
        extra = [loose.cells(row.extra) for row in rows] if loose.fields else []
        columns |= {field.name: [cells[field.name] for cells in extra] for field in loose.fields}
        arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in schema]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _choice_rows(self, prompts: list[int], loose: LooseColumns) -> list[dict[str, Any]]:
        choices = Choice.objects.filter(self._counted(), prompt_id__in=prompts)
        kept = [
            choice
            for choice in choices.select_related("ballot__seat")
            if choice.annotator_id in self.people
            and choice.chosen_id in self.candidates
            and choice.rejected_id in self.candidates
        ]
        kept.sort(key=lambda choice: (prompts.index(choice.prompt_id), *self._choice_place(choice)))
        return [self._choice_row(choice) | loose.cells(choice.extra) for choice in kept]

    def _choice_place(self, choice: Choice) -> tuple[int, str, int, int, int]:
        return (
            self.order[choice.criterion_id],
            self.people[choice.annotator_id].annotator_id,
            choice.ballot.seat.repeat_index,
            self.candidates[choice.chosen_id].order,
            self.candidates[choice.rejected_id].order,
        )

    def _choice_row(self, choice: Choice) -> dict[str, Any]:
        juror = self.people[choice.annotator_id]
        prompt_id, split = self.prompts[choice.prompt_id]
        return {
            "annotator_id": juror.annotator_id,
            "prompt_id": prompt_id,
            "criterion": self.criteria[choice.criterion_id].name,
            "chosen": self.candidates[choice.chosen_id].candidate_id,
            "rejected": self.candidates[choice.rejected_id].candidate_id,
            "strength": choice.strength,
            "tie": choice.tie,
            "repeat_index": choice.ballot.seat.repeat_index,
            "submitted_on": _day(choice.ballot.submitted_at),
            "stratum": juror.stratum,
            "split": split,
        }


def _day(moment: datetime | None) -> date | None:
    """Dates, never times: the minute of an answer tells people apart."""
    return moment.astimezone(UTC).date() if moment else None


def _seconds(row: _Read) -> float | None:
    """The answer's own time, else the page's: its active seconds, else all of them, to a tenth."""
    if row.seconds is not None:
        return row.seconds
    page = row.active_seconds if row.active_seconds is not None else row.page_seconds
    return None if page is None else round(page, 1)


def _label(criterion: Criterion, value: float | None) -> str | None:
    if value is None or not criterion.categories or not value.is_integer():
        return None
    return criterion.categories[int(value)] if 0 <= value < len(criterion.categories) else None


def _utilities(criteria: list[Criterion], values: list[float | None]) -> np.ndarray[Any, Any]:
    """Utilities on the declared scales, NaN where there is no value, no scale, or a value beyond it."""
    numbers = np.array(values, dtype=np.float64)
    utilities = np.full(numbers.shape, np.nan)
    keys = np.array([criterion.pk for criterion in criteria])
    for criterion in {criterion.pk: criterion for criterion in criteria}.values():
        if criterion.bounds is None:
            continue
        low, high = criterion.bounds
        rows = (keys == criterion.pk) & (numbers >= low) & (numbers <= high)
        utilities[rows] = to_utility(numbers[rows], low, high, criterion.higher_is_better)
    return utilities
