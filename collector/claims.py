"""Claims on planned candidates: a worker holds a batch by a lease, and only the holder may store into it."""

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F, Field

from collector.models import Candidate, CandidateQuerySet, GenerationRun
from collector.scheduling import charge

MAX_ATTEMPTS = 3
# A second try takes an eighth of a batch, a third an eighth of that, so that a prompt which kills its
# worker is alone in the end and takes no other with it.
SHRINK = 8
# A worker that hangs stops renewing its lease after this long.
LONGEST_BATCH = timedelta(minutes=30)

log = structlog.get_logger(__name__)


def claim_batch(run: GenerationRun, size: int, now: datetime) -> list[Candidate]:
    """Up to `size` candidates that are now this caller's alone, in the order in which they were planned.

    All share one fresh lease token. Empty where nothing can be claimed now, or the run is not active.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        chosen = _like_the_first(_ready(run, size, now), size)
        claimed = (
            Candidate.objects.unfinished()
            .filter(pk__in=chosen)
            .update(
                lease_token=token,
                lease_until=now + timedelta(seconds=settings.GENERATION_LEASE_SECONDS),
                attempts=F("attempts") + 1,
            )
        )
    if not claimed:
        return []
    # After the transaction: it locks the run, which planning locks before candidates.
    charge(run, claimed, now)
    batch = Candidate.objects.filter(lease_token=token).select_related("prompt", "generator")
    return list(batch.order_by("pk"))


def held(candidate: Candidate) -> CandidateQuerySet:
    """The candidate, if this claim on it still stands: updating it changes one row or none."""
    return Candidate.objects.unfinished().filter(pk=candidate.pk, lease_token=candidate.lease_token)


def store(batch: list[Candidate], changes: list[dict[str, Any]]) -> int:
    """Stores each change where the claim still stands, all or none; returns how many were stored.

    One statement for all rows with the same fields: the ORM takes longer to build each than it runs.
    """
    rows: dict[tuple[str, ...], list[list[Any]]] = {}
    for candidate, change in zip(batch, changes, strict=True):
        rows.setdefault(tuple(change), []).append([*_prepared(change), *_prepared(_claim(candidate))])
    with transaction.atomic(), connection.cursor() as cursor:
        stored = 0
        for names, values in rows.items():
            setting, condition = _columns(names), _columns(_claim(batch[0]))
            cursor.executemany(
                f"UPDATE {connection.ops.quote_name(Candidate._meta.db_table)} "  # noqa: S608 - our own names
                f"SET {', '.join(setting)} WHERE {' AND '.join(condition)}",
                values,
            )
            stored += cursor.rowcount
    return stored


def release(batch: list[Candidate]) -> None:
    """Gives the claimed batch back at once, the attempt not counted."""
    Candidate.objects.unfinished().filter(lease_token=batch[0].lease_token).update(
        lease_token=None, lease_until=None, attempts=F("attempts") - 1
    )


@contextmanager
def kept_alive(batch: list[Candidate], now: datetime) -> Iterator[None]:
    """Renews the batch's lease for as long as the block runs, up to LONGEST_BATCH."""
    stop = threading.Event()
    thread = threading.Thread(target=_renew, args=(batch[0].lease_token, now, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _claim(candidate: Candidate) -> dict[str, Any]:
    """What is true of the row for as long as the claim stands."""
    return {
        "id": candidate.pk,
        "lease_token": candidate.lease_token,
        "state": Candidate.State.PLANNED,
    }


def _columns(names: Iterable[str]) -> list[str]:
    fields = _fields()
    return [f"{connection.ops.quote_name(str(fields[name].column))} = %s" for name in names]


def _prepared(values: Mapping[str, Any]) -> list[Any]:
    """The values as the database takes them."""
    fields = _fields()
    return [fields[name].get_db_prep_save(value, connection) for name, value in values.items()]


def _fields() -> "dict[str, Field[Any, Any]]":
    return {field.name: field for field in Candidate._meta.concrete_fields}


def _renew(token: uuid.UUID, now: datetime, stop: threading.Event) -> None:
    lease = timedelta(seconds=settings.GENERATION_LEASE_SECONDS)
    passed = timedelta(0)
    try:
        while passed < LONGEST_BATCH and not stop.wait((lease / 3).total_seconds()):
            passed += lease / 3
            try:
                Candidate.objects.filter(lease_token=token).update(lease_until=now + passed + lease)
            except Error:
                log.warning("lease not renewed", exc_info=True)
                connection.close()  # lost with the database, it would fail for ever
    finally:
        connection.close()


def _ready(run: GenerationRun, size: int, now: datetime) -> list[Candidate]:
    """The first claimable candidates, locked; those that lost their worker on every attempt fail here."""
    while True:
        # SKIP LOCKED on PostgreSQL; on SQLite the IMMEDIATE transaction already keeps others out.
        first = (
            run.candidates.claimable(now)
            .filter(run__state__in=GenerationRun.ACTIVE)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("pk")
            .only("pk", "attempts", "run")[:size]  # the run too: Django reads it of every row
        )
        ready = list(first)
        exhausted = [candidate.pk for candidate in ready if candidate.attempts >= MAX_ATTEMPTS]
        if not exhausted:
            return ready
        Candidate.objects.filter(pk__in=exhausted).update(
            state=Candidate.State.FAILED,
            error=f"the worker stopped during each of {MAX_ATTEMPTS} attempts",
            lease_token=None,
            lease_until=None,
        )


def _like_the_first(ready: list[Candidate], size: int) -> list[int]:
    """Those on the same attempt as the first, fewer with every attempt."""
    if not ready:
        return []
    attempts = ready[0].attempts
    alike = [candidate.pk for candidate in ready if candidate.attempts == attempts]
    return alike[: max(1, size // SHRINK**attempts)]
