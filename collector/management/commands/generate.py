"""`manage.py generate SLUG`: ask a campaign's generators for what it lacks, and steer the runs under way."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from collector.generation import finish_run, make_provider, start_generation, work_batch
from collector.lifecycle import WrongState
from collector.marking import mark_candidates
from collector.models import Campaign, Candidate, GenerationRun
from collector.planning import UnknownProvider
from collector.queues import stranded_queues
from collector.run_control import cancel_runs, pause_runs, resume_runs
from collector.run_progress import Progress, progress_by_run, sum_progress

POLL_SECONDS = 0.5
BAR_WIDTH = 30
# Workers that have just been started are not missing yet.
PATIENCE_SECONDS = 30.0


class Command(BaseCommand):
    help = "Asks the campaign's generators for the candidates it lacks; workers do the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--retry-failed", action="store_true", help="try failed candidates again")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--wait", action="store_true", help="wait for the workers, showing progress")
        how.add_argument("--inline", action="store_true", help="do the work in this process")
        how.add_argument("--pause", action="store_true", help="give the campaign's runs no further batches")
        how.add_argument("--resume", action="store_true", help="go on with its paused runs")
        how.add_argument("--cancel", action="store_true", help="end its runs; what is done stays")
        parser.add_argument("--priority", type=int, help="runs of a higher number go first; 0 by default")

    def handle(self, *, slug: str, pause: bool, resume: bool, cancel: bool, **options: Any) -> None:
        try:
            campaign = Campaign.objects.get(slug=slug)
            if pause or resume or cancel:
                self._steer(campaign, pause=pause, resume=resume)
            else:
                self._start(campaign, **options)
        except Campaign.DoesNotExist:
            raise CommandError(f'there is no campaign "{slug}"') from None
        except (UnknownProvider, WrongState) as error:
            raise CommandError(str(error)) from error

    def _steer(self, campaign: Campaign, *, pause: bool, resume: bool) -> None:
        runs, now = GenerationRun.objects.filter(generator__campaign=campaign), timezone.now()
        if pause:
            count, done = pause_runs(runs), "paused"
        elif resume:
            count, done = resume_runs(runs, now=now), "resumed"
        else:
            count, done = cancel_runs(runs, now=now), "cancelled"
        self.stdout.write(f"{campaign.slug}: {count} runs {done}.")

    def _start(
        self,
        campaign: Campaign,
        *,
        retry_failed: bool,
        wait: bool,
        inline: bool,
        priority: int | None,
        **_: Any,
    ) -> None:
        runs = start_generation(
            campaign,
            now=timezone.now(),
            retry_failed=retry_failed,
            priority=priority,
            publish=not inline,
        )
        if not runs:
            self.stdout.write(f"{campaign.slug}: no candidate is missing.")
            return
        planned = Candidate.objects.unfinished().filter(run__in=runs).count()
        self.stdout.write(f"{campaign.slug}: {planned} candidates to generate, {len(runs)} runs.")
        if paused := sum(run.state == GenerationRun.State.PAUSED for run in runs):
            self.stdout.write(f"{campaign.slug}: {paused} of them paused; --resume goes on with them.")
        progress = ProgressBar(self, runs)
        if inline:
            work_inline(campaign, [run for run in runs if run.state in GenerationRun.ACTIVE], progress)
        elif wait:
            wait_for_workers(runs, progress)
        if inline or wait:
            self._report_failures(runs)

    def _report_failures(self, runs: list[GenerationRun]) -> None:
        failed = Candidate.objects.filter(run__in=runs, state=Candidate.State.FAILED)
        if first := failed.order_by("prompt__position", "pk").first():
            raise CommandError(f"{failed.count()} candidates failed; {first.external_id}: {first.error}")


class ProgressBar:
    """A bar on a terminal, a line per tenth elsewhere."""

    def __init__(self, command: BaseCommand, runs: list[GenerationRun]) -> None:
        self._out, self._err = command.stdout, command.stderr
        self._runs = [run.pk for run in runs]
        self._shown = -1
        self._width = 0
        self._started = time.monotonic()

    def show(self) -> None:
        now = timezone.now()
        runs = GenerationRun.objects.filter(pk__in=self._runs)
        progress = sum_progress(progress_by_run(runs, now).values())
        over, total = progress.done + progress.failed, max(progress.total, 1)
        text = f"{over}/{progress.total} candidates, {self._in_words(progress)}"
        if self._out.isatty():
            filled = BAR_WIDTH * over // total
            line = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {text}"
            self._out.write(f"\r{line.ljust(self._width)}", ending="")
            self._width = len(line)
            self._out.flush()
        elif (tenth := 10 * over // total) != self._shown:
            self._shown = tenth
            self._out.write(text)
            self._out.flush()

    def warn(self, text: str) -> None:
        self._err.write(f"\n{text}" if self._out.isatty() else text)

    def close(self) -> None:
        self.show()
        if self._out.isatty():
            self._out.write("")

    def _in_words(self, progress: Progress) -> str:
        parts = [f"{progress.failed} failed", f"{time.monotonic() - self._started:.0f} s"]
        if progress.tokens_per_second:
            parts.append(f"{progress.tokens_per_second:.0f} tokens/s")
        if progress.seconds_left:
            parts.append(f"{progress.seconds_left:.0f} s left")
        if progress.cost is not None:
            parts.append(f"${progress.cost:.2f}")
        return ", ".join(parts)


def work_inline(campaign: Campaign, runs: list[GenerationRun], progress: ProgressBar) -> None:
    """One batch of each run in turn, so that the first prompts get all their candidates first."""
    providers = {run.pk: make_provider(run.generator) for run in runs}
    open_runs = list(runs)
    while open_runs:
        progress.show()
        worked = sum(work_batch(run, providers[run.pk], now=timezone.now()) for run in open_runs)
        open_runs = [run for run in open_runs if not finish_run(run, timezone.now())]
        # Somebody may have paused or cancelled one.
        active = set(GenerationRun.objects.active().filter(pk__in=[run.pk for run in open_runs]))
        open_runs = [run for run in open_runs if run in active]
        if open_runs and not worked and not mark_candidates(timezone.now(), campaign=campaign):
            time.sleep(POLL_SECONDS)  # the rest is in a worker's hands, or waits for its next try
    while mark_candidates(timezone.now(), campaign=campaign):
        pass
    progress.close()


def wait_for_workers(runs: list[GenerationRun], progress: ProgressBar) -> None:
    """Until no run is active; names the queues that no worker seems to serve."""
    active = GenerationRun.objects.active().filter(pk__in=[run.pk for run in runs])
    started, warned = time.monotonic(), False
    while active.exists():
        progress.show()
        if not warned and time.monotonic() - started > PATIENCE_SECONDS:
            warned = True
            for queue in stranded_queues(timezone.now()):
                progress.warn(f'no worker is taking tasks from the queue "{queue}": is one running?')
        time.sleep(POLL_SECONDS)
    progress.close()
