"""Waits that a provider asks for: they use up none of a candidate's attempts, unless they take too long."""

from datetime import datetime, timedelta
from typing import Any

from collector.models import Candidate

# After this an attempt is used up, so that after three times as long nothing waits any more.
LONGEST_WAIT = timedelta(hours=8)
SINCE = "waiting_since"


def wait_changes(candidate: Candidate, seconds: float, now: datetime) -> dict[str, Any] | None:
    """The changes that leave the claimed candidate alone for so long, its attempt given back.

    None where it has waited long enough: then the attempt counts, and the next wait begins anew.
    """
    began = candidate.provenance.get(SINCE)
    since = datetime.fromisoformat(began) if began else now
    if now - since >= LONGEST_WAIT:
        return None
    return {
        # No holder, but not to be claimed before this time either.
        "lease_until": now + timedelta(seconds=seconds),
        "attempts": candidate.attempts - 1,
        "provenance": {SINCE: since.isoformat()},
    }
