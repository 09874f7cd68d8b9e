"""Pausing, resuming, cancelling and retrying: what a manager may do to generation runs under way.

Each takes a query of runs, one or a whole campaign's, and moves those that are in a fitting state. A batch
that a worker holds is finished and stored whatever happens to its run. What a cancelled run left stays
planned, is worked on by nobody, and joins the generator's next run.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Case, Value, When
from django.utils.translation import gettext as _

from collector.generation import open_run, publish_runs
from collector.lifecycle import WrongState
from collector.models import Campaign, Candidate, GenerationRun, GenerationRunQuerySet, Generator

State = GenerationRun.State


def pause_runs(runs: GenerationRunQuerySet) -> int:
    """Active runs get no further batches; returns how many were paused."""
    return runs.active().update(state=State.PAUSED)


def resume_runs(runs: GenerationRunQuerySet, *, now: datetime) -> int:
    """Paused runs go on; returns how many. Raises WrongState where their campaign is closed."""
    paused = list(runs.filter(state=State.PAUSED).select_related("generator__campaign"))
    _refuse_closed([run.generator for run in paused])
    resumed = GenerationRun.objects.filter(pk__in=[run.pk for run in paused], state=State.PAUSED)
    count = resumed.update(
        state=Case(When(started_at=None, then=Value(State.QUEUED)), default=Value(State.RUNNING))
    )
    publish_runs(list(runs.filter(pk__in=[run.pk for run in paused]).select_related("generator")), now)
    return count


def cancel_runs(runs: GenerationRunQuerySet, *, now: datetime) -> int:
    """Runs that are not over end here, with what they have done; returns how many."""
    return runs.open().update(state=State.CANCELLED, finished_at=now)


def retry_runs(runs: GenerationRunQuerySet, *, now: datetime) -> list[GenerationRun]:
    """Plans the runs' failed candidates again; returns the runs, open or new, that they are in now.

    Raises WrongState where their campaign is closed.
    """
    failed = Candidate.objects.filter(run__in=runs.values("pk"), state=Candidate.State.FAILED)
    generators = list(
        Generator.objects.filter(pk__in=failed.order_by().values("generator"))
        .select_related("campaign")
        .order_by("pk")
    )
    _refuse_closed(generators)
    retried = []
    for generator in generators:
        with transaction.atomic():
            run = open_run(generator)
            failed.filter(generator=generator).update(
                run=run, state=Candidate.State.PLANNED, attempts=0, error=""
            )
        retried.append(run)
    publish_runs(retried, now)
    return retried


def _refuse_closed(generators: list[Generator]) -> None:
    if any(generator.campaign.state == Campaign.State.CLOSED for generator in generators):
        raise WrongState(_("This campaign is closed and takes no more candidates."))
