"""Sampling until enough candidates are distinct: what a generator with `distinct_samples` still owes.

A group is a generator's candidates for one prompt under one steering; `samples`, `distinct_samples` and
`max_samples` count within it. The database alone says where a group stands: no worker takes anything along.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from collector.celery import app
from collector.models import Campaign, Candidate, GenerationRun, Generator, Prompt
from collector.planning import Place, plan_places

# Where the manager names no most: so many times as many samples as distinct ones are asked for.
PATIENCE = 4
WAITING = Q(state=Candidate.State.PLANNED) | Q(state=Candidate.State.DONE, marked_at__isnull=True)


def awaits_marks(run: GenerationRun) -> bool:
    """Whether some of the run's candidates have still to be compared, to know how many are missing."""
    if run.generator.distinct_samples is None:
        return False
    return run.candidates.unmarked().exists()


def ask_for_marks(run: GenerationRun) -> bool:
    """Tells the workers if the run waits for nothing but marks; the sweep would find it too, later."""
    if not awaits_marks(run) or run.candidates.unfinished().exists():
        return False
    transaction.on_commit(lambda: app.send_task("collector.tasks.mark_candidates"), robust=True)
    return True


def plan_further_samples(candidates: QuerySet[Candidate]) -> int:
    """Plans more for every group among the candidates that has too few distinct; returns for how many groups.

    Groups with anything planned or uncompared wait. Indices go on where they were; seeds follow from names
    and index alone. Planning twice adds nothing.
    """
    short = [group for group in _groups(candidates) if _missing(group) > 0]
    prompts = Prompt.objects.only("pk", "external_id").in_bulk({group["prompt"] for group in short})
    places: dict[int, list[Place]] = defaultdict(list)
    for group in short:
        places[group["generator"]] += [
            Place(prompts[group["prompt"]], group["steering"], group["last"] + 1 + number)
            for number in range(_missing(group))
        ]
    for generator in Generator.objects.select_related("campaign").filter(pk__in=places).order_by("pk"):
        plan_places(generator, places[generator.pk])
    return len(short)


def _groups(candidates: QuerySet[Candidate]) -> Iterable[Mapping[str, Any]]:
    asked = candidates.filter(generator__distinct_samples__isnull=False)
    is_seen = Q(state=Candidate.State.DONE, left_out="")
    return (
        asked.exclude(campaign__state=Campaign.State.CLOSED)
        .order_by()
        .values("prompt", "generator", "steering", "generator__distinct_samples", "generator__max_samples")
        .annotate(
            sampled=Count("pk"),
            distinct=Count("pk", filter=is_seen),
            waiting=Count("pk", filter=WAITING),
            last=Max("sample_index"),
        )
        .filter(waiting=0)
        .order_by("prompt", "generator", "steering")
    )


def _missing(group: Mapping[str, Any]) -> int:
    wanted = group["generator__distinct_samples"]
    most = group["generator__max_samples"] or PATIENCE * wanted
    return int(min(wanted - group["distinct"], most - group["sampled"]))
