"""How somebody's work ends: which way, and the code they are given for it, which only the server can make."""

import base64
import hashlib
import hmac
from datetime import datetime

from django.db import transaction
from django.db.models import Exists

from annotations.assignment import void_seat
from annotations.models import Annotator, Completion, Recruitment, Seat
from collector.models import Prompt

Kind = Completion.Kind
RANK = {Kind.SCREENED_OUT: 0, Kind.PARTIAL: 1, Kind.COMPLETE: 2}


def finish(annotator: Annotator, *, now: datetime) -> Completion | None:
    """Notes that nothing is left to rate for this person: complete, or screened out if they had no seat.

    Only for whoever is through with consent and profile; who withdrew has no completion.
    """
    if annotator.is_withdrawn:
        return None
    judged = annotator.seats.filter(state=Seat.State.FILLED, purpose=Prompt.Purpose.JUDGED)
    rated = Annotator.objects.filter(Exists(judged), pk=annotator.pk)
    if not rated.exists():
        return _settle(annotator, Kind.SCREENED_OUT, now)
    rated.filter(state=Annotator.State.ENROLLED).update(state=Annotator.State.DONE)
    return _settle(annotator, Kind.COMPLETE, now)


def stop(annotator: Annotator, *, now: datetime) -> Completion | None:
    """Ends early: the seat they hold goes to somebody else, and who has sent anything gets a code for it."""
    with transaction.atomic():
        for seat in annotator.seats.filter(state=Seat.State.HELD).order_by("prompt_id"):
            void_seat(seat, Seat.VoidReason.SKIPPED, now=now)
        return None if annotator.is_withdrawn else settle_partial(annotator, now=now)


def settle_partial(annotator: Annotator, *, now: datetime) -> Completion | None:
    """Notes the work of somebody who ends before the end; None where they have sent nothing."""
    if not annotator.seats.filter(state=Seat.State.FILLED).exists():
        return None
    return _settle(annotator, Kind.PARTIAL, now)


def completion_of(annotator: Annotator) -> Completion | None:
    return Completion.objects.filter(annotator=annotator).first()


def code_for(completion: Completion, rules: Recruitment) -> str:
    """What the platform calls this way to end; where it has no word of its own, this person's own code."""
    shared = {
        Kind.COMPLETE: rules.code_complete,
        Kind.PARTIAL: rules.code_partial,
        Kind.SCREENED_OUT: rules.code_screened_out,
    }[Kind(completion.kind)]
    return shared or personal_code(completion.annotator, Kind(completion.kind))


def personal_code(annotator: Annotator, kind: Completion.Kind) -> str:
    """Eight letters and digits, the same whenever they are shown; another for each way to end."""
    word = "done" if kind == Kind.COMPLETE else kind.value
    digest = hmac.new(
        annotator.campaign.seed.encode(), f"{word}:{annotator.pk}".encode(), hashlib.sha256
    ).digest()
    return base64.b32encode(digest)[:8].decode()


def _settle(annotator: Annotator, kind: Completion.Kind, now: datetime) -> Completion:
    """The completion, which only ever gets better, and stands still once it is paid."""
    completion, is_new = Completion.objects.get_or_create(
        annotator=annotator, defaults={"kind": kind, "given_at": now}
    )
    if not is_new:
        worse = [other.value for other, rank in RANK.items() if rank < RANK[kind]]
        unpaid = Completion.objects.filter(pk=completion.pk, paid_at=None, kind__in=worse)
        if unpaid.update(kind=kind, given_at=now):
            completion.refresh_from_db()
    return completion
