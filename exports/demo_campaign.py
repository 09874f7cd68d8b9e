"""The demo campaign: from the folder `exports/demo` to an open campaign."""

from datetime import datetime
from pathlib import Path

from django.db import transaction

from annotations.models import Recruitment
from collector.generation import start_generation
from collector.lifecycle import open_campaign
from collector.models import Campaign, User
from exports.interchange import import_campaign

SLUG = "demo"
FOLDER = Path(__file__).parent / "demo"


def load_demo(*, now: datetime, owner: User | None = None, folder: Path = FOLDER) -> bool:
    """Load, open and start the demo campaign, all or nothing; False where it is there already."""
    if Campaign.objects.filter(slug=SLUG).exists():
        return False
    with transaction.atomic():
        campaign = import_campaign(folder, SLUG, owner=owner, now=now)
        # A demo has no study on a platform whose signed links could be tried.
        Recruitment.objects.create(campaign=campaign, allow_unverified=True)
        open_campaign(campaign, now=now)
    start_generation(campaign, now=now)
    return True
