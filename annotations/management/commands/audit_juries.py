"""audit_juries SLUG: says whether anything that must be true of a campaign's juries is not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.audit import audit_juries
from collector.models import Campaign


class Command(BaseCommand):
    help = "Check that no seat is given twice, counted wrongly or filled without its ballot."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        campaign = Campaign.objects.filter(slug=slug).first()
        if campaign is None:
            raise CommandError(f"there is no campaign {slug!r}")
        violations = audit_juries(campaign)
        for violation in violations:
            self.stdout.write(f"{violation.rule}: {violation.what}")
        if violations:
            raise CommandError(f"{len(violations)} violations in {slug}")
        self.stdout.write(f"0 violations in {slug}")
