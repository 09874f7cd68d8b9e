"""How far a campaign's generators are, what their runs are doing, and which queues lack a worker."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Max, OuterRef, Subquery
from django.utils.translation import ngettext

from collector.heartbeat import live_queues
from collector.models import Campaign, Candidate, GenerationRun, Generator, WorkerHeartbeat
from collector.plan_size import count_unplanned
from collector.run_progress import Progress, progress_by_generator, sum_progress

COLOURS = 8
WORK_QUEUE = "empanel"
State = GenerationRun.State


class GeneratorRow(NamedTuple):
    name: str
    model: str
    queue: str
    colour: int
    state: str  # of the run that is not over; empty where there is none
    done: int
    failed: int
    left: int
    total: int
    error: str
    tokens_per_second: float | None
    time_left: str
    cost: float | None
    comparing: int  # done, but further ones may follow once it is known which are distinct


class Generation(NamedTuple):
    """All generators together, and what can be done with their runs."""

    generators: list[GeneratorRow]
    done: int
    failed: int
    left: int
    total: int
    tokens_per_second: float | None
    time_left: str
    cost: float | None

    @property
    def is_running(self) -> bool:
        return any(row.state in GenerationRun.ACTIVE for row in self.generators)

    @property
    def is_paused(self) -> bool:
        return any(row.state == State.PAUSED for row in self.generators)

    @property
    def is_over(self) -> bool:
        return not self.is_running and not self.is_paused


def campaign_generation(campaign: Campaign, now: datetime) -> Generation:
    """What is left counts prompts as well that a generator has not even been planned for."""
    generators = _generators(campaign)
    progress = progress_by_generator([generator.pk for generator in generators], now)
    unplanned = count_unplanned(campaign)
    comparing = _comparing([one.pk for one in generators if one.distinct_samples is not None])
    rows = [
        _row(index, one, progress[one.pk], unplanned[one.pk], comparing.get(one.pk, 0))
        for index, one in enumerate(generators)
    ]
    whole = sum_progress(progress.values())
    return Generation(
        generators=rows,
        done=whole.done,
        failed=whole.failed,
        left=sum(row.left for row in rows),
        total=sum(row.total for row in rows),
        tokens_per_second=whole.tokens_per_second,
        time_left=time_in_words(_seconds_left(whole, rows)),
        cost=whole.cost,
    )


def worker_state(campaign: Campaign, generators: Iterable[GeneratorRow], now: datetime) -> dict[str, Any]:
    """Whether every queue that the campaign waits for has a live worker, and which do not."""
    queues = {row.queue for row in generators if row.left and row.state != State.PAUSED}
    if campaign.is_open:
        queues.add(WORK_QUEUE)
    alive = live_queues(now)
    return {
        "missing": sorted(queues - alive),
        "any_alive": bool(alive),
        "last_seen": WorkerHeartbeat.objects.aggregate(last=Max("seen_at"))["last"],
    }


def time_in_words(seconds: float | None) -> str:
    """Such as "3 minutes"; empty where nobody knows."""
    if seconds is None:
        return ""
    if seconds < 90:
        return ngettext("%(n)s second", "%(n)s seconds", round(seconds)) % {"n": round(seconds)}
    minutes = round(seconds / 60)
    if minutes < 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def _generators(campaign: Campaign) -> list[Generator]:
    failures = Candidate.objects.filter(generator=OuterRef("pk"), state=Candidate.State.FAILED)
    runs = GenerationRun.objects.open().filter(generator=OuterRef("pk"))
    annotated = campaign.generators.annotate(
        error=Subquery(failures.order_by("-pk").values("error")[:1]),
        run_state=Subquery(runs.values("state")[:1]),
    )
    return list(annotated.order_by("pk"))


def _comparing(generator_ids: list[int]) -> dict[int, int]:
    unmarked = Candidate.objects.unmarked().filter(generator__in=generator_ids).order_by()
    return dict(unmarked.values_list("generator").annotate(n=Count("*")))


def _row(index: int, generator: Any, progress: Progress, unplanned: int, comparing: int) -> GeneratorRow:
    return GeneratorRow(
        name=generator.name,
        model=generator.model,
        queue=generator.queue,
        colour=index % COLOURS + 1,
        state=generator.run_state or "",
        done=progress.done,
        failed=progress.failed,
        left=progress.planned + unplanned,
        total=progress.total + unplanned,
        error=(generator.error or "")[:200],
        tokens_per_second=progress.tokens_per_second,
        time_left=time_in_words(progress.seconds_left),
        cost=progress.cost,
        comparing=comparing,
    )


def _seconds_left(whole: Progress, rows: list[GeneratorRow]) -> float | None:
    """Of the runs that are active: what is paused or not planned is not waited for."""
    if not whole.candidates_per_second:
        return None
    waited_for = sum(row.left for row in rows if row.state in GenerationRun.ACTIVE)
    return waited_for / whole.candidates_per_second
