"""The list of campaigns and the page of one: how far it is, and the buttons that move it on."""

from typing import Any

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from annotations.tasks import simulate_annotators
from collector.generation import start_generation
from collector.lifecycle import NotReady, WrongState, close_campaign, open_campaign, pause_campaign
from collector.models import Campaign, GenerationRun
from collector.plan_size import plan_sizes, total_size
from collector.planning import UnknownProvider
from collector.run_control import cancel_runs, pause_runs, resume_runs, retry_runs
from console.access import (
    can_manage,
    get_managed_campaign,
    get_readable_campaign,
    readable_campaigns,
    signed_in_user,
)
from console.checklist import opening_checklist
from console.overview import campaign_rows
from console.progress import campaign_progress as progress_of
from console.releases import release_rows, suggest_version

MOST_SIMULATED = 500
log = structlog.get_logger(__name__)


@login_required
@require_safe
def campaign_list(request: HttpRequest) -> HttpResponse:
    rows = campaign_rows(readable_campaigns(request))
    context = {
        "campaigns": rows,
        "can_add": request.user.has_perm("collector.add_campaign"),
        "nav": "campaigns",
    }
    return render(request, "console/campaign_list.html", context)


@login_required
@require_safe
def campaign_page(request: HttpRequest, slug: str) -> HttpResponse:
    return render_campaign(request, get_readable_campaign(request, slug))


def render_campaign(
    request: HttpRequest, campaign: Campaign, *, status: int = 200, **extra: Any
) -> HttpResponse:
    """The campaign's page; `extra` may hold `problems`, in words, of what was just tried."""
    checklist = opening_checklist(campaign) if campaign.is_draft else []
    releases = release_rows(campaign, signed_in_user(request))
    progress = progress_of(campaign, timezone.now())
    context = {
        "campaign": campaign,
        "can_manage": can_manage(request, campaign),
        "checklist": checklist,
        "is_ready": all(step.done for step in checklist),
        "progress": progress,
        # What is about to be asked for, as long as nothing has been.
        "plan": total_size(plan_sizes(campaign)) if progress["generation"].left else None,
        "annotator_link": join_address(request, campaign),
        "releases": releases,
        "is_cutting": any(row["cutting"] for row in releases),
        "next_version": suggest_version(campaign),
        "nav": "campaigns",
    }
    return render(request, "console/campaign.html", context | extra, status=status)


@require_safe
def campaign_progress(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the page that htmx asks for again and again."""
    if not request.user.is_authenticated and request.htmx:  # type: ignore[attr-defined]
        # A redirect would put the sign-in page inside the campaign's.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return _progress_part(request, slug=slug)


@login_required
def _progress_part(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = get_readable_campaign(request, slug)
    progress = progress_of(campaign, timezone.now())
    context = {"campaign": campaign, "progress": progress, "can_manage": can_manage(request, campaign)}
    return render(request, "console/_progress_answer.html", context)


@login_required
@require_POST
def campaign_state(request: HttpRequest, slug: str) -> HttpResponse:
    """Opens, pauses or closes, or says on the page why not."""
    campaign = get_managed_campaign(request, slug)
    try:
        said = _take_step(campaign, request.POST.get("action", ""))
    except NotReady as error:
        return render_campaign(request, campaign, status=409, problems=error.missing)
    except WrongState as error:
        return render_campaign(request, campaign, status=409, problems=[str(error)])
    log.info("campaign_state_changed", campaign=campaign.slug, state=campaign.state, user=request.user.pk)
    messages.success(request, said)
    return redirect("console:campaign", campaign.slug)


def _take_step(campaign: Campaign, action: str) -> str:
    match action:
        case "open":
            open_campaign(campaign, now=timezone.now())
            return _("The campaign is open: whoever has the link can take part.")
        case "pause":
            pause_campaign(campaign)
            return _("Paused: no new seats are given out; whoever holds one can still send their ratings.")
        case "close":
            close_campaign(campaign, now=timezone.now())
            return _("The campaign is closed. Nobody can rate any more; everything given is kept.")
    raise BadRequest(_("There is no such step."))


@login_required
@require_POST
def generate(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks the generators for what is missing."""
    campaign = get_managed_campaign(request, slug)
    try:
        runs = start_generation(campaign, now=timezone.now())
    except (UnknownProvider, WrongState) as error:
        return render_campaign(request, campaign, status=409, problems=[str(error)])
    names = ", ".join(run.generator.name for run in runs)
    if runs:
        messages.success(request, _("Asked for candidates from %(names)s.") % {"names": names})
    else:
        messages.info(request, _("Every candidate is there already."))
    return redirect("console:campaign", campaign.slug)


@login_required
@require_POST
def generation_step(request: HttpRequest, slug: str) -> HttpResponse:
    """Pauses, resumes or stops the campaign's generation runs, or tries again what failed in them."""
    campaign = get_managed_campaign(request, slug)
    action = request.POST.get("action", "")
    try:
        said = _steer_runs(campaign, action)
    except WrongState as error:
        return render_campaign(request, campaign, status=409, problems=[str(error)])
    log.info("generation_steered", campaign=campaign.slug, action=action, user=request.user.pk)
    messages.success(request, said)
    return redirect("console:campaign", campaign.slug)


def _steer_runs(campaign: Campaign, action: str) -> str:
    runs, now = GenerationRun.objects.filter(generator__campaign=campaign), timezone.now()
    match action:
        case "pause":
            pause_runs(runs)
            return _("Paused: what a worker has in hand is finished, nothing further is begun.")
        case "resume":
            resume_runs(runs, now=now)
            return _("Candidates are being generated again.")
        case "cancel":
            cancel_runs(runs, now=now)
            return _("Stopped. What is there stays; what was not begun can be generated later.")
        case "retry":
            retry_runs(runs, now=now)
            return _("What failed is tried again.")
    raise BadRequest(_("There is no such step."))


@login_required
@require_POST
def simulate(request: HttpRequest, slug: str) -> HttpResponse:
    """Lets simulated annotators take part in a demo campaign."""
    campaign = get_managed_campaign(request, slug)
    raw = request.POST.get("annotators", "")
    count = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 6 else 0
    if not 1 <= count <= MOST_SIMULATED:
        said = _("Simulate from 1 to %(most)s annotators.") % {"most": MOST_SIMULATED}
        return render_campaign(request, campaign, status=400, problems=[said])
    if not campaign.is_demo or not campaign.is_open:
        said = _("Simulated annotators take part only in a demo campaign that is open.")
        return render_campaign(request, campaign, status=409, problems=[said])
    # The same seed means the same annotators: new ones join those there are, and a second click joins none.
    seed = campaign.annotators.filter(source="simulated").count()
    try:
        simulate_annotators.delay(campaign.pk, count, seed)
    except OperationalError:
        said = _("The queue of work cannot be reached; nothing was started. Try again in a moment.")
        return render_campaign(request, campaign, status=503, problems=[said])
    said = ngettext(
        "%(n)s simulated annotator is on the way.", "%(n)s simulated annotators are on their way.", count
    )
    messages.success(request, said % {"n": count})
    return redirect("console:campaign", campaign.slug)


def join_address(request: HttpRequest, campaign: Campaign) -> str:
    return request.build_absolute_uri(reverse("annotations:join", args=[campaign.slug]))
