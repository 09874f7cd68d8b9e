"""The annotator's way between joining and the end: consent, and rate; the profile has pages of its own."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_ratelimit.decorators import ratelimit

from annotations import access
from annotations.assignment import current_seat, extend_hold, next_seats, void_seat
from annotations.ballots import BallotRefused, InvalidAnswers, submit_ballot
from annotations.closed_page import closed_page
from annotations.completion import finish
from annotations.consent import ASKED, document_for, give_consent, needs_consent
from annotations.daily_limits import rest_until
from annotations.eligibility import spoken_languages
from annotations.ending import ready_page
from annotations.enrolment import Refused, enrol
from annotations.guard import for_annotators
from annotations.models import Annotator, Scope, Seat
from annotations.profiles import latest_profile
from annotations.progress import annotator_progress
from annotations.rating_page import rating_context, read_answers
from annotations.recruitment import recruitment_of
from annotations.understanding import needs_check
from collector.models import Campaign, Prompt
from collector.rendering import render_markdown, trusted_html


@never_cache
@require_http_methods(["GET", "POST"])
@ratelimit(key="ip", rate="300/m", method="POST", block=True)
def consent(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = access.get_campaign(slug)
    annotator = access.get_annotator(request, slug)
    if annotator and (annotator.is_withdrawn or not needs_consent(annotator)):
        return redirect("annotations:rate", slug)
    if annotator is None and not campaign.is_open:
        return closed_page(request, campaign, campaign.state)
    if annotator is None and access.recall_entry(request, slug).source not in recruitment_of(campaign).ways:
        return redirect("annotations:join", slug)
    if request.method == "POST" and Scope.TAKE_PART in (scopes := request.POST.getlist("scope")):
        return _agree(request, campaign, annotator, scopes)
    return _consent_page(request, campaign)


@require_GET
@for_annotators
def rate(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The seat being held; without one, the button that asks for the next."""
    if latest_profile(annotator) is None:
        return redirect("annotations:profile", annotator.campaign.slug)
    seat = current_seat(annotator, now=timezone.now())
    if seat is None and not annotator.campaign.is_open:
        return closed_page(request, annotator.campaign, annotator.campaign.state)
    if needs_check(annotator):
        return redirect("annotations:check", annotator.campaign.slug)
    if seat is None and (until := _rest(annotator)):
        return render(request, "annotations/rest.html", {"campaign": annotator.campaign, "until": until})
    if seat is None:
        return ready_page(request, annotator)
    return render(request, "annotations/rate.html", rating_context(seat) | {"note": _note(request)})


@require_POST
@for_annotators
def rate_next(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    return to_next_seat(request, annotator)


@require_POST
@ratelimit(key=access.rate_key, rate="240/m", block=True)
@for_annotators
def submit(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """Stores the ballot, once however often it is sent, and holds the next seat."""
    seat = access.get_seat(annotator, request.POST.get("form_nonce", ""))
    now = timezone.now()
    try:
        answers = read_answers(seat, request.POST)
        submit_ballot(seat, answers, now=now, active_seconds=_seconds(request.POST))
    except InvalidAnswers as error:
        context = rating_context(seat, request.POST, error.fields)
        return render(request, "annotations/rate.html", context, status=400)
    except BallotRefused:
        return closed_page(request, annotator.campaign, "closed", status=409)
    if seat.is_surplus:
        messages.info(request, _("Your seat was given back; your answers are kept."))
    if seat.purpose == Prompt.Purpose.TRAINING:
        return redirect("annotations:explained", annotator.campaign.slug, seat.nonce)
    return to_next_seat(request, annotator)


@require_POST
@for_annotators
def skip(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    seat = access.get_seat(annotator, request.POST.get("form_nonce", ""))
    if seat.state == Seat.State.HELD:
        void_seat(seat, Seat.VoidReason.SKIPPED, now=timezone.now())
    return to_next_seat(request, annotator)


@require_POST
@ratelimit(key=access.rate_key, rate="60/m", block=True)
@for_annotators
def hold(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """Holds the seat on for whoever is still at its page; 410 Gone where it has been given back."""
    seat = access.get_seat(annotator, request.POST.get("form_nonce", ""))
    return HttpResponse(status=204 if extend_hold(seat, now=timezone.now()) else 410)


def _agree(
    request: HttpRequest, campaign: Campaign, annotator: Annotator | None, scopes: list[str]
) -> HttpResponse:
    language = get_language() or "en"
    document = document_for(campaign, language)
    if document is None:
        return closed_page(request, campaign, "not_open")
    if annotator:
        give_consent(annotator, document, scopes)
        return redirect("annotations:rate", campaign.slug)
    entry = access.recall_entry(request, campaign.slug)
    languages = access.recall_languages(request, campaign.slug) or spoken_languages(campaign, language)
    try:
        enrolment = enrol(campaign, entry, document, scopes, language=language, languages=languages)
    except Refused as error:
        return closed_page(request, campaign, error.reason, status=409)
    access.sign_in(request, enrolment.annotator, withdrawal_code=enrolment.withdrawal_code)
    return redirect("annotations:profile", campaign.slug)


def _consent_page(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    document = document_for(campaign, get_language() or "en")
    if document is None:
        return closed_page(request, campaign, "not_open")
    sent = request.POST.getlist("scope") if request.method == "POST" else []
    context = {
        "campaign": campaign,
        "document": {
            "title": document.title,
            "html": trusted_html(render_markdown(document.text)),
            "version": document.version,
            "language": document.language,
        },
        "scopes": [
            {"name": scope.value, "label": words, "required": required, "checked": scope.value in sent}
            for scope, words, required in ASKED
        ],
        "error": _("To take part, please tick the first box.") if request.method == "POST" else "",
    }
    return render(request, "annotations/consent.html", context, status=400 if context["error"] else 200)


def to_next_seat(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """To the next seat if one can be had, else to the end; first to what has to be passed before."""
    if needs_check(annotator):
        return redirect("annotations:check", annotator.campaign.slug)
    if next_seats(annotator, now=timezone.now()):
        return redirect("annotations:rate", annotator.campaign.slug)
    if _rest(annotator):
        return redirect("annotations:rate", annotator.campaign.slug)
    finish(annotator, now=timezone.now())
    return redirect("annotations:done", annotator.campaign.slug)


def _rest(annotator: Annotator) -> datetime | None:
    """Until when this person has done enough, where there is something left for them to come back to."""
    until = rest_until(annotator, timezone.now())
    return until if until and annotator_progress(annotator).left else None


def _note(request: HttpRequest) -> str:
    return " ".join(str(message) for message in messages.get_messages(request))


def _seconds(data: Any) -> float | None:
    raw = data.get("active_seconds", "")
    return float(raw) if raw.replace(".", "", 1).isdigit() and len(raw) < 12 else None
