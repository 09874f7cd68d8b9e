"""How far a campaign is, in a number of queries that does not grow with it."""

from datetime import datetime
from math import ceil
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.utils.functional import Promise

from annotations.models import Annotator, Consent, Quota, Seat
from annotations.progress import seats_by_stratum
from collector.models import Campaign, Prompt
from console.generation_progress import COLOURS, campaign_generation, worker_state


class StratumRow(NamedTuple):
    label: str
    colour: int
    filled: int
    held: int
    open: int
    total: int
    people_needed: int | None  # known only where there is a limit to what one person rates


class SourceRow(NamedTuple):
    label: str | Promise
    people: int
    is_simulated: bool


def campaign_progress(campaign: Campaign, now: datetime) -> dict[str, Any]:
    """What `console/_progress.html` shows."""
    generation = campaign_generation(campaign, now)
    strata = stratum_rows(campaign)
    return {
        "worker": worker_state(campaign, generation.generators, now),
        "generation": generation,
        "strata": strata,
        "seats": _sum(strata, "filled", "held", "open", "total"),
        "juries": _juries(campaign),
        "people": _people(campaign),
        "sources": source_rows(campaign),
    }


def stratum_rows(campaign: Campaign) -> list[StratumRow]:
    """Seats of each stratum over all prompts; an imported jury has only the seats its ratings fill."""
    if campaign.is_imported:
        return _imported_rows(campaign)
    at_least = _people_on_neediest_prompt(campaign) if campaign.max_seats_per_annotator else {}
    return [
        StratumRow(
            label=row["label"],
            colour=_colour(row["color"]),
            filled=row["filled"],
            held=row["held"],
            open=row["open"],
            total=row["seats"],
            people_needed=_people_needed(campaign, row["open"], at_least.get(row["label"], 0)),
        )
        for row in seats_by_stratum(campaign)
    ]


def source_rows(campaign: Campaign) -> list[SourceRow]:
    """How many people came from where, the simulated ones named as such."""
    counted = campaign.annotators.order_by().values("source").annotate(people=Count("pk"))
    people = {row["source"]: row["people"] for row in counted}
    return [
        SourceRow(source.label, people[source.value], source == Annotator.Source.SIMULATED)
        for source in Annotator.Source
        if source.value in people
    ]


def _imported_rows(campaign: Campaign) -> list[StratumRow]:
    filled = Seat.objects.filter(
        campaign=campaign, state=Seat.State.FILLED, purpose=Prompt.Purpose.JUDGED
    ).order_by()
    counted = filled.values("stratum__label", "stratum__position").annotate(seats=Count("pk"))
    rows = counted.order_by("stratum__position", "stratum__label")
    return [
        StratumRow(row["stratum__label"], _colour(index), row["seats"], 0, 0, row["seats"], None)
        for index, row in enumerate(rows)
    ]


def _people_needed(campaign: Campaign, open_seats: int, at_least: int) -> int | None:
    """How many more people could fill the open seats, were each to rate as much as they may."""
    most = campaign.max_seats_per_annotator
    return max(ceil(open_seats / most), at_least) if most else None


def _people_on_neediest_prompt(campaign: Campaign) -> dict[str, int]:
    """By stratum label: nobody sits twice on a jury, so its open seats take as many people."""
    needs = Quota.objects.filter(campaign=campaign).order_by().values("stratum__label")
    return {row["stratum__label"]: row["most"] for row in needs.annotate(most=Max("need"))}


def _juries(campaign: Campaign) -> dict[str, int]:
    juries = Quota.objects.filter(campaign=campaign).order_by().values("prompt")
    unfilled = juries.filter(filled__lt=F("seats")).distinct().count()
    total = juries.distinct().count()
    return {"full": total - unfilled, "total": total}


def _people(campaign: Campaign) -> dict[str, int]:
    filled = Seat.objects.filter(
        annotator=OuterRef("pk"), state=Seat.State.FILLED, purpose=Prompt.Purpose.JUDGED
    )
    annotators = Annotator.objects.filter(campaign=campaign).order_by()
    return annotators.aggregate(
        joined=Count("pk"),
        consented=Count("pk", filter=Exists(Consent.objects.filter(annotator=OuterRef("pk")))),
        rating=Count("pk", filter=Exists(filled)),
        done=Count("pk", filter=Q(state=Annotator.State.DONE)),
        withdrawn=Count("pk", filter=Q(state=Annotator.State.WITHDRAWN)),
        simulated=Count("pk", filter=Q(source=Annotator.Source.SIMULATED)),
    )


def _sum(rows: list[Any], *fields: str) -> dict[str, int]:
    return {field: sum(getattr(row, field) for row in rows) for field in fields}


def _colour(index: int) -> int:
    return index % COLOURS + 1
