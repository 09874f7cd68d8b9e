"""A campaign that fills through the annotator's pages, on the database in DATABASE_URL: 400 people come.

A quarter leave with a seat in their hands, one in twenty withdraws after rating. Run as a script; prints what
came out as one line of JSON.
"""

# ruff: noqa: E402  Django must be set up before its models are imported
import json
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.test.utils import setup_test_environment
from django.utils import timezone

from annotations.models import Annotator, Quota, Seat
from tests.builders import AGE, GENDER, make_open_campaign
from tests.people import Person

PROMPTS, ARRIVALS, DROPOUTS, WITHDRAWALS = 30, 400, 0.25, 0.05
MINUTES_BETWEEN = 2


class Clock:
    """What time it is on the pages: the only thing here that isn't real."""

    now = datetime(2026, 3, 1, 8, tzinfo=UTC)

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


def main() -> None:
    setup_test_environment()
    # Each person's browser would have it look through all static files once more.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise.")]
    call_command("migrate", verbosity=0)
    clock = Clock()
    timezone.now = lambda: clock.now
    campaign = make_open_campaign(
        "town", prompts=PROMPTS, max_seats_per_annotator=4, instruments=["core-demographics"]
    )
    rng = random.Random(7)
    for number in range(ARRIVALS):
        arrive(campaign, number, clock, rng)
        clock.wait(MINUTES_BETWEEN)
    print(json.dumps(count(campaign)))


def arrive(campaign, number: int, clock: Clock, rng: random.Random) -> None:
    """One person: age and gender in turn, one in eight says nothing about themselves."""
    person = Person(campaign).join().agree()
    if "/profile/" not in person.response.request["PATH_INFO"]:
        return  # told that the jury is full
    if number % 8 == 7:
        person.skip_profile()
    else:
        age = AGE["levels"][number % 3]
        gender = GENDER["levels"][number // 3 % 2]
        person.profile({"core-demographics.age_band": age, "core-demographics.gender": gender})
    leaves, withdraws = rng.random() < DROPOUTS, rng.random() < WITHDRAWALS
    stays = rng.randint(0, 2) if leaves else 99
    while person.is_rating and stays:
        clock.wait(0.5)
        person.rate(acceptable=rng.randint(1, 5), helpful=rng.randint(0, 100))
        stays -= 1
    if withdraws:
        person.withdraw()


def count(campaign) -> dict[str, object]:
    call_command("audit_juries", campaign.slug)  # says 0 violations, or ends this
    annotators = Annotator.objects.filter(campaign=campaign)
    return {
        "open": sum(quota.seats - quota.filled for quota in Quota.objects.filter(campaign=campaign)),
        "seats": sum(Quota.objects.filter(campaign=campaign).values_list("seats", flat=True)),
        "people": annotators.count(),
        "withdrawn": annotators.filter(state=Annotator.State.WITHDRAWN).count(),
        "ran out": Seat.objects.filter(campaign=campaign, void_reason=Seat.VoidReason.EXPIRED).count(),
        "database": settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1],
    }


if __name__ == "__main__":
    main()
