"""simulate SLUG --annotators N: lets simulated annotators rate, so that juries can be seen to fill."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from annotations.enrolment import Refused
from annotations.simulation import simulate
from collector.models import Campaign


class Command(BaseCommand):
    help = "Let simulated annotators take part; they are labelled so, and left out of published releases."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--annotators", type=int, required=True)
        parser.add_argument("--seed", type=int, default=0, help="The same seed means the same annotators.")

    def handle(self, *args: Any, slug: str, annotators: int, seed: int, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=slug).first()
        if campaign is None:
            raise CommandError(f"there is no campaign {slug!r}")
        if annotators < 1:
            raise CommandError("--annotators must be at least 1")
        try:
            summary = simulate(campaign, annotators, seed=seed, now=timezone.now(), report=self._report)
        except Refused as error:
            raise CommandError(f"{slug} is {campaign.state}, not open") from error
        self.stdout.write(
            f"{summary.annotators} simulated annotators gave {summary.ballots} ballots; "
            f"{summary.left} seats are open"
        )

    def _report(self, ballots: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{ballots} ballots", ending="")
            self.stdout.flush()
