"""What a million candidates need on 1, 8 and 64 GPUs: a small simulation, fed by the cost of dispatch.

Workers repeat: claim a batch, generate it, store it. Claiming and storing pass one after the other through
the database (the worst case: no two of them at once); generating takes as long as the assumed speed says.
`--database 0.3` puts in what `python -m bench dispatch` measured, in milliseconds per candidate.
"""

import argparse
import heapq
from dataclasses import dataclass

GPUS = (1, 8, 64)


@dataclass(frozen=True)
class Assumptions:
    """Per candidate, except the batch."""

    candidates: int = 1_000_000
    batch: int = 512
    new_tokens: int = 200
    gpu_tokens_per_second: float = 20_000.0
    worker_ms: float = 1.0
    database_ms: float = 0.2
    kilobytes: float = 4.0


@dataclass(frozen=True)
class Outcome:
    hours: float
    gpu_busy: float
    database_busy: float
    megabytes_per_second: float

    @property
    def saturated(self) -> str:
        return "database" if self.database_busy > self.gpu_busy else "GPUs"


def simulate(gpus: int, given: Assumptions) -> Outcome:
    """Hours, and the busy shares of GPUs and database, until all candidates are stored.

    Each GPU has one worker, and generates nothing while its worker claims or stores.
    """
    generating = given.batch * given.new_tokens / given.gpu_tokens_per_second
    working = given.batch * given.worker_ms / 1000
    storing = given.batch * given.database_ms / 1000
    batches = -(-given.candidates // given.batch)
    free_at = [generating * n / gpus for n in range(gpus)]  # not all at once
    heapq.heapify(free_at)
    database_free = ends = 0.0
    for _batch in range(batches):
        ready = heapq.heappop(free_at) + generating + working
        database_free = max(database_free, ready) + storing
        ends = max(ends, database_free)
        heapq.heappush(free_at, database_free)
    return Outcome(
        hours=ends / 3600,
        gpu_busy=batches * generating / (gpus * ends),
        database_busy=batches * storing / ends,
        megabytes_per_second=given.candidates * given.kilobytes / 1000 / ends,
    )


def most_gpus(given: Assumptions) -> int:
    """How many GPUs keep the database busy all the time: more would wait for it."""
    generating = given.new_tokens / given.gpu_tokens_per_second
    return int((generating + given.worker_ms / 1000) / (given.database_ms / 1000)) + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=float, nargs="+", default=[2_000, 20_000], help="tokens/s per GPU")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--worker", type=float, default=1.0, help="ms of worker time per candidate")
    parser.add_argument("--database", type=float, default=0.2, help="ms of database time per candidate")
    options = parser.parse_args()
    print("| tokens/s per GPU | GPUs | hours | GPUs busy | database busy | MB/s stored |")
    print("|---|---|---|---|---|---|")
    for speed in options.speed:
        given = Assumptions(
            batch=options.batch,
            new_tokens=options.tokens,
            gpu_tokens_per_second=speed,
            worker_ms=options.worker,
            database_ms=options.database,
        )
        for gpus in GPUS:
            print(_row(speed, gpus, simulate(gpus, given)))
        print(f"\nAt {speed:,.0f} tokens/s the database is busy all the time with {most_gpus(given)} GPUs.\n")


def _row(speed: float, gpus: int, found: Outcome) -> str:
    return (
        f"| {speed:,.0f} | {gpus} | {found.hours:.2f} | {found.gpu_busy:.0%} | {found.database_busy:.1%} "
        f"| {found.megabytes_per_second:.1f} |"
    )


if __name__ == "__main__":
    main()
