"""Add prompts, or ready-made candidates, from a file to a campaign."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from collector.candidate_intake import load_candidates
from collector.intake import load_prompts
from collector.lifecycle import WrongState
from collector.models import Campaign
from collector.tabular import IntakeError


class Command(BaseCommand):
    help = "Add prompts (or, with --candidates, ready-made candidates) from CSV, JSONL, JSON or Parquet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the campaign")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--candidates", action="store_true", help="the file holds candidates, not prompts"
        )
        parser.add_argument("--dry-run", action="store_true", help="check the file and store nothing")

    def handle(self, *, slug: str, file: Path, candidates: bool, dry_run: bool, **_options: Any) -> None:
        campaign = Campaign.objects.filter(slug=slug).first()
        if campaign is None:
            raise CommandError(f'there is no campaign "{slug}"')
        load = load_candidates if candidates else load_prompts
        try:
            intake = load(campaign, file, dry_run=dry_run)
        except (IntakeError, WrongState) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        what = "candidates" if candidates else "prompts"
        self.stdout.write(f"{intake.rows} {what} {'would be added' if dry_run else 'added'} to {slug}")
        for column, counts in intake.counts.items():
            if counts:
                shown = ", ".join(f"{value}: {count}" for value, count in counts.most_common(20))
                self.stdout.write(f"  {column}: {shown}")
