"""Annotators for tests of seats and ballots: placed in a stratum, and ready to rate."""

from datetime import UTC, datetime, timedelta
from typing import Any

from annotations.assignment import next_seats
from annotations.ballots import submit_ballot
from annotations.models import Annotator, Ballot, Seat
from collector.models import Campaign, Criterion

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_juror(campaign: Campaign, stratum: str = "", **fields: Any) -> Annotator:
    cell = campaign.strata_cells.get(label=stratum) if stratum else None
    return Annotator.objects.create(campaign=campaign, stratum=cell, **{"languages": ["en"]} | fields)


def answer_all(seat: Seat, *, share: float = 0.5) -> dict[tuple[int, str], float]:
    """Every criterion of every candidate answered at the same point of its scale."""
    criteria = Criterion.objects.filter(campaign=seat.campaign_id)
    return {
        (candidate, criterion.name): _point(criterion, share)
        for criterion in criteria
        for candidate in seat.candidate_order
    }


def sit_and_rate(annotator: Annotator, *, now: datetime = NOW, seconds: float = 60) -> Ballot:
    [seat] = next_seats(annotator, now=now - timedelta(seconds=seconds))
    return submit_ballot(seat, answer_all(seat), now=now)


def _point(criterion: Criterion, share: float) -> float:
    low, high = criterion.bounds or (0.0, len(criterion.categories) - 1.0)
    return float(round(low + share * (high - low)))
