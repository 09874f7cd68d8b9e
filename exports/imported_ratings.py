"""Ratings and choices from a folder's tables: one seat and ballot per annotator, prompt and repeat."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext as _

from annotations.models import Ballot, Choice, Missing, Rating, Seat
from collector.models import Campaign, Criterion
from collector.rating_form import current_form
from collector.tabular import Problems
from exports.cells import parse_flag, parse_number
from exports.folder import Folder, Record
from exports.imported_jury import Seated
from exports.row_checks import MAX_SMALL, refuse_reference

BATCH = 5000
MISSING = tuple(Missing.values)
Sitting = tuple[int, int, int]  # annotator, prompt, repeat_index


class _Place(NamedTuple):
    """Where a row's seat is, and what a new one would be like."""

    sitting: Sitting
    stratum: int
    submitted_on: date | None
    is_surplus: bool


class _Rated(NamedTuple):
    """The columns of a rating besides its ballot and annotator."""

    candidate_id: int
    criterion_id: int
    value: float | None
    missing: str
    position: int | None
    seconds: float | None
    extra: str


@dataclass
class Ballots:
    """The ballots made so far, one per sitting, with their seats."""

    campaign: Campaign
    now: datetime

    def __post_init__(self) -> None:
        self.form = current_form(self.campaign)
        self.keys: dict[Sitting, int] = {}
        known = Ballot.objects.filter(seat__campaign=self.campaign).values_list(
            "pk", "seat__annotator", "seat__prompt", "seat__repeat_index"
        )
        self.keys = {(annotator, prompt, repeat): pk for pk, annotator, prompt, repeat in known.iterator()}

    def store(self, places: list[_Place]) -> None:
        """Make seat and ballot for every sitting that has none yet."""
        fresh: dict[Sitting, _Place] = {}
        for place in places:
            if place.sitting not in self.keys:
                fresh.setdefault(place.sitting, place)
        seats = Seat.objects.bulk_create(self._seat(place) for place in fresh.values())
        ballots = Ballot.objects.bulk_create(
            Ballot(seat=seat, form=self.form, submitted_at=seat.filled_at) for seat in seats
        )
        for seat, ballot in zip(seats, ballots, strict=True):
            self.keys[seat.annotator_id, seat.prompt_id, seat.repeat_index] = ballot.pk

    def _seat(self, place: _Place) -> Seat:
        day = place.submitted_on
        submitted_at = datetime.combine(day, time.min, UTC) if day else None
        return Seat(
            campaign=self.campaign,
            prompt_id=place.sitting[1],
            stratum_id=place.stratum,
            annotator_id=place.sitting[0],
            repeat_index=place.sitting[2],
            state=Seat.State.FILLED,
            is_surplus=place.is_surplus,
            held_at=submitted_at or self.now,
            held_until=submitted_at or self.now,
            filled_at=submitted_at,
        )


class References:
    """What rows may refer to, and the faults of those that do not."""

    def __init__(
        self,
        source: Folder,
        annotators: dict[str, Seated],
        candidates: dict[str, tuple[int, str]],
        prompts: dict[str, int],
        criteria: dict[str, Criterion],
        now: datetime,
    ) -> None:
        self.source = source
        self.problems: Problems = source.problems
        self.annotators = annotators
        self.candidates = candidates
        self.prompts = prompts
        self.criteria = criteria
        self.today = now.astimezone(UTC).date()

    def check(self, record: Record, candidate_columns: tuple[str, ...]) -> bool:
        before = self.problems.total
        values = record.values
        if values["annotator_id"] not in self.annotators:
            self._refuse(record, "annotator_id", "annotators")
        for column in candidate_columns:
            if values[column] not in self.candidates:
                self._refuse(record, column, "candidates")
            elif values.get("prompt_id") not in (None, self.candidates[values[column]][1]):
                said = _("is not the prompt of candidate %(id)s") % {"id": values[column]}
                self.problems.add(record.file, record.line, "prompt_id", said)
        if values["criterion"] not in self.criteria:
            self._refuse(record, "criterion", "criteria")
        for column, low in (("repeat_index", 0), ("position", 1), ("seconds", 0)):
            number = values.get(column)
            if number is not None and (number < low or (column != "seconds" and number > MAX_SMALL)):
                self.problems.add(record.file, record.line, column, _("is out of range"))
        day = values.get("submitted_on")
        if day is not None and day > self.today:
            self.problems.add(record.file, record.line, "submitted_on", _("is in the future"))
        return self.problems.total == before

    def place(self, record: Record, candidate: str) -> _Place:
        values = record.values
        annotator = self.annotators[values["annotator_id"]]
        prompt = self.prompts[self.candidates[candidate][1]]
        return _Place(
            (annotator.key, prompt, values.get("repeat_index") or 0),
            annotator.stratum,
            values.get("submitted_on"),
            bool(values.get("surplus")),
        )

    def _refuse(self, record: Record, column: str, table: str) -> None:
        refuse_reference(record, column, self.source.name_of(table), self.problems)


def import_ratings(source: Folder, ballots: Ballots, references: References) -> int:
    """Store the ratings a batch at a time; returns how many. Faults go to the folder's problems."""
    seen: set[tuple[int, int, int, int]] = set()
    total = 0

    def rows() -> Iterator[tuple[_Place, _Rated]]:
        for record in source.read("ratings"):
            if not references.check(record, ("candidate_id",)):
                continue
            place = references.place(record, record.values["candidate_id"])
            rated = _rated(record, references)
            key = (place.sitting[0], rated.candidate_id, rated.criterion_id, place.sitting[2])
            if key in seen:
                said = _("this annotator rated this candidate by this criterion already")
                source.problems.add(record.file, record.line, None, said)
                continue
            seen.add(key)
            yield place, rated

    stream = rows()
    while batch := list(islice(stream, BATCH)):
        if source.problems.total:
            continue  # nothing will be kept; the rest is read only for its faults
        ballots.store([place for place, _rated in batch])
        _insert((ballots.keys[place.sitting], place.sitting[0], *rated) for place, rated in batch)
        total += len(batch)
    return total


def import_choices(source: Folder, ballots: Ballots, references: References) -> int:
    """Store the choices a batch at a time; returns how many."""
    seen: set[tuple[Sitting, str, str, str]] = set()
    total = 0

    def rows() -> Iterator[tuple[_Place, Choice]]:
        for record in source.read("choices"):
            values = record.values
            if not references.check(record, ("chosen", "rejected")):
                continue
            place = references.place(record, values["chosen"])
            if values["chosen"] == values["rejected"]:
                source.problems.add(record.file, record.line, "rejected", _("is the candidate chosen"))
                continue
            key = (place.sitting, values["criterion"], values["chosen"], values["rejected"])
            if key in seen:
                source.problems.add(record.file, record.line, None, _("this choice is there twice"))
                continue
            seen.add(key)
            yield place, _choice(record, references, place)

    stream = rows()
    while batch := list(islice(stream, BATCH)):
        if source.problems.total:
            continue
        ballots.store([place for place, _choice in batch])
        for place, choice in batch:
            choice.ballot_id = ballots.keys[place.sitting]
        Choice.objects.bulk_create(choice for _place, choice in batch)
        total += len(batch)
    return total


def _insert(rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert ratings as plain tuples: as model objects they would take three times as long."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(name) for name in ("ballot_id", "annotator_id", *_Rated._fields))
    marks = ", ".join(["%s"] * (len(_Rated._fields) + 2))
    with connection.cursor() as cursor:
        # Names of our own table and columns, no text from outside.
        cursor.executemany(
            f"INSERT INTO {quote(Rating._meta.db_table)} ({columns}) VALUES ({marks})",  # noqa: S608
            list(rows),
        )


def _rated(record: Record, references: References) -> _Rated:
    values = record.values
    criterion = references.criteria[values["criterion"]]
    value, missing = None, values.get("missing") or ""
    try:
        value = _value(values, criterion)
    except ValueError as error:
        references.problems.add(record.file, record.line, "value", str(error))
    if missing and missing not in MISSING:
        said = _("is none of %(reasons)s") % {"reasons": ", ".join(MISSING)}
        references.problems.add(record.file, record.line, "missing", said)
    if missing and value is not None:
        references.problems.add(record.file, record.line, "missing", _("is given although there is a value"))
    return _Rated(
        candidate_id=references.candidates[values["candidate_id"]][0],
        criterion_id=criterion.pk,
        value=value,
        missing=missing or (Missing.NOT_REACHED.value if value is None else ""),
        position=values.get("position"),
        seconds=values.get("seconds"),
        extra=json.dumps(record.extra),
    )


def _value(values: dict[str, Any], criterion: Criterion) -> float | None:
    """The number, or the category's position; raises ValueError saying why it cannot be a rating."""
    given, label = values.get("value"), values.get("label")
    if criterion.kind not in Criterion.RATED:
        raise ValueError(
            _("cannot be a rating: %(name)s is asked as %(kind)s")
            % {
                "name": criterion.name,
                "kind": criterion.kind,
            }
        )
    if given is None and label is None:
        return None
    if criterion.kind == Criterion.Kind.CATEGORICAL:
        return _position(given, label, criterion.categories)
    if criterion.kind == Criterion.Kind.BINARY:
        return _yes_or_no(given if given is not None else label, criterion.categories)
    number = parse_number(given)
    low, high = criterion.bounds or (number, number)
    if not low <= number <= high:
        raise ValueError(
            _("%(value)s is outside %(low)s to %(high)s")
            % {
                "value": f"{number:g}",
                "low": f"{low:g}",
                "high": f"{high:g}",
            }
        )
    return number


def _position(given: object, label: str | None, categories: list[str]) -> float:
    # A label wins over a number that could be read as either; a release gives both.
    if label is None and isinstance(given, str) and given in categories:
        label = given
    if label is not None:
        if label not in categories:
            raise ValueError(_("%(label)s is none of the categories") % {"label": label})
        return float(categories.index(label))
    try:
        number = parse_number(given)
    except ValueError:
        raise ValueError(_("%(label)s is none of the categories") % {"label": given}) from None
    if number not in range(len(categories)):
        raise ValueError(_("%(value)s is no position of a category") % {"value": f"{number:g}"})
    return number


def _yes_or_no(given: object, categories: list[str]) -> float:
    if len(categories) == 2 and given in categories:
        return float(categories.index(str(given)))
    return float(parse_flag(given))


def _choice(record: Record, references: References, place: _Place) -> Choice:
    values = record.values
    return Choice(
        annotator_id=place.sitting[0],
        prompt_id=place.sitting[1],
        criterion=references.criteria[values["criterion"]],
        chosen_id=references.candidates[values["chosen"]][0],
        rejected_id=references.candidates[values["rejected"]][0],
        strength=values.get("strength"),
        tie=bool(values.get("tie")),
        extra=record.extra,
    )
