"""Which run of a queue a worker takes its next batch from, and what counts as a campaign's share.

The highest priority first. Among equals, for up to STAY, the runs of the model that this process holds in
memory, because loading another takes longer than many batches. Then the campaign that asked for the fewest
tokens in the current share window, so that a hundred thousand candidates do not hold up twenty; then
whoever waits longest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import BooleanField, Case, F, Max, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from collector.models import GenerationRun

SHARE_WINDOW = timedelta(minutes=5)
STAY = timedelta(seconds=60)

State = GenerationRun.State


@dataclass(frozen=True)
class Loaded:
    """The model that a process holds in memory, and until when it prefers runs of it."""

    provider: str
    model: str
    until: datetime


def next_run(queue: str, now: datetime, loaded: Loaded | None = None) -> GenerationRun | None:
    """The run of the queue whose turn it is, with its generator and campaign; None where none has work."""
    siblings = GenerationRun.objects.filter(
        generator__campaign=OuterRef("generator__campaign"), generator__queue=queue
    ).order_by()
    by_campaign = siblings.values("generator__campaign")
    lately = by_campaign.filter(served_at__gte=window_start(now))
    return (
        GenerationRun.objects.with_work(now)
        .filter(generator__queue=queue)
        .annotate(
            is_loaded=_is_loaded(loaded, now),
            share=Coalesce(Subquery(lately.annotate(n=Sum("served_tokens")).values("n")), Value(0)),
            waited_since=Subquery(by_campaign.annotate(last=Max("served_at")).values("last")),
        )
        .select_related("generator__campaign")
        .order_by(
            "-priority",
            "-is_loaded",
            "share",
            F("waited_since").asc(nulls_first=True),
            F("served_at").asc(nulls_first=True),
            "pk",
        )
        .first()
    )


def stay_with(run: GenerationRun, loaded: Loaded | None, now: datetime) -> Loaded:
    """What the process holds once it works on the run: the time for staying starts anew where it ran out."""
    provider, model = run.generator.provider, run.generator.model
    if loaded and (loaded.provider, loaded.model) == (provider, model) and now < loaded.until:
        return loaded
    return Loaded(provider, model, now + STAY)


def charge(run: GenerationRun, candidates: int, now: datetime) -> None:
    """Counts a batch towards its campaign's share, as the tokens it may take; a queued run is now running."""
    tokens = candidates * run.generator.max_new_tokens
    GenerationRun.objects.filter(pk=run.pk).update(
        served_tokens=Case(
            When(served_at__gte=window_start(now), then=F("served_tokens") + tokens), default=Value(tokens)
        ),
        served_at=now,
        state=Case(When(state=State.QUEUED, then=Value(State.RUNNING)), default=F("state")),
        started_at=Coalesce("started_at", Value(now)),
    )


def window_start(now: datetime) -> datetime:
    """The last multiple of SHARE_WINDOW: all campaigns start anew there, whoever had much or little."""
    seconds = SHARE_WINDOW.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def _is_loaded(loaded: Loaded | None, now: datetime) -> Case | Value:
    if loaded is None or now >= loaded.until:
        return Value(False)
    same = Q(generator__provider=loaded.provider, generator__model=loaded.model)
    return Case(When(same, then=Value(True)), default=Value(False), output_field=BooleanField())
