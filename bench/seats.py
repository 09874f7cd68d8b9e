"""How fast seats are claimed and ballots stored, without the web around them, whatever the campaign's size.

Juries of ten seats in twelve strata on 1,000, 10,000 and 100,000 prompts, each size in a database of its own,
with 1, 8 and 32 processes that rate without a pause for thought. The sizes take turns, so that a busy machine
is as hard on each. Runs on SQLite and, where its programs are installed, on a PostgreSQL server of its own.
"""

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "1000,10000,100000").split(","))
WORKERS = (1, 8, 32)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
AGES = {"attribute": "age", "levels": ["18-34", "35-54", "55+"]}
REGIONS = {"attribute": "region", "levels": ["north", "east", "south", "west"]}
EMPTY = {"55+ / south": 0, "55+ / west": 0}  # ten seats in twelve strata: two have none


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="empanel-bench-seats-") as folder:
        compare("SQLite", {size: f"sqlite:///{folder}/{size}.sqlite3" for size in SIZES})
    from tests.servers import PostgresServer, make_database

    with tempfile.TemporaryDirectory(prefix="empanel-bench-postgres-") as folder:
        try:
            server = PostgresServer(Path(folder))
        except BaseException as error:  # noqa: BLE001  pytest's skip, where there are no programs
            print(f"no PostgreSQL: {error}")
            return
        try:
            compare("PostgreSQL", {size: make_database(server.url, f"seats-{size}") for size in SIZES})
        finally:
            server.process.terminate()
            server.process.wait(timeout=30)


def compare(name: str, databases: dict[int, str]) -> None:
    """Fills one database a size, measures them in turn, prints medians and the largest over the smallest."""
    for size, url in databases.items():
        in_process(url, "fill", size)
    found: dict[tuple[int, int], list[dict[str, float]]] = {}
    for _ in range(ROUNDS):
        for size, url in databases.items():
            for workers in WORKERS:
                found.setdefault((size, workers), []).append(in_process(url, "measure", workers))
    print(f"\n| {name}: prompts | people at once | claim, ms | ballot, ms | ballots a second |")
    print("|---|---|---|---|---|")
    for (size, workers), rounds in sorted(found.items(), key=lambda one: (one[0][1], one[0][0])):
        claim, ballot, rate = (
            statistics.median(one[what] for one in rounds) for what in ("claim", "ballot", "rate")
        )
        print(f"| {size:,} | {workers} | {1000 * claim:.1f} | {1000 * ballot:.1f} | {rate:.0f} |", flush=True)
    for workers in WORKERS:
        # What a ballot costs the machine, claim and all: a median wait would say more of who got the lock.
        small, large = (
            statistics.median(one["rate"] for one in found[size, workers]) for size in (SIZES[0], SIZES[-1])
        )
        print(f"{name}, {workers} at once: {small / large:.2f} times the cost at {SIZES[-1]:,} prompts")


def in_process(url: str, task: str, number: int) -> Any:
    """One step in a process of its own, since a process has one database."""
    command = [sys.executable, "-m", "bench.seats", task, str(number)]
    environment = os.environ | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")
    import django

    django.setup()


def fill(prompts: int) -> None:
    """An open campaign of that size, with two candidates a prompt and every place still open."""
    from django.core.management import call_command
    from django.db import connection

    from annotations.jury import seat_ready_prompts
    from collector.models import Candidate, Prompt
    from tests.builders import make_open_campaign

    call_command("migrate", verbosity=0)
    campaign = make_open_campaign(
        "bench", prompts=1, strata=[AGES, REGIONS], stratum_seats=EMPTY, wildcard_seats=0
    )
    generators = list(campaign.generators.all())
    rows = [Prompt(campaign=campaign, external_id=f"b{n}", text="What?", position=n) for n in range(prompts)]
    Prompt.objects.bulk_create(rows, batch_size=2000)
    Candidate.objects.bulk_create(
        (
            Candidate(
                campaign=campaign,
                prompt=prompt,
                generator=generator,
                external_id=f"{prompt.external_id}-{generator.name}",
                state=Candidate.State.DONE,
                text="So.",
                html="<p>So.</p>",
            )
            for prompt in rows
            for generator in generators
        ),
        batch_size=2000,
    )
    seat_ready_prompts(campaign)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def measure(workers: int) -> dict[str, float]:
    """Seconds for a claim and for a ballot, medians over all processes, and ballots a second together."""
    from django.db import connections

    from annotations.models import Stratum
    from tests.jurors import make_juror

    seated = list(Stratum.objects.filter(seats__gt=0).select_related("campaign"))
    people = [seated[number % len(seated)] for number in range(workers)]
    jurors = [make_juror(stratum.campaign, stratum.label) for stratum in people]
    connections.close_all()
    forked = multiprocessing.get_context("fork")
    start, results = forked.Barrier(workers), forked.Queue()
    processes = [forked.Process(target=rate_for_a_while, args=(juror, start, results)) for juror in jurors]
    for process in processes:
        process.start()
    times = [pair for _ in processes for pair in results.get()]
    for process in processes:
        process.join()
    claims, ballots = zip(*times, strict=True)
    return {
        "claim": statistics.median(claims),
        "ballot": statistics.median(ballots),
        "rate": len(times) / SECONDS,
    }


def rate_for_a_while(juror: Any, start: Any, results: Any) -> None:
    from django.db import connections

    start.wait()
    stop, times = time.perf_counter() + SECONDS, []
    while time.perf_counter() < stop:
        times.append(rate_one(juror))
    connections.close_all()
    results.put(times)


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
    match sys.argv[1:]:
        case ["fill", size]:
            set_up()
            fill(int(size))
            print("{}")
        case ["measure", crowd]:
            set_up()
            print(json.dumps(measure(int(crowd))))
        case _:
            main()
