"""Cutting a release, and the page of one: its files, what it says, what it leaves out, and publishing it."""

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from console.access import (
    can_manage,
    get_managed_campaign,
    get_readable_campaign,
    get_visible_release,
    refuse_nul,
    signed_in_user,
)
from console.campaign_pages import render_campaign
from console.forms import ReleaseForm
from console.releases import headline_findings, missing_benchmarks, release_row, release_rows, table_counts
from exports.downloads import send_file
from exports.models import Release
from exports.releases import InvalidVersion, NotPublishable, why_not_publishable
from exports.releases import publish_release as publish
from exports.tasks import VersionExists, request_release

log = structlog.get_logger(__name__)


@login_required
@require_safe
def releases_part(request: HttpRequest, slug: str) -> HttpResponse:
    """The table of releases, asked for again while one is being cut."""
    campaign = get_readable_campaign(request, slug)
    releases = release_rows(campaign, signed_in_user(request))
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
    try:
        request_release(
            campaign,
            version,
            user=signed_in_user(request),
            include_simulated=not people_only,
            now=timezone.now(),
        )
    except InvalidVersion as error:
        return render_campaign(request, campaign, status=400, problems=[str(error)])
    except VersionExists as error:
        return render_campaign(request, campaign, status=409, problems=[str(error)])
    log.info("release_asked", campaign=campaign.slug, version=version, user=request.user.pk)
    messages.success(request, _("A worker is cutting release %(version)s.") % {"version": version})
    return redirect("console:campaign", campaign.slug)


@login_required
@require_safe
def release(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    return _render_release(request, get_visible_release(request, slug, version))


def _render_release(
    request: HttpRequest, found: Release, *, status: int = 200, problems: tuple[str, ...] = ()
) -> HttpResponse:
    manifest = found.manifest
    left_out = manifest.get("left_out", [])
    withdrawn = sum(entry["count"] for entry in left_out if entry["why"] == "withdrawn")
    context = {
        "campaign": found.campaign,
        "release": release_row(found),
        "can_manage": can_manage(request, found.campaign),
        "blockers": _blockers(found),
        "problems": problems,
        "counts": table_counts(found),
        "findings": headline_findings(found),
        "files": found.files.all(),
        "left_out": left_out,
        "privacy": manifest.get("privacy"),
        "missing": missing_benchmarks(found),
        "withdrawals": withdrawn,
        "ratings_url": request.build_absolute_uri(
            reverse("api:release-file", args=[found.pk, "data/ratings.parquet"])
        ),
        "nav": "campaigns",
    }
    return render(request, "console/release.html", context, status=status)


def _blockers(release: Release) -> list[str]:
    """Why it cannot be published, in words."""
    reason = why_not_publishable(release)
    return [reason] if reason else []


@login_required
@require_POST
def publish_release(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Lets the campaign's researchers see it, or says why not."""
    get_managed_campaign(request, slug)
    found = get_visible_release(request, slug, version)
    try:
        publish(found, timezone.now())
    except NotPublishable as error:
        return _render_release(request, found, status=409, problems=(str(error),))
    log.info("release_published", campaign=slug, version=version, user=request.user.pk)
    messages.success(request, _("The release is published."))
    return redirect("console:release", slug, version)


@login_required
@require_safe
def release_file(request: HttpRequest, slug: str, version: str, path: str) -> HttpResponseBase:
    """One file, byte for byte; who took it is logged."""
    refuse_nul(path)
    found = get_visible_release(request, slug, version)
    file = get_object_or_404(found.files.select_related("release__campaign"), path=path)
    log.info("release_file_read", campaign=slug, version=version, path=path, user=request.user.pk)
    return send_file(request, file)
