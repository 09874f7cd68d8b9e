"""Mechanical Turk's parameters, which nothing proves: who allows this way allows unverified ids."""

from collections.abc import Mapping

from annotations.entry.base import BadEntry, Entry, Knock, Way, identify
from annotations.models import Annotator
from annotations.platform_ids import PlatformId

PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"


class MechanicalTurk(Way):
    source = Annotator.Source.MTURK

    def knows(self, query: Mapping[str, str]) -> bool:
        return "workerId" in query or "assignmentId" in query

    def read(self, knock: Knock) -> Entry:
        """A worker who only looks at the task has no assignment yet, and none is kept of them."""
        assignment = knock.query.get("assignmentId", "")
        if assignment == PREVIEW:
            raise BadEntry("preview")
        worker = PlatformId(knock.query.get("workerId", ""), assignment)
        return identify(knock, self.source, worker, is_verified=False)
