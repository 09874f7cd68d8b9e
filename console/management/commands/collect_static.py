"""`manage.py collect_static`: what `make install` runs, so that the first start need not."""

from django.core.management.base import BaseCommand

from console.static_files import collect_changed_files


class Command(BaseCommand):
    help = "Collect and compress the static files, if any of them changed."
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        collect_changed_files()
