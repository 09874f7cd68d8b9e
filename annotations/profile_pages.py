"""The pages on which people describe themselves, see and correct what is kept, and decide on a summary."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_ratelimit.decorators import ratelimit

from annotations import access
from annotations.guard import for_annotators
from annotations.models import Annotator, ProfileSummary, ValueProfile
from annotations.profile_form import as_sent, item_order, profile_sections, read_profile
from annotations.profile_words import scores_in_words
from annotations.profiles import (
    InvalidProfile,
    answers_in_words,
    approve_text,
    clean_text,
    latest_profile,
    own_words,
    record_profile,
)
from annotations.questionnaires import language_info
from annotations.summaries import NothingToDecide, accept_summary, pending_summary, refuse_summary
from annotations.views import to_next_seat


@require_http_methods(["GET", "POST"])
@ratelimit(key=access.rate_key, rate="60/m", method="POST", block=True)
@for_annotators
def profile(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The questions; who answered before finds their answers, and a correction is a new version."""
    known = latest_profile(annotator)
    if request.method == "GET":
        sections = profile_sections(annotator, as_sent(known) if known else None)
        return _form_page(request, annotator, known, sections)
    skipped = "skip" in request.POST
    if skipped and known:
        return redirect("annotations:my_profile", annotator.campaign.slug)
    raw = {} if skipped else read_profile(annotator, request.POST)
    languages = [code for code in request.POST.getlist("languages") if code in annotator.campaign.languages]
    try:
        record_profile(
            annotator,
            raw,
            languages=languages,
            item_order=item_order(annotator),
            was_pasted=bool(request.POST.get("pasted")),
        )
    except InvalidProfile as error:
        sections = profile_sections(annotator, raw, error.fields)
        return _form_page(request, annotator, known, sections, status=400)
    if known:
        messages.success(request, _("Saved. What you said before is kept as an earlier version."))
        return redirect("annotations:my_profile", annotator.campaign.slug)
    return to_next_seat(request, annotator)


@require_GET
@for_annotators
def my_profile(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """What is kept of what this person said about themselves, and what was made of it."""
    known = latest_profile(annotator)
    if known is None:
        return redirect("annotations:profile", annotator.campaign.slug)
    return render(request, "annotations/my_profile.html", _profile_context(annotator, known))


@require_POST
@ratelimit(key=access.rate_key, rate="60/m", block=True)
@for_annotators
def decide_summary(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """Accepts the proposed summary as the person left it, or refuses it."""
    try:
        if "refuse" in request.POST:
            refuse_summary(annotator, now=timezone.now())
            messages.success(request, _("The summary is not used."))
        elif text := clean_text(request.POST.get("text", "")):
            accept_summary(annotator, text, now=timezone.now())
            messages.success(request, _("Saved. These words now stand for your values."))
        else:
            messages.error(request, _("Nothing is saved: there were no words, or more than can be kept."))
    except NothingToDecide:
        messages.info(request, _("There is no summary to decide on any more."))
    return redirect("annotations:my_profile", annotator.campaign.slug)


@require_POST
@ratelimit(key=access.rate_key, rate="60/m", block=True)
@for_annotators
def change_text(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """Changes the words that stand for the person's values, or takes them away."""
    if latest_profile(annotator) is None:
        return redirect("annotations:profile", annotator.campaign.slug)
    raw = "" if "remove" in request.POST else request.POST.get("text", "")
    text = clean_text(raw)
    if text is None:
        messages.error(request, _("Nothing is saved: there were no words, or more than can be kept."))
    else:
        approve_text(annotator, text)
        messages.success(request, _("Saved. What you said before is kept as an earlier version."))
    return redirect("annotations:my_profile", annotator.campaign.slug)


def _form_page(
    request: HttpRequest,
    annotator: Annotator,
    known: ValueProfile | None,
    sections: list[dict[str, Any]],
    *,
    status: int = 200,
) -> HttpResponse:
    offered = annotator.campaign.languages if len(annotator.campaign.languages) > 1 else []
    context = {
        "campaign": annotator.campaign,
        "sections": sections,
        "is_correction": known is not None,
        "withdrawal_code": "" if known else access.withdrawal_code(request, annotator.campaign.slug),
        "languages": [
            {
                "code": code,
                "name": language_info(code).get("name_local", code),
                "checked": code in annotator.languages,
            }
            for code in offered
        ],
    }
    return render(request, "annotations/profile.html", context, status=status)


def _profile_context(annotator: Annotator, known: ValueProfile) -> dict[str, Any]:
    language = get_language() or "en"
    summary = pending_summary(annotator)
    is_proposed = summary is not None and summary.state == ProfileSummary.State.PROPOSED
    return {
        "campaign": annotator.campaign,
        "profile": known,
        "answers": list(answers_in_words(known, language)),
        "scores": list(scores_in_words(known, language)),
        "summary": summary if is_proposed else None,
        "is_being_written": summary is not None and not is_proposed,
        "can_have_text": annotator.campaign.summariser_id is not None,
        "wrote": bool(own_words(known)),
    }
