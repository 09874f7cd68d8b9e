"""The page for practice, attention items and daily limits, and the one with evidence on how people worked."""

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotations.attention import make_attention_items
from annotations.evidence import FLAGS, flags_by_stratum, gather_evidence, median_seconds
from annotations.models import Annotator, Seat
from collector.lifecycle import WrongState
from collector.models import Campaign, Criterion, Prompt
from console.access import get_managed_campaign
from console.practice_forms import AttentionForm, LimitsForm, QuestionForm

PEOPLE_A_PAGE = 50
# Flags by stratum are counted over the latest so many people, which bounds the page's work.
PEOPLE_COUNTED = 1000


@login_required
@require_http_methods(["GET", "POST"])
def practice(request: HttpRequest, slug: str) -> HttpResponse:
    """Each part of the page is a form of its own; `part` in the POST says which was sent."""
    campaign = get_managed_campaign(request, slug)
    part = request.POST.get("part", "")
    criteria = list(campaign.criteria.filter(kind__in=Criterion.RATED))
    page: dict[str, Any] = {
        "limits": LimitsForm(request.POST if part == "limits" else None, instance=campaign),
        "question": QuestionForm(campaign, request.POST if part == "question" else None),
        "attention": AttentionForm(criteria, request.POST if part == "attention" else None),
    }
    problems: list[str] = []
    if request.method == "POST":
        try:
            if _save(campaign, part, page, request.POST.get("place", "")):
                return redirect("console:practice", campaign.slug)
        except WrongState as error:
            problems = [str(error)]
    others = campaign.prompts.exclude(purpose=Prompt.Purpose.JUDGED).order_by("purpose", "position")
    context = page | {
        "campaign": campaign,
        "can_manage": True,
        "nav": "campaigns",
        "page": "practice",
        "problems": problems,
        "questions": campaign.comprehension,
        "items": others[:200],
    }
    return render(request, "console/practice.html", context, status=400 if request.method == "POST" else 200)


@login_required
@require_safe
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Annotators who have rated, the latest first, with what there is to see of how they worked."""
    campaign = get_managed_campaign(request, slug)
    filled = Seat.objects.filter(
        campaign=campaign, state=Seat.State.FILLED, purpose=Prompt.Purpose.JUDGED
    ).values("annotator")
    raters = Annotator.objects.filter(campaign=campaign, pk__in=filled).select_related("stratum")
    paginator = Paginator(raters.order_by("-pk"), PEOPLE_A_PAGE)
    shown = paginator.get_page(request.GET.get("page"))
    counted = gather_evidence(campaign, list(raters.order_by("-pk")[:PEOPLE_COUNTED]))
    known = {row.annotator.pk: row for row in counted}
    older = [annotator for annotator in shown if annotator.pk not in known]
    known |= {row.annotator.pk: row for row in (gather_evidence(campaign, older) if older else [])}
    context = {
        "campaign": campaign,
        "can_manage": True,
        "nav": "campaigns",
        "page": "people",
        "rows": [known[annotator.pk] for annotator in shown],
        "shown": shown,
        "strata": flags_by_stratum(counted),
        "flags": FLAGS,
        "counted": len(counted),
        "total": paginator.count,
        "usual": median_seconds(campaign),
    }
    return render(request, "console/people.html", context)


def _save(campaign: Campaign, part: str, page: dict[str, forms.BaseForm], place: str) -> bool:
    """Does what the sent part asks for; False where its form has faults."""
    if part == "remove" and place.isdigit() and int(place) < len(campaign.comprehension):
        del campaign.comprehension[int(place)]
        campaign.save(update_fields=["comprehension"])
        return True
    form = page.get(part)
    if form is None or not form.is_valid():
        return form is None
    if isinstance(form, LimitsForm):
        form.save()
    elif isinstance(form, QuestionForm):
        campaign.comprehension.append(form.row)
        campaign.save(update_fields=["comprehension"])
    elif isinstance(form, AttentionForm):
        make_attention_items(campaign, form.expected)
    return True
