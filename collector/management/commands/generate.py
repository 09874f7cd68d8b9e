"""`manage.py generate SLUG`: ask a campaign's generators for the candidates it lacks."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Q
from django.utils import timezone

from collector.generation import finish_run, make_provider, start_generation, work_batch
from collector.lifecycle import WrongState
from collector.marking import mark_candidates
from collector.models import Campaign, Candidate, GenerationRun, WorkerHeartbeat
from collector.planning import UnknownProvider

POLL_SECONDS = 0.5
BAR_WIDTH = 30
# A worker that has not been heard of for this long is taken to be stopped.
SILENCE = timedelta(seconds=60)


class Command(BaseCommand):
    help = "Asks the campaign's generators for the candidates it lacks; workers do the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--retry-failed", action="store_true", help="try failed candidates again")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--wait", action="store_true", help="wait for the workers, showing progress")
        how.add_argument("--inline", action="store_true", help="do the work in this process")

    def handle(self, *, slug: str, retry_failed: bool, wait: bool, inline: bool, **_: Any) -> None:
        try:
            campaign = Campaign.objects.get(slug=slug)
            runs = start_generation(
                campaign, now=timezone.now(), retry_failed=retry_failed, publish=not inline
            )
        except Campaign.DoesNotExist:
            raise CommandError(f'there is no campaign "{slug}"') from None
        except (UnknownProvider, WrongState) as error:
            raise CommandError(str(error)) from error
        if not runs:
            self.stdout.write(f"{slug}: no candidate is missing.")
            return
        planned = Candidate.objects.unfinished().filter(run__in=runs).count()
        self.stdout.write(f"{slug}: {planned} candidates to generate, {len(runs)} runs.")
        progress = Progress(self, runs)
        if inline:
            work_inline(runs, progress)
        elif wait:
            wait_for_workers(runs, progress)
        if inline or wait:
            self._report_failures(runs)

    def _report_failures(self, runs: list[GenerationRun]) -> None:
        failed = Candidate.objects.filter(run__in=runs, state=Candidate.State.FAILED)
        if first := failed.order_by("prompt__position", "pk").first():
            raise CommandError(f"{failed.count()} candidates failed; {first.external_id}: {first.error}")


class Progress:
    """A bar on a terminal, a line per tenth elsewhere."""

    def __init__(self, command: BaseCommand, runs: list[GenerationRun]) -> None:
        self._out, self._err = command.stdout, command.stderr
        self._candidates = Candidate.objects.filter(run__in=runs)
        self._shown = -1
        self._started = time.monotonic()

    def show(self) -> None:
        counts = self._candidates.aggregate(
            total=Count("pk"),
            over=Count("pk", filter=~Q(state=Candidate.State.PLANNED)),
            failed=Count("pk", filter=Q(state=Candidate.State.FAILED)),
        )
        total, over = counts["total"], counts["over"]
        filled = BAR_WIDTH * over // max(total, 1)
        text = (
            f"{over}/{total} candidates, {counts['failed']} failed, {time.monotonic() - self._started:.0f} s"
        )
        if self._out.isatty():
            self._out.write(f"\r[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {text}", ending="")
            self._out.flush()
        elif (tenth := 10 * over // max(total, 1)) != self._shown:
            self._shown = tenth
            self._out.write(text)
            self._out.flush()

    def warn(self, text: str) -> None:
        self._err.write(f"\n{text}" if self._out.isatty() else text)

    def close(self) -> None:
        self.show()
        if self._out.isatty():
            self._out.write("")


def work_inline(runs: list[GenerationRun], progress: Progress) -> None:
    """One batch of each run in turn, so that the first prompts get all their candidates first."""
    providers = {run.pk: make_provider(run.generator) for run in runs}
    open_runs = list(runs)
    campaign = runs[0].generator.campaign
    while open_runs:
        progress.show()
        worked = sum(work_batch(run, providers[run.pk], now=timezone.now()) for run in open_runs)
        open_runs = [run for run in open_runs if not finish_run(run, timezone.now())]
        if open_runs and not worked and not mark_candidates(timezone.now(), campaign=campaign):
            time.sleep(POLL_SECONDS)  # the rest is in a worker's hands, or waits for its next try
    while mark_candidates(timezone.now(), campaign=campaign):
        pass
    progress.close()


def wait_for_workers(runs: list[GenerationRun], progress: Progress) -> None:
    """Until no run is active; says so where no worker seems to be there to do it."""
    active = GenerationRun.objects.filter(pk__in=[run.pk for run in runs], state__in=GenerationRun.ACTIVE)
    warned = False
    while active.exists():
        progress.show()
        if not warned and not WorkerHeartbeat.objects.filter(seen_at__gte=timezone.now() - SILENCE).exists():
            warned = True
            progress.warn("no worker has been heard of for a minute: is one running?")
        time.sleep(POLL_SECONDS)
    progress.close()
