"""Database work that outlasts a database's restart."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

PATIENCE_SECONDS = 90.0
LONGEST_PAUSE = 5.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


def persist(work: Callable[[], T], *, patience: float = PATIENCE_SECONDS) -> T:
    """Does the work; where the connection is lost, does it again on a new one for `patience` seconds.

    The work must leave the same rows when done twice: a commit may have gone through although its answer
    was lost. Inside a transaction nothing is repeated, because what came before it is gone.
    """
    gives_up_at, pause = time.monotonic() + patience, 0.1
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() + pause > gives_up_at:
                raise
            log.warning("database lost", error=type(error).__name__, again_in=pause)
            connection.close()
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
