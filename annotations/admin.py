"""Django's admin for who judges and what they said: to be looked at, never changed.

Identities and tombstones are not here at all: nobody needs to see them.
"""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from annotations.models import (
    Annotator,
    Ballot,
    Choice,
    Consent,
    ConsentDocument,
    ProfileSummary,
    Quota,
    Rating,
    Seat,
    Stratum,
    SuppliedText,
    ValueProfile,
)
from collector.admin import ReadOnlyAdmin


class JoinedAdmin(ReadOnlyAdmin):
    """Rows that name others: `joined` are read with the row, so that no page asks for them one by one."""

    joined: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related(*self.joined)


@admin.register(ConsentDocument)
class ConsentDocumentAdmin(JoinedAdmin):
    list_display = ["title", "campaign", "version", "language", "created_at"]
    list_filter = ["language", "campaign"]
    search_fields = ["title"]
    joined = ("campaign",)


@admin.register(Stratum)
class StratumAdmin(JoinedAdmin):
    list_display = ["label", "campaign", "seats", "is_wildcard"]
    list_filter = ["campaign"]
    search_fields = ["label"]
    joined = ("campaign",)


@admin.register(Quota)
class QuotaAdmin(JoinedAdmin):
    list_display = ["prompt", "stratum", "language", "seats", "taken", "filled"]
    list_filter = ["campaign", "language"]
    search_fields = ["prompt__external_id"]
    joined = ("campaign", "prompt", "stratum")


@admin.register(Annotator)
class AnnotatorAdmin(JoinedAdmin):
    list_display = ["external_id", "campaign", "stratum", "source", "state", "language", "enrolled_at"]
    list_filter = ["source", "state", "campaign"]
    search_fields = ["external_id"]
    exclude = ["withdrawal_hash"]
    joined = ("campaign", "stratum")


@admin.register(Consent)
class ConsentAdmin(JoinedAdmin):
    list_display = ["annotator", "document", "scopes", "given_at"]
    search_fields = ["annotator__external_id"]
    joined = ("annotator", "document__campaign")


@admin.register(ValueProfile)
class ValueProfileAdmin(JoinedAdmin):
    """Levels and scores only: single answers and free texts are nobody's business here."""

    list_display = ["annotator", "version", "created_at"]
    search_fields = ["annotator__external_id"]
    exclude = ["answers", "text"]
    joined = ("annotator",)


@admin.register(ProfileSummary)
class ProfileSummaryAdmin(JoinedAdmin):
    """How far summaries are; their words are their owner's business."""

    list_display = ["profile", "state", "attempts", "created_at", "decided_at"]
    list_filter = ["state"]
    exclude = ["text", "lease_token"]
    joined = ("profile__annotator",)


@admin.register(SuppliedText)
class SuppliedTextAdmin(JoinedAdmin):
    list_display = ["instrument", "language", "campaign", "attested_by", "attested_at"]
    list_filter = ["instrument", "language", "campaign"]
    search_fields = ["instrument"]
    joined = ("campaign", "attested_by")


@admin.register(Seat)
class SeatAdmin(JoinedAdmin):
    list_display = [
        "annotator",
        "prompt",
        "stratum",
        "state",
        "void_reason",
        "is_surplus",
        "held_at",
        "filled_at",
    ]
    list_filter = ["state", "void_reason", "is_surplus", "campaign"]
    search_fields = ["annotator__external_id", "prompt__external_id"]
    joined = ("campaign", "annotator", "prompt", "stratum")


@admin.register(Ballot)
class BallotAdmin(JoinedAdmin):
    list_display = ["seat", "revision", "is_current", "active_seconds", "submitted_at"]
    list_filter = ["is_current"]
    search_fields = ["seat__annotator__external_id"]
    joined = ("seat", "form__campaign")


@admin.register(Rating)
class RatingAdmin(JoinedAdmin):
    list_display = ["annotator", "candidate", "criterion", "value", "missing", "position"]
    list_filter = ["missing"]
    search_fields = ["annotator__external_id", "candidate__external_id"]
    joined = ("annotator", "candidate", "criterion", "ballot")


@admin.register(Choice)
class ChoiceAdmin(JoinedAdmin):
    list_display = ["annotator", "prompt", "criterion", "chosen", "rejected", "tie"]
    search_fields = ["annotator__external_id", "prompt__external_id"]
    joined = ("annotator", "prompt", "criterion", "chosen", "rejected", "ballot")
