"""The pages at the end: done, or stopped early, with the code that the platform asks for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from annotations import access
from annotations.closed_page import closed_page
from annotations.completion import code_for, completion_of, stop
from annotations.guard import for_annotators
from annotations.models import Annotator, Completion
from annotations.progress import annotator_progress
from annotations.recruitment import recruitment_of, return_address
from annotations.summaries import has_proposed_summary


@require_GET
@for_annotators
def done(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """The end, once the server has seen it; until then there is more to do."""
    completion = completion_of(annotator)
    if completion is None:
        return redirect("annotations:rate", annotator.campaign.slug)
    if completion.kind == Completion.Kind.SCREENED_OUT:
        return closed_page(request, annotator.campaign, "full", **code_context(annotator, completion))
    return render(request, "annotations/done.html", _context(request, annotator, completion))


@require_http_methods(["GET", "POST"])
@for_annotators
def stop_early(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """Asks once, then gives the code for what was sent."""
    if request.method == "POST" and stop(annotator, now=timezone.now()):
        return redirect("annotations:done", annotator.campaign.slug)
    context = {
        "campaign": annotator.campaign,
        "done": annotator_progress(annotator).done,
        "has_stopped": request.method == "POST",
    }
    return render(request, "annotations/stop.html", context)


def ready_page(request: HttpRequest, annotator: Annotator) -> HttpResponse:
    """Nothing is held, and the next seat may be asked for; who is done already finds their code again."""
    completion = completion_of(annotator)
    if completion and completion.kind == Completion.Kind.SCREENED_OUT:
        completion = None
    context = _context(request, annotator, completion) | {"can_continue": True}
    return render(request, "annotations/done.html", context)


def last_code(annotator: Annotator) -> dict[str, Any]:
    """For the page after withdrawing: the code for what was done until then, unless that is paid."""
    completion = completion_of(annotator)
    return code_context(annotator, completion) if completion and not completion.paid_at else {}


def code_context(annotator: Annotator, completion: Completion) -> dict[str, Any]:
    rules = recruitment_of(annotator.campaign)
    code = code_for(completion, rules)
    return {"code": code, "return_url": return_address(annotator, rules, code), "kind": completion.kind}


def _context(request: HttpRequest, annotator: Annotator, completion: Completion | None) -> dict[str, Any]:
    context = {
        "campaign": annotator.campaign,
        "withdrawal_code": access.withdrawal_code(request, annotator.campaign.slug),
        "done": annotator_progress(annotator).done,
        "has_summary": has_proposed_summary(annotator),
        "can_continue": completion is not None and completion.kind == Completion.Kind.PARTIAL,
    }
    return context | (code_context(annotator, completion) if completion else {})
