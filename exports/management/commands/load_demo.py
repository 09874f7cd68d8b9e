"""manage.py load_demo: the demo campaign, open to annotators, its candidates on their way."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from collector.models import User
from exports.demo_campaign import SLUG, load_demo


class Command(BaseCommand):
    help = "Load the demo campaign unless it is there, open it and start generating its candidates."

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        is_new = load_demo(now=timezone.now(), owner=owner)
        said = (
            _("Loaded the demo campaign as %(slug)s.") if is_new else _("The demo campaign is there already.")
        )
        self.stdout.write(said % {"slug": SLUG})
