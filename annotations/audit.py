"""Checking what must always be true of juries, row by row, in the database."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from annotations.assignment import ACTIVE, MAX_HELD
from annotations.models import Annotator, Ballot, Choice, Quota, Rating, Seat
from collector.models import Campaign, Prompt

State = Seat.State


class Violation(NamedTuple):
    rule: str
    what: str


def audit_juries(campaign: Campaign) -> list[Violation]:
    """Every row that breaks a rule of the jury; empty when all is well.

    I1 no place is given twice. I2 nobody sits twice, but for marked repeats of what they rated. I3 a seat is
    filled exactly when its ballot is there. I4 counts equal rows. I7 nobody holds more seats than allowed.
    I8 everybody sits in their own stratum or among anyone. I9 each ballot is there once and whole.
    """
    seats = Seat.objects.filter(campaign=campaign)
    checks = [
        *_overbooked(campaign),
        *_sitting_twice(seats),
        *_repeating_nothing(seats),
        *_filled_without_ballot(seats),
        *_miscounted(campaign),
        *_outside_quotas(campaign, seats),
        *_holding_too_many(seats),
        *_in_wrong_stratum(seats),
        *_ballots_not_current(campaign),
        *_ratings_astray(campaign),
    ]
    return [Violation(rule, what) for rule, what in checks]


Found = Iterator[tuple[str, str]]


def _overbooked(campaign: Campaign) -> Found:
    wrong = Quota.objects.filter(campaign=campaign).filter(
        Q(taken__gt=F("seats")) | Q(filled__gt=F("taken")) | Q(filled__lt=0)
    )
    for quota in wrong:
        yield "I1", f"quota {quota}, {quota.filled} filled"


def _sitting_twice(seats: QuerySet[Seat]) -> Found:
    doubles = (
        seats.filter(state__in=ACTIVE)
        .order_by()
        .values("annotator", "prompt", "repeat_index")
        .annotate(rows=Count("pk"))
        .filter(rows__gt=1)
    )
    for double in doubles:
        yield (
            "I2",
            f"annotator {double['annotator']} sits {double['rows']} times on prompt {double['prompt']}",
        )


def _repeating_nothing(seats: QuerySet[Seat]) -> Found:
    """Imported seats may be a later time whose first is not in the data."""
    first = Seat.objects.filter(
        annotator=OuterRef("annotator"), prompt=OuterRef("prompt"), repeat_index=0, state=State.FILLED
    )
    repeats = seats.filter(~Exists(first), repeat_index__gt=0, state__in=ACTIVE)
    for seat in repeats.exclude(campaign__is_imported=True):
        yield "I2", f"seat {seat.pk} ({seat}) repeats a prompt that was not rated"


def _filled_without_ballot(seats: QuerySet[Seat]) -> Found:
    current = Exists(Ballot.objects.filter(seat=OuterRef("pk"), is_current=True))
    for seat in seats.filter(Q(~current, state=State.FILLED) | Q(current, ~Q(state=State.FILLED))):
        yield "I3", f"seat {seat.pk} ({seat}) and its ballots do not agree"


def _miscounted(campaign: Campaign) -> Found:
    own = Seat.objects.filter(
        prompt=OuterRef("prompt"), stratum=OuterRef("stratum"), is_surplus=False, repeat_index=0
    ).order_by()
    counted = own.values("prompt")
    quotas = Quota.objects.filter(campaign=campaign).annotate(
        rows_taken=Coalesce(
            Subquery(counted.filter(state__in=ACTIVE).annotate(n=Count("pk")).values("n")), 0
        ),
        rows_filled=Coalesce(
            Subquery(counted.filter(state=State.FILLED).annotate(n=Count("pk")).values("n")), 0
        ),
    )
    for quota in quotas.exclude(taken=F("rows_taken"), filled=F("rows_filled")):
        yield (
            "I4",
            f"quota {quota}, {quota.filled} filled; seats: {quota.rows_taken}, {quota.rows_filled} filled",
        )


def _outside_quotas(campaign: Campaign, seats: QuerySet[Seat]) -> Found:
    """Imported seats may have no quota: their jury was made elsewhere."""
    if campaign.is_imported:
        return
    quotas = Quota.objects.filter(prompt=OuterRef("prompt"), stratum=OuterRef("stratum"))
    judged = seats.filter(purpose=Prompt.Purpose.JUDGED)
    for seat in judged.filter(~Exists(quotas), state__in=ACTIVE, is_surplus=False):
        yield "I4", f"seat {seat.pk} ({seat}) belongs to no quota"


def _holding_too_many(seats: QuerySet[Seat]) -> Found:
    held = seats.filter(state=State.HELD).order_by().values("annotator").annotate(rows=Count("pk"))
    for holder in held.filter(rows__gt=MAX_HELD):
        yield "I7", f"annotator {holder['annotator']} holds {holder['rows']} seats"


def _in_wrong_stratum(seats: QuerySet[Seat]) -> Found:
    judged = seats.filter(purpose=Prompt.Purpose.JUDGED)
    seated = judged.filter(state__in=ACTIVE, stratum__is_wildcard=False)
    misplaced = seated.filter(~Q(annotator__stratum=F("stratum")) | Q(annotator__stratum=None))
    for seat in misplaced.exclude(annotator__state=Annotator.State.WITHDRAWN):
        yield "I8", f"seat {seat.pk} ({seat}) is not in the annotator's stratum"


def _ballots_not_current(campaign: Campaign) -> Found:
    seats = (
        Ballot.objects.filter(seat__campaign=campaign)
        .order_by()
        .values("seat")
        .annotate(rows=Count("pk"), current=Count("pk", filter=Q(is_current=True)))
    )
    for seat in seats.exclude(current=1):
        yield "I9", f"seat {seat['seat']} has {seat['rows']} ballots, {seat['current']} of them current"


def _ratings_astray(campaign: Campaign) -> Found:
    ratings = Rating.objects.filter(ballot__seat__campaign=campaign)
    astray = ratings.exclude(
        annotator=F("ballot__seat__annotator"), candidate__prompt=F("ballot__seat__prompt")
    )
    for rating in astray:
        yield "I9", f"rating {rating.pk} is not of its ballot's annotator and prompt"
    said = (Rating.objects, Choice.objects)
    empty = Ballot.objects.filter(seat__campaign=campaign)
    for answers in said:
        empty = empty.filter(~Exists(answers.filter(ballot=OuterRef("pk"))))
    for ballot in empty:
        yield "I9", f"{ballot} says nothing"
