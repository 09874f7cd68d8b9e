"""The pages around the rating page: questions on the instructions, and what practice teaches."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_ratelimit.decorators import ratelimit

from annotations import access
from annotations.consent import current_consent
from annotations.guard import for_annotators
from annotations.models import Annotator, Seat
from annotations.practice import Compared, compare
from annotations.rating_page import answer_in_words
from annotations.understanding import TRIES_BEFORE_A_WAY_BACK, check_answers, needs_check, questions_for
from collector.models import Prompt
from collector.rendering import render_markdown, trusted_html


@require_http_methods(["GET", "POST"])
@ratelimit(key=access.rate_key, rate="60/m", method="POST", block=True)
@for_annotators
def check(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The questions on the instructions; a wrong answer is explained and may be given again."""
    if not needs_check(annotator):
        return redirect("annotations:rate", annotator.campaign.slug)
    if request.method == "GET":
        return render(request, "annotations/check.html", _check_context(annotator, {}, []))
    count = len(questions_for(annotator.campaign, annotator.language))
    given = {place: request.POST.get(f"q-{place}") for place in range(count)}
    wrong = check_answers(annotator, given, now=timezone.now())
    if not wrong:
        return redirect("annotations:rate", annotator.campaign.slug)
    return render(request, "annotations/check.html", _check_context(annotator, given, wrong), status=400)


@require_GET
@for_annotators
def explained(request: HttpRequest, annotator: Annotator, nonce: str) -> HttpResponse:
    """What the manager says about a practice prompt, beside what was answered."""
    seat = access.get_seat(annotator, nonce)
    if seat.purpose != Prompt.Purpose.TRAINING or seat.state != Seat.State.FILLED:
        raise Http404
    rows = [_row(compared, annotator.language) for compared in compare(seat)]
    context = {
        "campaign": annotator.campaign,
        "explanation": trusted_html(render_markdown(seat.prompt.explanation)),
        "language": seat.prompt.language,
        "rows": rows,
        "all_met": all(row["is_met"] for row in rows),
    }
    return render(request, "annotations/explained.html", context)


def _check_context(annotator: Annotator, given: dict[int, str | None], wrong: list[int]) -> dict[str, Any]:
    consent = current_consent(annotator)
    questions = [
        {
            "name": f"q-{place}",
            "text": question.text,
            "options": [
                {"value": value, "label": label, "checked": given.get(place) == str(value)}
                for value, label in enumerate(question.options)
            ],
            "is_wrong": place in wrong,
            "explanation": question.explanation,
        }
        for place, question in enumerate(questions_for(annotator.campaign, annotator.language))
    ]
    return {
        "campaign": annotator.campaign,
        "questions": questions,
        "has_wrong": bool(wrong),
        "way_back": annotator.check_tries >= TRIES_BEFORE_A_WAY_BACK,
        "instructions": trusted_html(render_markdown(consent.document.text)) if consent else "",
        "instructions_language": consent.document.language if consent else "",
    }


def _row(compared: Compared, language: str) -> dict[str, Any]:
    criterion = compared.criterion
    low, high = (answer_in_words(criterion, value, language) for value in (compared.low, compared.high))
    return {
        "question": criterion.worded(language)["question"],
        "said": answer_in_words(criterion, compared.value, language),
        "expected": low if low == high else f"{low} – {high}",
        "is_met": compared.is_met,
    }
