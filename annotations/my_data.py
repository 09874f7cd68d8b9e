"""What we hold on one person, in words and as JSON, and the way out."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_ratelimit.decorators import ratelimit

from annotations import access
from annotations.consent import current_consent
from annotations.enrolment import find_by_withdrawal_code, withdraw
from annotations.models import Annotator, Missing, Rating, Scope
from annotations.profiles import answers_in_words, latest_profile


@never_cache
@require_http_methods(["GET", "POST"])
@ratelimit(key="ip", rate="10/m", method="POST", block=True)
def my_data(request: HttpRequest) -> HttpResponse:
    """Everything kept on this session's annotators; a withdrawal code opens the page from anywhere."""
    error = ""
    if request.method == "POST":
        annotator = find_by_withdrawal_code(request.POST.get("code", ""))
        if annotator:
            access.sign_in(request, annotator)
            return redirect("annotations:my_data")
        error = _("This code is not known. Please check it letter by letter.")
    annotators = access.get_annotators(request)
    context = {
        "entries": [_entry(annotator, get_language() or "en") for annotator in annotators],
        "needs_code": not annotators,
        "error": error,
    }
    return render(request, "annotations/my_data.html", context, status=400 if error else 200)


@never_cache
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """The same as a JSON file."""
    response = JsonResponse(
        {"campaigns": [_as_json(annotator) for annotator in access.get_annotators(request)]},
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@ratelimit(key="ip", rate="10/m", method="POST", block=True)
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Withdraws this session's annotator, or the one a withdrawal code belongs to."""
    campaign = access.get_campaign(slug)
    annotator = access.get_annotator(request, slug)
    context: dict[str, Any] = {"campaign": campaign, "needs_code": annotator is None}
    if request.method == "POST" and "confirm" in request.POST:
        annotator = annotator or find_by_withdrawal_code(request.POST.get("code", ""))
        if annotator and annotator.campaign_id == campaign.pk:
            withdraw(annotator, now=timezone.now())
            access.sign_out(request, annotator)
            return render(
                request, "annotations/withdraw.html", context | {"withdrawn_on": annotator.withdrawn_at}
            )
        context["error"] = _("This code is not known. Please check it letter by letter.")
    if annotator:
        context["ratings_count"] = _ratings(annotator).count()
    return render(request, "annotations/withdraw.html", context, status=400 if "error" in context else 200)


def _entry(annotator: Annotator, language: str) -> dict[str, Any]:
    consent = current_consent(annotator)
    profile = latest_profile(annotator)
    return {
        "campaign": annotator.campaign,
        "joined_on": annotator.enrolled_at,
        "withdrawn_on": annotator.withdrawn_at,
        "consents": [
            {"label": scope.label, "granted": scope in consent.scopes, "decided_on": consent.given_at}
            for scope in Scope
            if consent
        ],
        "answers": [
            {"label": label, "value": value}
            for label, value in (answers_in_words(profile, language) if profile else ())
        ],
        "ratings_count": _ratings(annotator).count(),
        "ratings": [_rating_in_words(rating, language) for rating in _ratings(annotator)[:500]],
    }


def _ratings(annotator: Annotator) -> Any:
    return (
        Rating.objects.filter(annotator=annotator, ballot__is_current=True)
        .select_related("ballot", "candidate__prompt", "criterion")
        .order_by("-ballot__submitted_at", "pk")
    )


def _rating_in_words(rating: Rating, language: str) -> dict[str, Any]:
    words = rating.criterion.worded(language)
    value = Missing(rating.missing).label if rating.missing else f"{rating.value:g}"
    if rating.value is not None and words["categories"]:
        value = words["categories"][int(rating.value)]
    return {
        "prompt": rating.candidate.prompt.conversation[-1]["content"],
        "response": rating.candidate.text,
        "criterion": words["question"],
        "value": value,
        "sent_on": rating.ballot.submitted_at,
    }


def _as_json(annotator: Annotator) -> dict[str, Any]:
    return {
        "campaign": annotator.campaign.slug,
        "enrolled_at": annotator.enrolled_at.isoformat(),
        "withdrawn_at": annotator.withdrawn_at.isoformat() if annotator.withdrawn_at else None,
        "languages": annotator.languages,
        "consents": [
            {"version": one.document.version, "scopes": one.scopes, "given_at": one.given_at.isoformat()}
            for one in annotator.consents.select_related("document")
        ],
        "profiles": [
            {
                "version": one.version,
                "answers": one.answers,
                "attributes": one.attributes,
                "scores": one.scores,
                "text": one.text,
            }
            for one in annotator.profiles.all()
        ],
        "ratings": list(_ratings_as_json(annotator)),
    }


def _ratings_as_json(annotator: Annotator) -> Iterator[dict[str, Any]]:
    for rating in _ratings(annotator):
        yield {
            "prompt": rating.candidate.prompt.conversation,
            "response": rating.candidate.text,
            "criterion": rating.criterion.name,
            "value": rating.value,
            "missing": rating.missing or None,
            "submitted_at": rating.ballot.submitted_at.isoformat() if rating.ballot.submitted_at else None,
        }
