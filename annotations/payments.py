"""Who is owed what, as a file for each platform, and noting that it was paid."""

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, TextIO

import structlog
from django.db.models import Count, Q, QuerySet

from annotations.completion import code_for
from annotations.models import Annotator, Completion, Recruitment
from annotations.platform_ids import PlatformId, unseal_id
from collector.models import Campaign
from collector.spreadsheets import safe_cell

Kind = Completion.Kind
Source = Annotator.Source
COLUMNS = {
    Source.PROLIFIC: ["participant_id", "submission_id"],
    Source.MTURK: ["WorkerId", "AssignmentId"],
}
log = structlog.get_logger(__name__)
REST = ["outcome", "code", "amount", "currency"]


class Owed(NamedTuple):
    """How many people of one platform are owed something, by how their work ended, and how many were paid."""

    source: str
    complete: int
    partial: int
    screened_out: int
    paid: int

    @property
    def open(self) -> int:
        return self.complete + self.partial + self.screened_out


def owed(campaign: Campaign) -> list[Owed]:
    """By platform, those who have anything to be paid for; simulated and imported annotators have not."""
    is_open = Q(paid_at=None)
    counted = _completions(campaign).order_by().values_list("annotator__source")
    rows = counted.annotate(
        complete=Count("pk", filter=is_open & Q(kind=Kind.COMPLETE)),
        partial=Count("pk", filter=is_open & Q(kind=Kind.PARTIAL)),
        screened_out=Count("pk", filter=is_open & Q(kind=Kind.SCREENED_OUT)),
        paid=Count("pk", filter=~is_open),
    )
    return sorted(Owed(*row) for row in rows)


def latest_completion(campaign: Campaign) -> int:
    """The key up to which a file and the note that it was paid mean the same people."""
    return _completions(campaign).order_by("-pk").values_list("pk", flat=True).first() or 0


def write_payments(campaign: Campaign, rules: Recruitment, source: str, file: TextIO, *, up_to: int) -> int:
    """The unpaid completions of one platform as CSV, ids where they are kept; returns how many.

    Every cell is safe to open in a spreadsheet.
    """
    writer = csv.writer(file)
    ids = COLUMNS.get(Source(source), ["id"])
    writer.writerow([*ids, *REST])
    rows = 0
    for completion in _unpaid(campaign, source, up_to).iterator(chunk_size=1000):
        writer.writerow([safe_cell(cell) for cell in _row(completion, rules, len(ids))])
        rows += 1
    return rows


def mark_paid(campaign: Campaign, rules: Recruitment, source: str, *, up_to: int, now: datetime) -> int:
    """Notes that the file's people were paid what it said; returns how many. Again, it changes nothing."""
    unpaid = _unpaid(campaign, source, up_to).order_by().values("pk")
    return sum(
        Completion.objects.filter(pk__in=unpaid, paid_at=None, kind=kind).update(
            paid_at=now, amount=amount_for(kind, rules)
        )
        for kind in Kind
    )


def amount_for(kind: str, rules: Recruitment) -> Decimal:
    return {
        Kind.COMPLETE: rules.reward_complete,
        Kind.PARTIAL: rules.reward_partial,
        Kind.SCREENED_OUT: rules.reward_screened_out,
    }[Kind(kind)]


def _completions(campaign: Campaign) -> QuerySet[Completion]:
    unreal = [Source.SIMULATED, Source.IMPORTED]
    return Completion.objects.filter(annotator__campaign=campaign).exclude(annotator__source__in=unreal)


def _unpaid(campaign: Campaign, source: str, up_to: int) -> QuerySet[Completion]:
    return (
        _completions(campaign)
        .filter(annotator__source=source, paid_at=None, pk__lte=up_to)
        .select_related("annotator__campaign", "annotator__identity")
        .order_by("pk")
    )


def _row(completion: Completion, rules: Recruitment, ids: int) -> Iterator[str]:
    yield from _platform_id(completion.annotator)[:ids]
    yield Kind(completion.kind).value
    yield code_for(completion, rules)
    yield f"{amount_for(completion.kind, rules):.2f}"
    yield rules.currency


def _platform_id(annotator: Annotator) -> PlatformId:
    """Empty where none is kept, or the key it was sealed under is lost: they are then paid by their code."""
    identity = getattr(annotator, "identity", None)
    if not identity or not identity.sealed:
        return PlatformId("")
    try:
        return unseal_id(identity.sealed)
    except ValueError:
        log.warning("platform_id_unreadable", annotator=annotator.pk)
        return PlatformId("")
