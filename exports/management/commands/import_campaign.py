"""manage.py import_campaign DIR --slug S: an interchange folder becomes a campaign."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from collector.models import User
from collector.tabular import IntakeError
from exports.interchange import run_import


class Command(BaseCommand):
    help = "Make a campaign of an interchange folder or a release; all of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--slug", required=True, help="the new campaign's name in addresses")
        parser.add_argument("--owner", help="a user who manages it")
        parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = _find_user(options["owner"])
        try:
            made = run_import(options["folder"], options["slug"], owner=owner, dry_run=options["dry_run"])
        except IntakeError as error:
            raise CommandError(str(error)) from error
        counts = ", ".join(f"{count:,} {table}" for table, count in made.counts.items())
        said = _("Would import: %(counts)s.") if options["dry_run"] else _("Imported: %(counts)s.")
        self.stdout.write(said % {"counts": counts})


def _find_user(username: str | None) -> User | None:
    if not username:
        return None
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(_('There is no user "%(name)s".') % {"name": username})
    return user
