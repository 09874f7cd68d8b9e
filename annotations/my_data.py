"""What we hold on one person, in words and as JSON, and the way out."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_ratelimit.decorators import ratelimit

from annotations import access
from annotations.consent import change_scopes
from annotations.ending import last_code
from annotations.enrolment import find_by_withdrawal_code, withdraw
from annotations.held_data import as_json, in_words


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
        "entries": [in_words(annotator, get_language() or "en") for annotator in annotators],
        "needs_code": not annotators,
        "can_leave_all": sum(not annotator.is_withdrawn for annotator in annotators) > 1,
        "note": " ".join(str(message) for message in messages.get_messages(request)),
        "error": error,
    }
    return render(request, "annotations/my_data.html", context, status=400 if error else 200)


@never_cache
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """The same as a JSON file."""
    response = JsonResponse(
        {"campaigns": [as_json(annotator) for annotator in access.get_annotators(request)]},
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@never_cache
@require_POST
def change_consent(request: HttpRequest, slug: str) -> HttpResponse:
    """Allows or takes back what is optional; it counts from the next release on."""
    annotator = access.get_annotator(request, slug)
    if annotator and not annotator.is_withdrawn:
        change_scopes(annotator, request.POST.getlist("scope"))
        messages.success(request, _("Saved. It counts from the next release on."))
    return redirect("annotations:my_data")


@never_cache
@require_http_methods(["GET", "POST"])
def leave_all(request: HttpRequest) -> HttpResponse:
    """Withdraws this session's annotators from every campaign they took part in."""
    present = [annotator for annotator in access.get_annotators(request) if not annotator.is_withdrawn]
    if not present:
        return redirect("annotations:my_data")
    context: dict[str, Any] = {"campaigns": [annotator.campaign for annotator in present]}
    if request.method == "POST" and "confirm" in request.POST:
        now = timezone.now()
        for annotator in present:
            withdraw(annotator, now=now)
            access.sign_out(request, annotator)
        context["withdrawn_on"] = now
    return render(request, "annotations/withdraw_all.html", context)


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
            context |= {"withdrawn_on": annotator.withdrawn_at} | last_code(annotator)
            return render(request, "annotations/withdraw.html", context)
        context["error"] = _("This code is not known. Please check it letter by letter.")
    if annotator:
        context["ratings_count"] = annotator.ratings.filter(ballot__is_current=True).count()
    return render(request, "annotations/withdraw.html", context, status=400 if "error" in context else 200)
