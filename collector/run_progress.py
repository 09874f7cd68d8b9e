"""How far generation is: counts, tokens a second, cost and the time left, whatever the number of candidates.

Everything is counted from indexes that hold the figures (`candidate_counts` and its like), without reading
any text: two queries for any number of runs or generators.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Sum

from collector.models import Candidate, GenerationRun

# Speed is that of the last minute.
LATELY = timedelta(minutes=1)

State = Candidate.State


@dataclass
class Progress:
    """Candidates by state, tokens generated, US dollars spent, and how fast it goes while it goes."""

    planned: int = 0
    done: int = 0
    failed: int = 0
    new_tokens: int = 0
    cost: float | None = None
    tokens_per_second: float | None = None
    candidates_per_second: float | None = None

    @property
    def total(self) -> int:
        return self.planned + self.done + self.failed

    @property
    def seconds_left(self) -> float | None:
        """At the speed of the last minute; None where nothing came in it."""
        return self.planned / self.candidates_per_second if self.candidates_per_second else None


def progress_by_generator(generator_ids: Collection[int], now: datetime) -> dict[int, Progress]:
    """The progress of each generator over all its runs; its speed where a run of it is active."""
    found = _counted("generator", generator_ids)
    active = GenerationRun.objects.active().filter(generator__in=generator_ids)
    _add_speed(found, {run.generator_id: run for run in active}, now)
    return found


def progress_by_run(runs: Iterable[GenerationRun], now: datetime) -> dict[int, Progress]:
    """The progress of each run. A candidate belongs to the run that last took it up."""
    runs = list(runs)
    found = _counted("run", [run.pk for run in runs])
    active = {run.generator_id: run for run in runs if run.state in GenerationRun.ACTIVE}
    speeds: dict[int, Progress] = defaultdict(Progress)
    _add_speed(speeds, active, now)
    for generator_id, run in active.items():
        speed = speeds[generator_id]
        found[run.pk].tokens_per_second = speed.tokens_per_second
        found[run.pk].candidates_per_second = speed.candidates_per_second
    return found


def sum_progress(parts: Iterable[Progress]) -> Progress:
    """All of them together, as one would wait for them."""
    whole = Progress()
    for part in parts:
        whole.planned += part.planned
        whole.done += part.done
        whole.failed += part.failed
        whole.new_tokens += part.new_tokens
        whole.cost = _plus(whole.cost, part.cost)
        whole.tokens_per_second = _plus(whole.tokens_per_second, part.tokens_per_second)
        whole.candidates_per_second = _plus(whole.candidates_per_second, part.candidates_per_second)
    return whole


def _counted(field: str, ids: Collection[int]) -> dict[int, Progress]:
    found: dict[int, Progress] = {pk: Progress() for pk in ids}
    candidates = Candidate.objects.filter(**{f"{field}__in": ids}).order_by()
    rows = candidates.values_list(field, "state").annotate(
        n=Count("*"), tokens=Sum("new_tokens"), dollars=Sum("cost")
    )
    for pk, state, n, tokens, dollars in rows:
        progress = found[pk]
        setattr(progress, state, n)
        progress.new_tokens += tokens or 0
        progress.cost = _plus(progress.cost, dollars)
    return found


def _add_speed(found: dict[int, Progress], active: dict[int, GenerationRun], now: datetime) -> None:
    lately = Candidate.objects.filter(generator__in=list(active), generated_at__gt=now - LATELY).order_by()
    rows: Any = lately.values_list("generator").annotate(n=Count("*"), tokens=Sum("new_tokens"))
    for generator_id, n, tokens in rows:
        began = active[generator_id].started_at or now
        # A run that has just begun is not slow.
        seconds = min(max((now - began).total_seconds(), 1.0), LATELY.total_seconds())
        found[generator_id].tokens_per_second = (tokens or 0) / seconds
        found[generator_id].candidates_per_second = n / seconds


def _plus(one: float | None, other: float | None) -> float | None:
    return other if one is None else one + (other or 0)
