"""manage.py export_format RELEASE_DIR FORMAT --out DIR: a release as another project's loader reads it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exports.format_export import export_format
from exports.formats import FORMATS
from exports.formats.format import SMALLEST_GROUP, CannotExport, Options


class Command(BaseCommand):
    help = "Write a release folder in another project's format; needs no database."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("format", help=", ".join(FORMATS))
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
        parser.add_argument("--criterion", help="whose ratings or choices; the first that fits")
        parser.add_argument("--group-by", default="stratum", help="a column of annotators, or annotator_id")
        parser.add_argument(
            "--smallest-group", type=int, default=SMALLEST_GROUP, help="smaller groups are suppressed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(options["criterion"], options["group_by"], options["smallest_group"])
        try:
            written = export_format(options["folder"], options["format"], options["out"], chosen)
        except CannotExport as error:
            raise CommandError(f"Cannot export: {error}.") from error
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in written.left_out.items() if count)
        self.stdout.write(f"Exported {written.rows:,} rows; left out: {left_out or 'nothing'}.")
