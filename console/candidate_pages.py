"""A campaign's candidates: how different those of each prompt are, and one prompt's side by side."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, Min, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from collector.candidate_intake import IMPORTED
from collector.flags import CUT_OFF, LENGTH_OUTLIER, REFUSAL_FLAG, SELF_IDENTIFYING_FLAG
from collector.marking import remark
from collector.models import Campaign, Candidate, Dispersion, Prompt
from collector.rendering import render_markdown, trusted_html
from console.access import can_manage, get_managed_campaign, get_readable_campaign

PROMPTS_PER_PAGE = 50
CANDIDATES_PER_PAGE = 24
FLAGS: dict[str, Promise] = {
    SELF_IDENTIFYING_FLAG: _("says which model it is"),
    REFUSAL_FLAG: _("refuses to answer"),
    CUT_OFF: _("cut off by the limit of tokens"),
    LENGTH_OUTLIER: _("unusually long or short for its generator"),
}


@login_required
@require_safe
def candidates(request: HttpRequest, slug: str) -> HttpResponse:
    """The prompts with candidates, a page at a time; `?order=dispersion` puts the most alike first."""
    campaign = get_readable_campaign(request, slug)
    by_dispersion = request.GET.get("order") == "dispersion"
    page = Paginator(_prompts(campaign, by_dispersion), PROMPTS_PER_PAGE).get_page(request.GET.get("page"))
    imported = campaign.generators.filter(provider=IMPORTED).order_by("pk")
    return _render(request, campaign, "candidates", page, by_dispersion=by_dispersion, imported=imported)


@login_required
@require_POST
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Says which imported candidates people wrote; the others are then compared with them anew."""
    campaign = get_managed_campaign(request, slug)
    imported = campaign.generators.filter(provider=IMPORTED)
    imported.update(written_by_people=Q(name__in=request.POST.getlist("generator")))
    remark(campaign, ["written_by_people"])
    messages.success(request, gettext("Saved. The candidates are being compared anew."))
    return redirect("console:candidates", campaign.slug)


@login_required
@require_safe
def prompt_candidates(request: HttpRequest, slug: str, prompt: int) -> HttpResponse:
    """One prompt's candidates side by side, with their marks."""
    campaign = get_readable_campaign(request, slug)
    found = get_object_or_404(campaign.prompts, pk=prompt)
    done = (
        found.candidates.done()
        .select_related("generator", "duplicate_of")
        .defer("text", "extra", "duplicate_of__text", "duplicate_of__html", "duplicate_of__extra")
        .order_by("generator", "steering", "sample_index")
    )
    page = Paginator(done, CANDIDATES_PER_PAGE).get_page(request.GET.get("page"))
    return _render(
        request,
        campaign,
        "prompt_candidates",
        page,
        prompt=found,
        turns=[(turn["role"], trusted_html(render_markdown(turn["content"]))) for turn in found.conversation],
        candidates=[_candidate_row(candidate) for candidate in page],
        dispersions=found.dispersions.select_related("generator").order_by("generator"),
    )


def _prompts(campaign: Campaign, by_dispersion: bool) -> QuerySet[Prompt]:
    own = Candidate.objects.filter(prompt=OuterRef("pk"))
    is_done = Q(candidates__state=Candidate.State.DONE)
    figures = Dispersion.objects.select_related("generator").order_by("generator")
    prompts = (
        campaign.prompts.filter(Exists(own.done()))
        .annotate(
            done=Count("candidates", filter=is_done),
            repeated=Count("candidates", filter=is_done & Q(candidates__duplicate_of__isnull=False)),
            flagged=Count("candidates", filter=is_done & ~Q(candidates__flags=[])),
            left_out=Count("candidates", filter=is_done & ~Q(candidates__left_out="")),
        )
        .prefetch_related(Prefetch("dispersions", figures))
    )
    if not by_dispersion:
        return prompts.order_by("position", "pk")
    least = Dispersion.objects.filter(prompt=OuterRef("pk")).order_by().values("prompt")
    return prompts.annotate(least=least.annotate(least=Min("value")).values("least")).order_by(
        F("least").asc(nulls_last=True), "position", "pk"
    )


def _candidate_row(candidate: Candidate) -> dict[str, Any]:
    return {
        "candidate": candidate,
        "html": trusted_html(candidate.html),
        "flags": [FLAGS.get(flag, flag) for flag in candidate.flags],
        "repeats": candidate.duplicate_of and candidate.duplicate_of.external_id,
        "left_out": candidate.get_left_out_display(),
        "measure": candidate.marked_with.get("measure", ""),
    }


def _render(
    request: HttpRequest, campaign: Campaign, page_name: str, rows: Page[Any], **context: Any
) -> HttpResponse:
    context |= {
        "campaign": campaign,
        "can_manage": can_manage(request, campaign),
        "page": "candidates",
        "rows": rows,
        "nav": "campaigns",
    }
    return render(request, f"console/{page_name}.html", context)
