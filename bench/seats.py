"""How fast seats are claimed and ballots stored, without the web around them.

Medians at a thousand and at ten thousand prompts, which should hardly differ; then ballots a second with 1, 8
and 32 processes on one campaign, on the database that DATABASE_URL names.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SIZES = (1_000, 10_000)
ROUNDS = 200
WORKERS = (1, 8, 32)
SECONDS = float(os.environ.get("BENCH_SECONDS", "8"))


def main() -> None:
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="empanel-bench-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django

    django.setup()
    from django.core.management import call_command

    from bench.web import make_large_campaign

    call_command("migrate", verbosity=0)
    for prompts in SIZES:
        slug = make_large_campaign(prompts)
        claim, submit = measure_medians(slug)
        print(f"{prompts:>6} prompts: claim {1000 * claim:5.1f} ms, ballot {1000 * submit:5.1f} ms (medians)")
    for workers in WORKERS:
        print(f"{workers:>6} processes: {measure_throughput(slug, workers):6.1f} ballots a second")


def measure_medians(slug: str) -> tuple[float, float]:
    """Seconds for a claim and for a ballot, by one annotator after the other."""
    jurors = make_jurors(slug, 8)
    claims, ballots = [], []
    for number in range(ROUNDS):
        claim, ballot = rate_one(jurors[number % len(jurors)])
        claims.append(claim)
        ballots.append(ballot)
    return statistics.median(claims), statistics.median(ballots)


def measure_throughput(slug: str, workers: int) -> float:
    """Ballots a second of `workers` processes, each an annotator without a pause for thought."""
    from django.db import connections

    jurors = make_jurors(slug, workers)
    connections.close_all()
    forked = multiprocessing.get_context("fork")
    start, counts = forked.Barrier(workers + 1), forked.Queue()
    processes = [forked.Process(target=rate_for_a_while, args=(juror, start, counts)) for juror in jurors]
    for process in processes:
        process.start()
    start.wait()
    begun = time.perf_counter()
    ballots = sum(counts.get() for _ in processes)
    elapsed = time.perf_counter() - begun
    for process in processes:
        process.join()
    return ballots / elapsed


def make_jurors(slug: str, number: int) -> list[Any]:
    from collector.models import Campaign
    from tests.jurors import make_juror

    campaign = Campaign.objects.get(slug=slug)
    labels = list(campaign.strata_cells.exclude(is_wildcard=True).values_list("label", flat=True))
    return [make_juror(campaign, labels[index % len(labels)]) for index in range(number)]


def rate_for_a_while(juror: Any, start: Any, counts: Any) -> None:
    from django.db import connections

    start.wait()
    stop, ballots = time.perf_counter() + SECONDS, 0
    while time.perf_counter() < stop:
        rate_one(juror)
        ballots += 1
    connections.close_all()
    counts.put(ballots)


def rate_one(juror: Any) -> tuple[float, float]:
    from django.utils import timezone

    from annotations.assignment import next_seats
    from annotations.ballots import submit_ballot
    from tests.jurors import answer_all

    begun = time.perf_counter()
    [seat] = next_seats(juror, now=timezone.now())
    claimed = time.perf_counter()
    answers = answer_all(seat)
    answered = time.perf_counter()
    submit_ballot(seat, answers, now=timezone.now())
    return claimed - begun, time.perf_counter() - answered


if __name__ == "__main__":
    main()
