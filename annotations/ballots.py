"""From a page's answers to a stored ballot: checked, all or nothing, once however often it is sent."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotations.models import Annotator, Ballot, Missing, Quota, Rating, Seat
from collector.models import Campaign, Criterion, Prompt
from collector.rating_form import current_form

Key = tuple[int, str]  # a candidate's key and a criterion's name
Answer = float | Missing
Answers = Mapping[Key, Answer]


class InvalidAnswers(Exception):
    """Answers that cannot be stored; `fields` says for each (candidate, criterion) why not."""

    def __init__(self, fields: Mapping[Key, str | Promise]) -> None:
        super().__init__(
            "; ".join(f"{candidate}, {criterion}: {why}" for (candidate, criterion), why in fields.items())
        )
        self.fields = dict(fields)


class BallotRefused(Exception):
    """Whatever its answers, this ballot cannot be taken any more."""


class CampaignClosed(BallotRefused):
    """The campaign takes no more ballots."""


class SeatGone(BallotRefused):
    """The seat's annotator has withdrawn, or the seat has no ballot to revise."""


def submit_ballot(
    seat: Seat, answers: Answers, *, now: datetime, active_seconds: float | None = None
) -> Ballot:
    """Stores the seat's answers, all or none; a repeated submission returns the first one's ballot.

    A late ballot takes its place back if it is still free, and is kept as surplus if it is not. An optional
    question left empty is stored as declined. Raises InvalidAnswers, CampaignClosed or SeatGone and then
    leaves everything as it was.
    """
    with transaction.atomic():
        locked = _lock(seat)
        if first := locked.ballots.filter(is_current=True).first():
            return first
        _refuse_closed(locked.campaign)
        form = current_form(locked.campaign)
        ratings = list(_read_answers(locked, answers))
        _fill(locked, now)
        ballot = Ballot.objects.create(
            seat=locked,
            form=form,
            submitted_at=now,
            seconds=max((now - locked.held_at).total_seconds(), 0.0),
            active_seconds=_plausible(active_seconds),
        )
        _store(ballot, ratings)
    seat.state, seat.is_surplus, seat.filled_at = locked.state, locked.is_surplus, locked.filled_at
    return ballot


def revise_ballot(
    seat: Seat, answers: Answers, *, now: datetime, active_seconds: float | None = None
) -> Ballot:
    """A new revision of the seat's ballot; the earlier ones stay. The same answers again change nothing.

    Raises InvalidAnswers, CampaignClosed or SeatGone.
    """
    with transaction.atomic():
        locked = _lock(seat)
        current = locked.ballots.filter(is_current=True).first()
        if current is None:
            raise SeatGone
        _refuse_closed(locked.campaign)
        form = current_form(locked.campaign)
        ratings = list(_read_answers(locked, answers))
        if current.form_id == form.pk and _contents(current.ratings.all()) == _contents(ratings):
            return current
        Ballot.objects.filter(pk=current.pk).update(is_current=False)
        ballot = Ballot.objects.create(
            seat=locked,
            form=form,
            revision=current.revision + 1,
            submitted_at=now,
            active_seconds=_plausible(active_seconds),
        )
        _store(ballot, ratings)
    return ballot


def _lock(seat: Seat) -> Seat:
    """The seat as it is now, and nobody else changes it meanwhile; annotator first, as in a claim."""
    annotator = Annotator.objects.select_for_update(no_key=True).get(pk=seat.annotator_id)
    if annotator.is_withdrawn:
        raise SeatGone
    return (
        Seat.objects.select_for_update(no_key=True, of=("self",)).select_related("campaign").get(pk=seat.pk)
    )


def _refuse_closed(campaign: Campaign) -> None:
    if campaign.state not in (Campaign.State.OPEN, Campaign.State.PAUSED):
        raise CampaignClosed


def _read_answers(seat: Seat, answers: Answers) -> Iterator[Rating]:
    """A rating for every candidate and criterion, in the order shown; InvalidAnswers names every fault."""
    criteria = list(seat.campaign.criteria.filter(kind__in=Criterion.RATED))
    asked = {(candidate, criterion.name) for candidate in seat.candidate_order for criterion in criteria}
    faults: dict[Key, str | Promise] = {key: _("This was not asked.") for key in answers if key not in asked}
    ratings: list[Rating] = []
    for position, candidate in enumerate(seat.candidate_order, start=1):
        for criterion in criteria:
            answer = answers.get((candidate, criterion.name), Missing.DECLINED)
            if fault := _fault_of(criterion, answer):
                faults[candidate, criterion.name] = fault
                continue
            ratings.append(
                Rating(
                    annotator_id=seat.annotator_id,
                    candidate_id=candidate,
                    criterion=criterion,
                    value=None if isinstance(answer, Missing) else float(answer),
                    missing=answer if isinstance(answer, Missing) else "",
                    position=position,
                )
            )
    if faults:
        raise InvalidAnswers(faults)
    return iter(ratings)


def _fault_of(criterion: Criterion, answer: object) -> str | Promise | None:
    """Why the answer cannot be stored, or None when it can."""
    if isinstance(answer, Missing):
        return _("Please answer this.") if criterion.required else None
    if isinstance(answer, bool) or not isinstance(answer, int | float) or not math.isfinite(answer):
        return _("This is not a number.")
    low, high = criterion.bounds or (0.0, len(criterion.categories) - 1.0)
    if not low <= answer <= high:
        return _("This is outside the scale.")
    if criterion.kind != Criterion.Kind.SLIDER and (answer - low) % 1:
        return _("This is between two steps of the scale.")
    return None


def _fill(seat: Seat, now: datetime) -> None:
    """Seats the annotator for good: in the place they hold, one that is free again, or beside the quota."""
    if seat.state == Seat.State.FILLED or seat.void_reason == Seat.VoidReason.WITHDRAWN:
        raise SeatGone
    if (
        not seat.repeat_index and seat.purpose == Prompt.Purpose.JUDGED
    ):  # the others have no place of their own
        seat.is_surplus = not _count_as_filled(seat)
    seat.state, seat.void_reason, seat.filled_at = Seat.State.FILLED, "", now
    seat.save(update_fields=["state", "void_reason", "filled_at", "is_surplus"])


def _count_as_filled(seat: Seat) -> int:
    """Counts the place the seat holds, or takes one that is free; 0 where there is none."""
    quota = Quota.objects.filter(prompt=seat.prompt_id, stratum=seat.stratum_id)
    if seat.state == Seat.State.HELD:
        quota.update(filled=F("filled") + 1)
        return 1
    return quota.filter(taken__lt=F("seats")).update(taken=F("taken") + 1, filled=F("filled") + 1)


def _store(ballot: Ballot, ratings: list[Rating]) -> None:
    for rating in ratings:
        rating.ballot = ballot
    Rating.objects.bulk_create(ratings)


def _contents(ratings: Iterable[Rating]) -> dict[tuple[int, int], tuple[float | None, str]]:
    return {(rating.candidate_id, rating.criterion_id): (rating.value, rating.missing) for rating in ratings}


def _plausible(seconds: float | None) -> float | None:
    """A browser's own measure, which may be anything."""
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None
