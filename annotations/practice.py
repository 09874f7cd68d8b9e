"""Seats that no jury is made of: practice before the first one, and now and then a plain instruction."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotations.models import Annotator, Rating, Seat
from annotations.shuffle import shuffle_key
from collector.models import Candidate, Criterion, Prompt

Purpose = Prompt.Purpose
Expected = Mapping[str, float | list[float]]


class Compared(NamedTuple):
    """One answer beside the one that was expected of it."""

    criterion: Criterion
    value: float | None
    low: float
    high: float

    @property
    def is_met(self) -> bool:
        return self.value is not None and self.low <= self.value <= self.high


def next_practice(
    annotator: Annotator, *, rated: int, asked: int, ever: int, languages: list[str]
) -> Seat | None:
    """The practice seat or attention item that is due, unsaved; None where none is.

    All practice comes before the first judged seat; an attention item whenever `attention_every` more are
    filled. `rated` counts filled judged seats, `asked` attention items so far, `ever` all seats.
    """
    every = annotator.campaign.attention_every
    if not rated:
        purpose = Purpose.TRAINING
    elif every and rated // every > asked:
        purpose = Purpose.ATTENTION
    else:
        return None
    prompt = _unseen(annotator, purpose, languages).first()
    if prompt is None:
        return None
    left = annotator.seats.filter(prompt=prompt, void_reason=Seat.VoidReason.EXPIRED).first()
    return left or Seat(
        campaign=annotator.campaign,
        prompt=prompt,
        purpose=purpose,
        annotator=annotator,
        stratum_id=annotator.stratum_id or _any_stratum(annotator),
        position=ever + 1,
        candidate_order=_candidates(annotator, prompt),
    )


def compare(seat: Seat) -> list[Compared]:
    """What the seat's current ballot says beside what its prompt expects, one row a rating."""
    expected: Expected = seat.prompt.expected
    ratings = Rating.objects.filter(
        ballot__seat=seat, ballot__is_current=True, criterion__name__in=list(expected)
    )
    return [
        Compared(rating.criterion, rating.value, *bounds_of(expected[rating.criterion.name]))
        for rating in ratings.select_related("criterion").order_by("position", "criterion__position")
    ]


def bounds_of(expected: float | list[float]) -> tuple[float, float]:
    """A single value stands for itself.

    >>> bounds_of(3), bounds_of([1, 2])
    ((3, 3), (1, 2))
    """
    if isinstance(expected, list):
        low, high = expected
        return low, high
    return expected, expected


def _unseen(annotator: Annotator, purpose: Purpose, languages: list[str]) -> QuerySet[Prompt]:
    done_with = Q(state__in=[Seat.State.HELD, Seat.State.FILLED]) | Q(void_reason=Seat.VoidReason.SKIPPED)
    seen = annotator.seats.filter(done_with, purpose=purpose).values("prompt")
    done = Candidate.objects.done().filter(prompt=OuterRef("pk"))
    prompts = annotator.campaign.prompts.filter(Exists(done), purpose=purpose, language__in=languages)
    return prompts.exclude(pk__in=seen).order_by("position", "pk")


def _any_stratum(annotator: Annotator) -> int:
    """A seat belongs to some stratum, though this one takes no place of it."""
    strata = annotator.campaign.strata_cells.order_by("-is_wildcard", "position")
    return strata.values_list("pk", flat=True)[0]


def _candidates(annotator: Annotator, prompt: Prompt) -> list[int]:
    done = Candidate.objects.done().filter(prompt=prompt).values_list("pk", flat=True)
    return sorted(done, key=lambda pk: shuffle_key(annotator.campaign.seed, annotator.pk, pk))
