"""How far a campaign is, in a number of queries that does not grow with it."""

from datetime import datetime
from math import ceil
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery
from django.utils.functional import Promise

from annotations.models import Annotator, Consent, Quota, Seat
from annotations.progress import seats_by_stratum
from collector.heartbeat import workers_alive
from collector.models import Campaign, Candidate, GenerationRun, WorkerHeartbeat
from collector.plan_size import count_unplanned

COLOURS = 8
WORK_QUEUE, GENERATION_QUEUE = "empanel", "generation"


class GeneratorRow(NamedTuple):
    name: str
    model: str
    colour: int
    done: int
    failed: int
    left: int
    total: int
    error: str
    comparing: int  # done, but further ones may follow once it is known which are distinct


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
    generators = generator_rows(campaign)
    candidates = _sum(generators, "done", "failed", "left", "total")
    strata = stratum_rows(campaign)
    return {
        "worker": _worker(campaign, candidates["left"], now),
        "generators": generators,
        "candidates": candidates,
        "is_generating": _is_generating(campaign),
        "strata": strata,
        "seats": _sum(strata, "filled", "held", "open", "total"),
        "juries": _juries(campaign),
        "people": _people(campaign),
        "sources": source_rows(campaign),
    }


def generator_rows(campaign: Campaign) -> list[GeneratorRow]:
    """Each generator's candidates: what is left counts prompts it has not even been planned for."""
    unplanned = count_unplanned(campaign)
    failures = Candidate.objects.filter(generator=OuterRef("pk"), state=Candidate.State.FAILED)
    generators = campaign.generators.annotate(
        done=Count("candidates", filter=Q(candidates__state=Candidate.State.DONE)),
        failed=Count("candidates", filter=Q(candidates__state=Candidate.State.FAILED)),
        planned=Count("candidates", filter=Q(candidates__state=Candidate.State.PLANNED)),
        error=Subquery(failures.order_by("-pk").values("error")[:1]),
    ).order_by("pk")
    asked_for_distinct = campaign.candidates.unmarked().filter(generator__distinct_samples__isnull=False)
    comparing = dict(asked_for_distinct.order_by().values_list("generator").annotate(Count("pk")))
    rows = []
    for index, generator in enumerate(generators):
        left = generator.planned + unplanned[generator.pk]
        rows.append(
            GeneratorRow(
                name=generator.name,
                model=generator.model,
                colour=_colour(index),
                done=generator.done,
                failed=generator.failed,
                left=left,
                total=generator.done + generator.failed + left,
                error=(generator.error or "")[:200],
                comparing=comparing.get(generator.pk, 0),
            )
        )
    return rows


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
    filled = Seat.objects.filter(campaign=campaign, state=Seat.State.FILLED).order_by()
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
    filled = Seat.objects.filter(annotator=OuterRef("pk"), state=Seat.State.FILLED)
    annotators = Annotator.objects.filter(campaign=campaign).order_by()
    return annotators.aggregate(
        joined=Count("pk"),
        consented=Count("pk", filter=Exists(Consent.objects.filter(annotator=OuterRef("pk")))),
        rating=Count("pk", filter=Exists(filled)),
        done=Count("pk", filter=Q(state=Annotator.State.DONE)),
        withdrawn=Count("pk", filter=Q(state=Annotator.State.WITHDRAWN)),
        simulated=Count("pk", filter=Q(source=Annotator.Source.SIMULATED)),
    )


def _is_generating(campaign: Campaign) -> bool:
    active = GenerationRun.objects.filter(generator__campaign=campaign, state__in=GenerationRun.ACTIVE)
    return active.exists()


def _worker(campaign: Campaign, candidates_left: int, now: datetime) -> dict[str, Any]:
    """Whether the workers are alive that this campaign waits for."""
    queues = [GENERATION_QUEUE] if candidates_left else []
    queues += [WORK_QUEUE] if campaign.is_open else []
    return {
        "alive": all(workers_alive(queue, now) for queue in queues),
        "is_needed": bool(queues),
        "last_seen": WorkerHeartbeat.objects.aggregate(last=Max("seen_at"))["last"],
    }


def _sum(rows: list[Any], *fields: str) -> dict[str, int]:
    return {field: sum(getattr(row, field) for row in rows) for field in fields}


def _colour(index: int) -> int:
    return index % COLOURS + 1
