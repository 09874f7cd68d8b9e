"""manage.py cut_release SLUG --version X --out DIR: freeze a campaign as a release."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from collector.models import Campaign
from exports.columns import TABLES
from exports.releases import InvalidVersion, ReleaseChanged, copy_release, cut_release


class Command(BaseCommand):
    help = "Freeze a campaign as a release, and copy its files to a folder if one is given."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Without Django's own --version, which would shadow the release's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--version", required=True, dest="release_version", help="such as 1.0")
        parser.add_argument("--out", type=Path, help="a new or empty folder for a copy of the files")
        parser.add_argument(
            "--without-simulated", action="store_true", help="people only, as publishing demands"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=options["slug"]).first()
        if campaign is None:
            raise CommandError(_('There is no campaign "%(slug)s".') % {"slug": options["slug"]})
        out: Path | None = options["out"]
        if out and out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise CommandError(_("%(path)s exists and is not an empty folder.") % {"path": out})
        try:
            release = cut_release(
                campaign,
                options["release_version"],
                include_simulated=not options["without_simulated"],
                now=timezone.now(),
            )
            if out:
                copy_release(release, out)
        except (InvalidVersion, ReleaseChanged, FileExistsError) as error:
            raise CommandError(str(error)) from error
        rows = release.manifest["rows"]
        counts = ", ".join(f"{rows[table]:,} {table}" for table in TABLES)
        self.stdout.write(
            _("Release %(version)s: %(counts)s.") % {"version": release.version, "counts": counts}
        )
        if release.has_simulated:
            self.stdout.write(_("It contains simulated annotators and cannot be published."))
