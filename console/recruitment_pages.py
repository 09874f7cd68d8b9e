"""Recruitment and pay: who comes in and how, what they earn an hour, and who is still to be paid."""

import io
from collections.abc import Callable
from typing import Any, TextIO

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.entry.panel import panel_secret
from annotations.invitations import MOST, BadCodes, make_invitations, take_invitations, write_invitations
from annotations.models import Annotator, InvitationCode
from annotations.pay import pay_so_far
from annotations.payments import latest_completion, mark_paid, owed, write_payments
from annotations.recruitment import recruitment_of
from collector.models import Campaign
from console.access import get_managed_campaign, readable_campaigns
from console.campaign_pages import join_address
from console.forms import UploadForm
from console.recruitment_form import RecruitmentForm

MOST_LINES = 5 * 1024 * 1024
log = structlog.get_logger(__name__)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recruitment(request: HttpRequest, slug: str) -> HttpResponse:
    """The settings, which can be changed while people come in."""
    campaign = get_managed_campaign(request, slug)
    form = _form(request, campaign)
    if request.method == "POST" and form.is_valid():
        form.save()
        log.info("recruitment_changed", campaign=campaign.slug, user=request.user.pk)
        messages.success(request, _("Saved."))
        return redirect("console:recruitment", slug)
    return _page(request, campaign, form=form, status=400 if form.errors else 200)


@login_required
@require_safe
def pay(request: HttpRequest, slug: str) -> HttpResponse:
    """The part that htmx asks for again and again."""
    campaign = get_managed_campaign(request, slug)
    rules = recruitment_of(campaign)
    context = {"campaign": campaign, "rules": rules, "pay": pay_so_far(campaign, rules)}
    return render(request, "console/_pay.html", context)


@login_required
@require_POST
def renew_secret(request: HttpRequest, slug: str) -> HttpResponse:
    """A new secret for the panel; links signed with the old one stop working."""
    campaign = get_managed_campaign(request, slug)
    rules = recruitment_of(campaign)
    rules.panel_key_version += 1
    rules.save()
    log.info("panel_secret_renewed", campaign=campaign.slug, user=request.user.pk)
    messages.success(request, _("The panel has a new secret. Links signed with the old one no longer work."))
    return redirect("console:recruitment", slug)


@login_required
@never_cache
@require_POST
def new_invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """New codes as a file, one for each line that was given or as many as were asked for; shown this once."""
    campaign = get_managed_campaign(request, slug)
    references = [line.strip() for line in request.POST.get("references", "").splitlines() if line.strip()]
    raw = request.POST.get("count", "")
    references += [""] * (int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 6 else 0)
    if not 1 <= len(references) <= MOST:
        said = _("Make from 1 to %(most)s codes at a time.") % {"most": MOST}
        return _page(request, campaign, status=400, problems=[said])
    made = make_invitations(campaign, references)
    log.info("invitations_made", campaign=campaign.slug, user=request.user.pk, codes=len(made))
    address = join_address(request, campaign)
    return _csv(f"{slug}-invitations.csv", lambda file: write_invitations(made, address, file))


@login_required
@require_POST
def upload_invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """Codes that were made elsewhere."""
    campaign = get_managed_campaign(request, slug)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid() or form.cleaned_data["file"].size > MOST_LINES:
        return _page(request, campaign, status=400, problems=[_("Choose a CSV file of at most 5 MB.")])
    try:
        text = form.cleaned_data["file"].read().decode("utf-8-sig")
        taken = take_invitations(campaign, io.StringIO(text, newline=""))
    except UnicodeDecodeError:
        return _page(request, campaign, status=400, problems=[_("The file is not in UTF-8.")])
    except BadCodes as error:
        return _page(request, campaign, status=400, problems=error.problems)
    log.info("invitations_taken", campaign=campaign.slug, user=request.user.pk, codes=taken)
    said = ngettext("%(n)s code was added.", "%(n)s codes were added.", taken) % {"n": taken}
    messages.success(request, said)
    return redirect("console:recruitment", slug)


@login_required
@never_cache
@require_POST
def payments_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Whom to pay; every download is noted in the log, since it may name people."""
    campaign = get_managed_campaign(request, slug)
    source, up_to = _which(request)
    rules = recruitment_of(campaign)
    log.info("payments_downloaded", campaign=campaign.slug, user=request.user.pk, platform=source)
    return _csv(
        f"{slug}-{source}-payments.csv",
        lambda file: write_payments(campaign, rules, source, file, up_to=up_to),
    )


@login_required
@require_POST
def payments_paid(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = get_managed_campaign(request, slug)
    source, up_to = _which(request)
    paid = mark_paid(campaign, recruitment_of(campaign), source, up_to=up_to, now=timezone.now())
    log.info("payments_marked", campaign=campaign.slug, user=request.user.pk, platform=source, people=paid)
    said = ngettext("%(n)s person is marked as paid.", "%(n)s people are marked as paid.", paid) % {"n": paid}
    messages.success(request, said)
    return redirect("console:recruitment", slug)


def _page(request: HttpRequest, campaign: Campaign, *, status: int = 200, **context: Any) -> HttpResponse:
    rules = recruitment_of(campaign)
    invitations = InvitationCode.objects.filter(campaign=campaign)
    shared = {
        "campaign": campaign,
        "can_manage": True,
        "page": "recruitment",
        "nav": "campaigns",
        "rules": rules,
        "pay": pay_so_far(campaign, rules),
        "owed": [(Annotator.Source(row.source).label, row) for row in owed(campaign)],
        "up_to": latest_completion(campaign),
        "codes": {"all": invitations.count(), "used": invitations.exclude(used_at=None).count()},
        "panel_secret": panel_secret(rules) if Annotator.Source.PANEL in rules.ways else "",
        "annotator_link": join_address(request, campaign),
        "form": context.pop("form", None) or _form(request, campaign, is_bound=False),
    }
    return render(request, "console/recruitment.html", shared | context, status=status)


def _form(request: HttpRequest, campaign: Campaign, *, is_bound: bool = True) -> RecruitmentForm:
    data = request.POST if is_bound and request.method == "POST" else None
    return RecruitmentForm(data, instance=recruitment_of(campaign), campaigns=readable_campaigns(request))


def _which(request: HttpRequest) -> tuple[str, int]:
    source, up_to = request.POST.get("platform", ""), request.POST.get("up_to", "")
    if source not in Annotator.Source.values or not (up_to.isascii() and up_to.isdigit() and len(up_to) < 19):
        raise BadRequest
    return source, int(up_to)


def _csv(name: str, write: Callable[[TextIO], Any]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response.write("\ufeff")  # spreadsheets take a file without it for another encoding
    write(response)  # type: ignore[arg-type]  # a response can be written to like a file
    return response
