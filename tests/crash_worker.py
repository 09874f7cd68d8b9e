"""Takes a seat on the database in DATABASE_URL, says so, and waits to be killed with it."""

# ruff: noqa: E402  Django must be set up before its models are imported
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from annotations.assignment import expire_seats, next_seats
from annotations.audit import audit_juries
from annotations.ballots import submit_ballot
from annotations.models import Annotator, Ballot, Quota, Rating, Seat
from collector.models import Campaign
from tests.builders import make_open_campaign
from tests.jurors import answer_all, make_juror

SIDES = [{"attribute": "side", "levels": ["left", "right"]}]


def hold_and_hang(*, amid_ballot: bool) -> None:
    """The only seat open to this person is held; with `amid_ballot` it is being filled as well."""
    call_command("migrate", verbosity=0)
    campaign = make_open_campaign("town", prompts=1, strata=SIDES, wildcard_seats=0, lease_minutes=1)
    [seat] = next_seats(make_juror(campaign, "left"), now=timezone.now())
    with transaction.atomic():
        if amid_ballot:
            submit_ballot(seat, answer_all(seat), now=timezone.now())
        print("holding", flush=True)
        time.sleep(120)


def come_back() -> None:
    """What is left after the crash: the hold runs out, and the next person rates."""
    campaign = Campaign.objects.get(slug="town")
    later = timezone.now() + timedelta(minutes=5)
    assert not Ballot.objects.exists()
    assert not Rating.objects.exists()
    assert Seat.objects.get().state == "held"
    assert expire_seats(later) == 1
    [seat] = next_seats(make_juror(campaign, "left"), now=later)
    submit_ballot(seat, answer_all(seat), now=later)
    quota = Quota.objects.get(stratum__label="left")
    print(quota.taken, quota.filled, len(audit_juries(campaign)), Annotator.objects.count())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["hold"]:
            hold_and_hang(amid_ballot=False)
        case ["submit"]:
            hold_and_hang(amid_ballot=True)
        case ["come back"]:
            come_back()
