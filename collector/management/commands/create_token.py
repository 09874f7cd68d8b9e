"""`manage.py create_token USERNAME`: a token for the API, shown once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from knox.models import AuthToken

from collector.models import User


class Command(BaseCommand):
    help = "Makes a token for the API and prints it; only its hash is kept, so it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--days", type=int, help=_("How long it is valid; without it, until revoked."))

    def handle(self, *args: Any, username: str, days: int | None, **options: Any) -> None:
        if days is not None and not 0 < days <= 36500:
            raise CommandError(_("--days must be from 1 to 36500."))
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(_("There is no active user called %s.") % username)
        _kept, token = AuthToken.objects.create(user, expiry=timedelta(days=days) if days else None)
        self.stdout.write(token)
