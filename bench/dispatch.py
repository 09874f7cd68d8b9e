"""What a candidate costs besides its model: claiming, leasing, rendering and storing, at several batch sizes.

On the database that DATABASE_URL names, SQLite without it. The provider is the scripted one, whose own time
is taken off. The worker's time is what is left of the clock when the database's is taken off too.
"""

import time
from collections.abc import Callable
from typing import Any

from bench.study import Timed, make_run, set_up

CANDIDATES = 4096
SIZES = (16, 64, 256)


def main() -> None:
    set_up()
    from django.db import connection

    print(f"{connection.vendor}, {CANDIDATES} candidates")
    for size in SIZES:
        worker, database = measure(size)
        print(f"  batches of {size:3d}: worker {worker:.3f} ms, database {database:.3f} ms per candidate")


def measure(size: int) -> tuple[float, float]:
    """Milliseconds per candidate of the worker's own time and of the database's."""
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from collector.generation import work_batch
    from collector.providers.scripted import Scripted

    settings.GENERATION_BATCH_SIZE = size
    run = make_run(f"dispatch-{size}", prompts=CANDIDATES // 4, provider="scripted", samples=4)
    provider, database = Timed(Scripted()), Stopwatch()
    started, done = time.perf_counter(), 0
    with connection.execute_wrapper(database):
        while batch := work_batch(run, provider, now=timezone.now()):  # type: ignore[arg-type]
            done += batch
    seconds = time.perf_counter() - started - provider.seconds
    return 1000 * (seconds - database.seconds) / done, 1000 * database.seconds / done


class Stopwatch:
    """A wrapper around every statement, which adds up how long they took."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.seconds += time.perf_counter() - started


if __name__ == "__main__":
    main()
