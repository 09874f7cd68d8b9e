"""What is held on one person: in words for their page, and whole as JSON."""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from annotations.consent import OPTIONAL, current_consent
from annotations.models import (
    Annotator,
    Ballot,
    Choice,
    Missing,
    ProfileSummary,
    Rating,
    Scope,
    Seat,
)
from annotations.profiles import answers_in_words, latest_profile
from annotations.rating_page import answer_in_words

RATINGS_SHOWN = 500
# Written out below with the texts they are about, instead of field by field.
TOLD_APART = (Rating, Choice, Ballot)
# Secrets of the server: they would open a seat or stand in for an id, and say nothing about the person.
SECRET = {"id_hash", "sealed", "code_hash", "nonce", "withdrawal_hash"}


def in_words(annotator: Annotator, language: str) -> dict[str, Any]:
    """What the page shows of one campaign; see my_data.html."""
    consent = current_consent(annotator)
    profile = latest_profile(annotator)
    ratings = _current_ratings(annotator)
    return {
        "campaign": annotator.campaign,
        "joined_on": annotator.enrolled_at,
        "withdrawn_on": annotator.withdrawn_at,
        "came_by": annotator.get_source_display(),
        "has_identity": hasattr(annotator, "identity"),
        "consents": [
            {"label": scope.label, "granted": scope in consent.scopes, "decided_on": consent.given_at}
            for scope in Scope
            if consent
        ],
        "scopes": [
            {"name": asked.scope.value, "label": asked.help, "checked": asked.scope in consent.scopes}
            for asked in OPTIONAL
            if consent and not annotator.is_withdrawn
        ],
        "answers": [
            {"label": label, "value": value}
            for label, value in (answers_in_words(profile, language) if profile else ())
        ],
        "seats": _seats_in_words(annotator),
        "choices_count": annotator.choices.filter(ballot__is_current=True).count(),
        "ratings_count": ratings.count(),
        "ratings": [_rating_in_words(rating, language) for rating in ratings[:RATINGS_SHOWN]],
    }


def as_json(annotator: Annotator) -> dict[str, Any]:
    """Everything, earlier versions and revisions included; texts stand beside what was said of them.

    Every table that refers to an annotator is in it, also one that is added later.
    """
    held: dict[str, Any] = {"campaign": annotator.campaign.slug} | _fields(annotator)
    for relation in Annotator._meta.related_objects:
        if relation.related_model in TOLD_APART:
            continue
        rows = relation.related_model._default_manager.filter(**{relation.field.name: annotator})
        held[str(relation.get_accessor_name())] = [_fields(row) for row in rows.order_by("pk")]
    summaries = ProfileSummary.objects.filter(profile__annotator=annotator).order_by("pk")
    held["summaries"] = [_fields(summary) for summary in summaries]
    held["ratings"] = list(_ratings_as_json(annotator))
    held["choices"] = list(_choices_as_json(annotator))
    return held


def _current_ratings(annotator: Annotator) -> QuerySet[Rating]:
    return (
        Rating.objects.filter(annotator=annotator, ballot__is_current=True)
        .select_related("ballot", "candidate__prompt", "criterion")
        .order_by("-ballot__submitted_at", "pk")
    )


def _seats_in_words(annotator: Annotator) -> dict[str, int]:
    """How many seats are filled, held, skipped or given back; only those there are."""
    counts = dict(annotator.seats.order_by().values_list("state").annotate(Count("pk")))
    skipped = annotator.seats.filter(void_reason=Seat.VoidReason.SKIPPED).count()
    named = {
        _("Juries you sat on"): counts.get(Seat.State.FILLED, 0),
        _("Waiting for your answer"): counts.get(Seat.State.HELD, 0),
        _("Skipped"): skipped,
        _("Given back after a while"): counts.get(Seat.State.VOID, 0) - skipped,
    }
    return {label: count for label, count in named.items() if count}


def _rating_in_words(rating: Rating, language: str) -> dict[str, Any]:
    return {
        "prompt": rating.candidate.prompt.conversation[-1]["content"],
        "response": rating.candidate.text,
        "criterion": rating.criterion.worded(language)["question"],
        "value": Missing(rating.missing).label
        if rating.missing
        else answer_in_words(rating.criterion, rating.value, language),
        "sent_on": rating.ballot.submitted_at,
    }


def _fields(row: models.Model) -> dict[str, Any]:
    """The row's own fields by name; of what it refers to, the name it goes by."""
    return {
        field.name: str(getattr(row, field.name)) if field.is_relation else field.value_from_object(row)
        for field in row._meta.concrete_fields
        if field.name not in SECRET | {"id", "annotator", "campaign"}
    }


def _ratings_as_json(annotator: Annotator) -> Iterator[dict[str, Any]]:
    ratings = annotator.ratings.select_related("ballot", "candidate__prompt", "criterion").order_by("pk")
    for rating in ratings.iterator(chunk_size=1000):
        yield {
            "prompt": rating.candidate.prompt.conversation,
            "response": rating.candidate.text,
            "criterion": rating.criterion.name,
            "value": rating.value,
            "missing": rating.missing or None,
            "position": rating.position,
            "seconds": rating.seconds,
            "extra": rating.extra,
        } | _ballot_as_json(rating.ballot)


def _choices_as_json(annotator: Annotator) -> Iterator[dict[str, Any]]:
    related = ("ballot", "prompt", "criterion", "chosen", "rejected")
    for choice in annotator.choices.select_related(*related).order_by("pk").iterator(chunk_size=1000):
        yield {
            "prompt": choice.prompt.conversation,
            "criterion": choice.criterion.name,
            "chosen": choice.chosen.text,
            "rejected": choice.rejected.text,
            "strength": choice.strength,
            "tie": choice.tie,
            "extra": choice.extra,
        } | _ballot_as_json(choice.ballot)


def _ballot_as_json(ballot: Ballot) -> dict[str, Any]:
    return {
        "revision": ballot.revision,
        "is_current": ballot.is_current,
        "submitted_at": ballot.submitted_at,
        "ballot_seconds": ballot.seconds,
        "active_seconds": ballot.active_seconds,
    }
