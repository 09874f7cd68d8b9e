"""The jury's page: who sits on it, what that will take, and the panel drawn for it."""

from typing import Any

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forecast import forecast_jury
from annotations.panels import AlreadyDrawn, Member, draw_for, read_pool, read_quotas, write_panel
from annotations.recruitment import recruitment_of
from annotations.soft_targets import soft_balance
from annotations.sortition import QuotasClash
from collector.models import Campaign
from collector.tabular import IntakeError
from console.access import get_managed_campaign
from console.campaign_pages import join_address
from console.jury_form import JuryForm
from console.panel_form import PanelForm

log = structlog.get_logger(__name__)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def jury(request: HttpRequest, slug: str) -> HttpResponse:
    """The settings with their forecast; "forecast" shows what changes would take, and keeps nothing."""
    campaign = get_managed_campaign(request, slug)
    form = JuryForm(request.POST or None, instance=campaign)
    if request.method == "POST" and form.is_valid() and request.POST.get("action") != "forecast":
        form.save()
        log.info("jury_changed", campaign=slug, user=request.user.pk)
        messages.success(request, _("Saved."))
        return redirect("console:jury", slug)
    return _page(request, campaign, status=400 if form.errors else 200, form=form)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def jury_forecast(request: HttpRequest, slug: str) -> HttpResponse:
    """The part that htmx asks for: of the form as it is being filled in, or of what happened by now."""
    campaign = get_managed_campaign(request, slug)
    if request.method == "POST" and not JuryForm(request.POST, instance=campaign).is_valid():
        return HttpResponse(status=204)  # half a number is being typed: the last forecast stays
    return render(request, "console/_forecast.html", _forecast(campaign))


@login_required
@require_POST
def draw_panel(request: HttpRequest, slug: str) -> HttpResponse:
    """Draws a panel and gives its codes as a file, this once."""
    campaign = get_managed_campaign(request, slug)
    form = PanelForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, campaign, status=400, panel_form=form)
    try:
        members = _draw(campaign, form.cleaned_data)
    except IntakeError as error:
        return _page(request, campaign, status=400, panel_form=form, faults=error)
    except (QuotasClash, AlreadyDrawn, ValueError) as error:
        return _page(request, campaign, status=409, panel_form=form, problems=_in_words(error))
    log.info("panel_drawn", campaign=slug, members=len(members), user=request.user.pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-panel.csv"'
    write_panel(members, join_address(request, campaign), response)  # type: ignore[arg-type]  # takes writes
    return response


def _draw(campaign: Campaign, sent: dict[str, Any]) -> list[Member]:
    pool, quotas = sent["pool"], sent["quotas"]
    return draw_for(
        campaign,
        read_pool(pool.file, pool.name),
        sent["size"],
        quotas=read_quotas(quotas.file, quotas.name) if quotas else [],
        proportional=sent["proportional"],
        name=pool.name,
    )


def _in_words(error: Exception) -> list[str]:
    if isinstance(error, AlreadyDrawn):
        return [_("There is a panel already, and somebody came by its invitation.")]
    if not isinstance(error, QuotasClash):
        return [_("The panel must be smaller than the pool.")]
    would_do = [
        f"{quota.attribute} {quota.level}: {quota.minimum}–{quota.maximum}" for quota in error.relaxed
    ]
    return [_("No panel meets the quotas. These would do:"), *would_do]


def _page(
    request: HttpRequest, campaign: Campaign, *, status: int = 200, form: JuryForm | None = None, **extra: Any
) -> HttpResponse:
    forecast = _forecast(campaign)
    if form and form.errors:
        campaign.refresh_from_db()  # a form that does not hold leaves its values on the object
        forecast = _forecast(campaign)
    context = {
        "campaign": campaign,
        "form": form or JuryForm(instance=campaign),
        "panel_form": PanelForm(),
        "panel": campaign.volunteers.count(),
        "balance": soft_balance(campaign) if campaign.soft_targets else [],
        "can_manage": True,
        "page": "jury",
        "nav": "campaigns",
    }
    return render(request, "console/jury.html", context | forecast | extra, status=status)


def _forecast(campaign: Campaign) -> dict[str, Any]:
    rules = recruitment_of(campaign)
    return {"campaign": campaign, "forecast": forecast_jury(campaign), "currency": rules.currency}
