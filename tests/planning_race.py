"""Eight processes plan the same generator at once on the database in DATABASE_URL.

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

from collector.models import Candidate, Generator, Prompt
from collector.planning import plan_candidates
from tests.builders import make_campaign, make_generator

PROMPTS, PLANNERS = 400, 8
STEERINGS = [{"label": "formal", "system": "Be formal."}, {"label": "unlike", "unlike": True}, {}]


def race() -> dict[str, int]:
    call_command("migrate", verbosity=0)
    campaign = make_campaign()
    Prompt.objects.bulk_create(
        Prompt(campaign=campaign, external_id=f"p{n}", text="Is it fair?", position=n) for n in range(PROMPTS)
    )
    generator = make_generator(campaign, steerings=STEERINGS, samples=2)
    connections.close_all()
    forked = multiprocessing.get_context("fork")
    errors, start = forked.Queue(), forked.Barrier(PLANNERS)
    planners = [forked.Process(target=plan, args=(generator.pk, start, errors)) for _ in range(PLANNERS)]
    for planner in planners:
        planner.start()
    failures = [line for _ in planners for line in errors.get()]
    for planner in planners:
        planner.join()
    print("\n".join(failures), file=sys.stderr)
    return count() | {"errors": len(failures)}


def plan(generator_pk: int, start, errors) -> None:
    failures: list[str] = []
    generator = Generator.objects.select_related("campaign").get(pk=generator_pk)
    start.wait()
    try:
        plan_candidates(generator)
    except Exception:  # noqa: BLE001  whatever goes wrong is counted and shown
        failures.append(traceback.format_exc())
    connections.close_all()
    errors.put(failures)


def count() -> dict[str, int]:
    rows = Candidate.objects.all()
    places = rows.order_by().values("prompt", "generator", "steering", "sample_index").distinct()
    return {
        "rows": rows.count(),
        "places": places.count(),
        "ids": rows.order_by().values("external_id").distinct().count(),
        "seeds": rows.order_by().values("seed").distinct().count(),
    }


if __name__ == "__main__":
    print(json.dumps(race()))
