"""A race for seats on the database in DATABASE_URL: 16 processes, 300 seats, every ballot sent twice.

Run as a script; prints what came out as one line of JSON.
"""

# ruff: noqa: E402  Django must be set up before its models are imported
import json
import multiprocessing
import os
import sys
import time
import traceback
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connections
from django.db.models import Count
from django.utils import timezone

from annotations.assignment import expire_seats, next_seats
from annotations.audit import audit_juries
from annotations.ballots import submit_ballot
from annotations.models import Annotator, Ballot, Rating, Seat
from tests.builders import make_open_campaign
from tests.jurors import answer_all, make_juror

PROMPTS, WORKERS, PEOPLE = 60, 16, 12  # four people have a second tab open
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]


def race(*, sweeps: bool) -> dict[str, int]:
    """With `sweeps`, a sweeper in a hurry takes every held seat away, again and again, until all are done."""
    call_command("migrate", verbosity=0)
    campaign = make_open_campaign(
        prompts=PROMPTS, candidates=2, strata=SIDES, seats_per_stratum=2, wildcard_seats=1
    )
    people = [make_juror(campaign, ("left", "right")[number % 2]).pk for number in range(PEOPLE)]
    connections.close_all()
    forked = multiprocessing.get_context("fork")
    errors, start, over = forked.Queue(), forked.Barrier(WORKERS), forked.Event()
    workers = [
        forked.Process(target=take_part, args=(people[number % PEOPLE], start, errors))
        for number in range(WORKERS)
    ]
    sweeper = forked.Process(target=sweep, args=(over, errors))
    for process in [*workers, *([sweeper] if sweeps else [])]:
        process.start()
    failures = [line for _ in workers for line in errors.get()]
    for worker in workers:
        worker.join()
    if sweeps:
        over.set()
        failures += errors.get()
        sweeper.join()
    print("\n".join(failures), file=sys.stderr)
    return count(campaign) | {"errors": len(failures)}


def count(campaign) -> dict[str, int]:
    filled = Seat.objects.filter(state="filled")
    sitting_twice = filled.values("annotator", "prompt").annotate(n=Count("pk")).filter(n__gt=1)
    ballots = Ballot.objects.count()
    return {
        "filled": filled.filter(is_surplus=False).count(),
        "duplicates": sitting_twice.count(),
        "lost_ballots": filled.count() - ballots,
        "lost_ratings": 4 * ballots - Rating.objects.count(),
        "violations": len(audit_juries(campaign)),
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


def sweep(over, errors) -> None:
    failures: list[str] = []
    try:
        while not over.is_set():
            expire_seats(timezone.now() + timedelta(days=1))
            time.sleep(0.02)
    except Exception:  # noqa: BLE001  likewise
        failures.append(traceback.format_exc())
    connections.close_all()
    errors.put(failures)


if __name__ == "__main__":
    print(json.dumps(race(sweeps="--sweep" in sys.argv)))
