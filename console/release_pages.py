"""Cutting a release, and the page of one: its files, what it says, what it leaves out, and publishing it."""

import structlog
from celery import current_app
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from kombu.exceptions import OperationalError

from console.access import can_manage, get_managed_campaign, get_readable_campaign, get_visible_release
from console.campaign_pages import render_campaign
from console.forms import ReleaseForm
from console.releases import headline_findings, release_row, release_rows, table_counts
from exports.downloads import send_file

log = structlog.get_logger(__name__)


@login_required
@require_safe
def releases_part(request: HttpRequest, slug: str) -> HttpResponse:
    """The table of releases, asked for again while one is being cut."""
    campaign = get_readable_campaign(request, slug)
    releases = release_rows(campaign, request.user)
    is_cutting = any(row["cutting"] for row in releases)
    context = {"campaign": campaign, "releases": releases, "is_cutting": is_cutting}
    return render(request, "console/_releases.html", context)


@login_required
@require_POST
def cut_release(request: HttpRequest, slug: str) -> HttpResponse:
    campaign = get_managed_campaign(request, slug)
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        problems = [error for errors in form.errors.values() for error in errors]
        return render_campaign(request, campaign, status=400, problems=problems)
    version, people_only = form.cleaned_data["version"], form.cleaned_data["people_only"]
    if campaign.releases.filter(version=version).exists():
        said = _("There is a release %(version)s already; releases never change.") % {"version": version}
        return render_campaign(request, campaign, status=409, problems=[said])
    try:
        current_app.send_task(
            "exports.tasks.cut_release", [campaign.pk, version, request.user.pk, not people_only]
        )
    except OperationalError:
        said = _("The queue of work cannot be reached; nothing was started. Try again in a moment.")
        return render_campaign(request, campaign, status=503, problems=[said])
    log.info("release_asked", campaign=campaign.slug, version=version, user=request.user.pk)
    messages.success(request, _("Release %(version)s is being cut.") % {"version": version})
    return redirect("console:campaign", campaign.slug)


@login_required
@require_safe
def release(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    return _render_release(request, slug, version)


def _render_release(
    request: HttpRequest, slug: str, version: str, *, status: int = 200, problems: tuple[str, ...] = ()
) -> HttpResponse:
    found = get_visible_release(request, slug, version)
    manifest = found.manifest
    context = {
        "campaign": found.campaign,
        "release": release_row(found) | {"pk": found.pk},
        "can_manage": can_manage(request, found.campaign),
        "problems": problems,
        "counts": table_counts(found),
        "findings": headline_findings(found),
        "files": found.files.all(),
        "manifest": manifest,
        "nav": "campaigns",
    }
    return render(request, "console/release.html", context, status=status)


@login_required
@require_POST
def publish_release(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    get_managed_campaign(request, slug)
    return redirect("console:release", slug, version)


@login_required
@require_safe
def release_file(request: HttpRequest, slug: str, version: str, path: str) -> HttpResponseBase:
    """One file, byte for byte; who took it is logged."""
    found = get_visible_release(request, slug, version)
    file = get_object_or_404(found.files.select_related("release__campaign"), path=path)
    log.info("release_file_read", campaign=slug, version=version, path=path, user=request.user.pk)
    return send_file(request, file)
