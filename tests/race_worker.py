"""A race for seats on the database in DATABASE_URL: 16 processes, 300 seats, every ballot sent twice.

Run as a script; prints what came out as one line of JSON.
"""

# ruff: noqa: E402  Django must be set up before its models are imported
import json
import multiprocessing
import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connections
from django.db.models import Count
from django.utils import timezone

from annotations.assignment import next_seats
from annotations.audit import audit_juries
from annotations.ballots import submit_ballot
from annotations.models import Annotator, Ballot, Rating, Seat
from tests.builders import make_open_campaign
from tests.jurors import answer_all, make_juror

PROMPTS, WORKERS, PEOPLE = 60, 16, 12  # four people have a second tab open
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]


def race() -> dict[str, int]:
    call_command("migrate", verbosity=0)
    campaign = make_open_campaign(
        prompts=PROMPTS, candidates=2, strata=SIDES, seats_per_stratum=2, wildcard_seats=1
    )
    people = [make_juror(campaign, ("left", "right")[number % 2]).pk for number in range(PEOPLE)]
    connections.close_all()
    forked = multiprocessing.get_context("fork")
    errors = forked.Queue()
    start = forked.Barrier(WORKERS)
    workers = [
        forked.Process(target=take_part, args=(people[number % PEOPLE], start, errors))
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    failures = [line for _ in workers for line in errors.get()]
    for worker in workers:
        worker.join()
    print("\n".join(failures), file=sys.stderr)
    filled = Seat.objects.filter(state="filled")
    return {
        "filled": filled.count(),
        "duplicates": filled.values("annotator", "prompt").annotate(n=Count("pk")).filter(n__gt=1).count(),
        "ballots": Ballot.objects.count(),
        "ratings": Rating.objects.count(),
        "violations": len(audit_juries(campaign)),
        "errors": len(failures),
    }


def take_part(annotator_pk: int, start, errors) -> None:
    """Rates until no seat is left, sending each ballot twice."""
    failures: list[str] = []
    annotator = Annotator.objects.select_related("campaign").get(pk=annotator_pk)
    start.wait()
    try:
        while seats := next_seats(annotator, now=timezone.now()):
            for _ in range(2):
                submit_ballot(seats[0], answer_all(seats[0]), now=timezone.now())
    except Exception:  # noqa: BLE001  whatever goes wrong is counted and shown
        failures.append(traceback.format_exc())
    connections.close_all()
    errors.put(failures)


if __name__ == "__main__":
    print(json.dumps(race()))
