"""Prompts that a person is asked a second time, at a distance: what test-retest agreement is measured by.

A repeat is a seat with `repeat_index` 1. It takes no place of a quota, and no statistic counts it twice.
"""

from annotations.models import Annotator, Seat
from annotations.shuffle import shuffle_key
from collector.models import Campaign, Prompt


def next_repeat(
    annotator: Annotator, campaign: Campaign, *, rated: int, asked: int, ever: int
) -> Seat | None:
    """The seat to sit on again, if one is due: a new one, unsaved, or the repeat this person let run out.

    `rated` counts filled seats without repeats, `asked` the repeats given so far, `ever` every seat of this
    person. One is due when, with it, repeats are at most `repeat_percent` of what was rated; at least
    `repeat_distance` seats lie between the two times.
    """
    left = annotator.seats.filter(repeat_index=1, void_reason=Seat.VoidReason.EXPIRED).first()
    if left:
        return left
    if (asked + 1) * 100 > rated * campaign.repeat_percent:
        return None
    again = annotator.seats.filter(repeat_index=1).values("prompt")
    filled = annotator.seats.filter(
        purpose=Prompt.Purpose.JUDGED, repeat_index=0, state=Seat.State.FILLED
    ).exclude(prompt__in=again)
    far = filled.filter(position__lte=ever - campaign.repeat_distance)
    first = min(
        far, key=lambda seat: shuffle_key(campaign.seed, "repeat", annotator.pk, seat.prompt_id), default=None
    )
    return _repeat(first, campaign, ever + 1) if first else None


def _repeat(first: Seat, campaign: Campaign, position: int) -> Seat:
    """The same candidates of the same prompt, in an order of its own."""

    def in_another_order(candidate: int) -> int:
        return shuffle_key(campaign.seed, "again", first.annotator_id, first.prompt_id, candidate)

    return Seat(
        campaign=campaign,
        prompt_id=first.prompt_id,
        stratum_id=first.stratum_id,
        annotator_id=first.annotator_id,
        repeat_index=1,
        position=position,
        candidate_order=sorted(first.candidate_order, key=in_another_order),
    )
