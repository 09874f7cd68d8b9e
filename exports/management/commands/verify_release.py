"""manage.py verify_release DIR: is every file of a release as it was written?"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from exports.verification import verify_release


class Command(BaseCommand):
    help = "Check a release folder against its manifest; needs no database."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        problems = verify_release(options["folder"])
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(_("0 problems: every file is as it was written."))
