"""`manage.py reset_manager`: a new random password for the manager's account, shown once."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from collector.models import User
from console.accounts import MANAGER, has_accounts, make_manager, reset_manager


class Command(BaseCommand):
    help = "Give the manager's account a new random password and show it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default=MANAGER)

    def handle(self, *args: object, username: str, **options: object) -> None:
        try:
            password = reset_manager(username) if has_accounts() else make_manager()
        except User.DoesNotExist as error:
            raise CommandError(f'there is no account called "{username}"') from error
        self.stdout.write(f"sign in as {username} with {password}")
