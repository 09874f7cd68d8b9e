"""How far along a campaign and an annotator are."""

from statistics import median
from typing import NamedTuple, TypedDict

from django.db.models import Sum
from django.db.models.functions import Coalesce

from annotations.assignment import languages_of, open_places, wildcard_of
from annotations.models import Annotator, Ballot, Seat
from collector.models import Campaign, Prompt

COUNTED = 200  # places left are counted up to here: nobody needs the exact number beyond
RECENT = 20


class SeatCounts(TypedDict):
    label: str
    color: int  # which of the design's stratum colours, from 0
    seats: int
    held: int
    filled: int
    open: int


class AnnotatorProgress(NamedTuple):
    done: int
    left: int
    is_more_left: bool  # `left` was counted only so far
    minutes_left: int | None  # at the annotator's own pace; None before their first ballot

    @property
    def total(self) -> int:
        return self.done + self.left


def seats_by_stratum(campaign: Campaign) -> list[SeatCounts]:
    """Seats held, filled and open of each stratum, over all prompts, in the strata's order."""
    strata = campaign.strata_cells.annotate(
        total=Coalesce(Sum("quotas__seats"), 0),
        taken=Coalesce(Sum("quotas__taken"), 0),
        filled=Coalesce(Sum("quotas__filled"), 0),
    )
    return [
        SeatCounts(
            label=stratum.label,
            color=color,
            seats=stratum.total,
            held=stratum.taken - stratum.filled,
            filled=stratum.filled,
            open=stratum.total - stratum.taken,
        )
        for color, stratum in enumerate(strata)
    ]


def seat_totals(counts: list[SeatCounts]) -> dict[str, int]:
    """The same over all strata: seats, held, filled, open."""
    return {
        "seats": sum(row["seats"] for row in counts),
        "held": sum(row["held"] for row in counts),
        "filled": sum(row["filled"] for row in counts),
        "open": sum(row["open"] for row in counts),
    }


def annotator_progress(annotator: Annotator) -> AnnotatorProgress:
    """What the annotator has done, and what is left for them as things stand; the seat they hold is left."""
    judged = annotator.seats.filter(purpose=Prompt.Purpose.JUDGED)
    states = list(judged.exclude(state=Seat.State.VOID).values_list("state", flat=True))
    done = states.count(Seat.State.FILLED)
    held = len(states) - done
    strata = [pk for pk in (annotator.stratum_id, wildcard_of(annotator.campaign_id)) if pk]
    places = open_places(annotator, strata, languages_of(annotator)).order_by().values("prompt").distinct()
    left = held + places[: COUNTED + 1].count()
    if (most := annotator.campaign.max_seats_per_annotator) is not None:
        left = min(left, max(most - done, held))
    is_more_left = left > COUNTED
    left = min(left, COUNTED)
    pace = _seconds_per_seat(annotator)
    return AnnotatorProgress(done, left, is_more_left, None if pace is None else round(left * pace / 60))


def _seconds_per_seat(annotator: Annotator) -> float | None:
    """The median of the latest ballots: one long break does not count."""
    latest = Ballot.objects.filter(seat__annotator=annotator, revision=1, submitted_at__isnull=False)
    times = latest.order_by("-submitted_at").values_list(Coalesce("active_seconds", "seconds"), flat=True)[
        :RECENT
    ]
    known = [seconds for seconds in times if seconds is not None]
    return median(known) if known else None
