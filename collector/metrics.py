"""Gauges for Prometheus: what the database says of the collector, and the text format they are printed in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django.utils.module_loading import import_string

from collector.models import Campaign, Candidate, GenerationRun, WorkerHeartbeat
from collector.queues import active_queues, stranded_queues


@dataclass(frozen=True)
class Metric:
    """One gauge: its name, its meaning, and a value for each set of labels."""

    name: str
    meaning: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def all_metrics() -> Iterator[Metric]:
    """The metrics of every source named in METRIC_SOURCES."""
    for source in settings.METRIC_SOURCES:
        yield from import_string(source)()


def collector_metrics() -> Iterator[Metric]:
    yield _by_state("empanel_campaigns", "Campaigns by state.", Campaign)
    yield _by_state("empanel_candidates", "Candidates by state.", Candidate)
    yield _by_state("empanel_generation_runs", "Generation runs by state.", GenerationRun)
    now = timezone.now()
    stranded = stranded_queues(now)
    yield Metric(
        "empanel_queue_without_worker",
        "Queues with candidates to generate: 1 where no live worker takes them.",
        [({"queue": queue}, float(queue in stranded)) for queue in active_queues()],
    )
    yield Metric(
        "empanel_worker_heartbeat_age_seconds",
        "Seconds since each worker was last seen.",
        [
            ({"worker": worker.name}, (now - worker.seen_at).total_seconds())
            for worker in WorkerHeartbeat.objects.order_by("name")
        ],
    )


def to_prometheus(metrics: Iterable[Metric]) -> str:
    """The metrics in Prometheus' text format, version 0.0.4.

    >>> print(to_prometheus([Metric("seats", "Seats.", [({"state": "held"}, 2.0)])]), end="")
    # HELP seats Seats.
    # TYPE seats gauge
    seats{state="held"} 2
    """
    return "".join(line + "\n" for metric in metrics for line in _lines(metric))


def _by_state(
    name: str, meaning: str, model: type[Campaign] | type[Candidate] | type[GenerationRun]
) -> Metric:
    counts = dict(model.objects.order_by().values_list("state").annotate(Count("pk")))
    return Metric(
        name, meaning, [({"state": str(state)}, counts.get(state, 0)) for state in model.State.values]
    )


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.meaning}"
    yield f"# TYPE {metric.name} gauge"
    for labels, value in metric.samples:
        inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
        yield f"{metric.name}{'{' + inside + '}' if inside else ''} {value:.12g}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
