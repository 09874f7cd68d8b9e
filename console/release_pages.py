"""Cutting a release, and the page of one: its files, what it says, what it leaves out, and publishing it."""

import structlog
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from console.access import (
    can_manage,
    get_managed_campaign,
    get_readable_campaign,
    get_visible_release,
    readable_campaigns,
    signed_in_user,
)
from console.campaign_pages import render_campaign
from console.forms import ReleaseForm
from console.releases import headline_findings, missing_benchmarks, release_row, release_rows, table_counts
from exports.access import TermsNotAccepted, get_release_file
from exports.downloads import send_file
from exports.models import Release
from exports.releases import InvalidVersion, NotPublishable, why_not_publishable
from exports.releases import publish_release as publish
from exports.tasks import VersionExists, request_release
from exports.terms import TERMS, accept_terms, needs_terms

SHOWN_DOWNLOADS = 50  # the latest first

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
    user, manages = signed_in_user(request), can_manage(request, found.campaign)
    asks_terms = needs_terms(user, found)
    context = {
        "campaign": found.campaign,
        "release": release_row(found),
        "can_manage": manages,
        "can_read": readable_campaigns(request).filter(pk=found.campaign_id).exists(),
        "terms": TERMS if asks_terms else (),
        "downloads": found.downloads.select_related("user")[:SHOWN_DOWNLOADS] if manages else (),
        "downloads_total": found.downloads.count() if manages else 0,
        "acceptances": found.acceptances.select_related("user")[:SHOWN_DOWNLOADS] if manages else (),
        "blockers": _blockers(found),
        "problems": problems,
        "counts": table_counts(found),
        "findings": [] if asks_terms else headline_findings(found),
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
@require_POST
def release_terms(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Keeps that whoever is signed in agrees to the release's terms."""
    found = get_visible_release(request, slug, version)
    if request.POST.get("agree") != "on":
        problem = _("Tick that you agree, or leave the files where they are.")
        return _render_release(request, found, status=400, problems=(problem,))
    accept_terms(signed_in_user(request), found, now=timezone.now())
    log.info("terms_accepted", campaign=slug, version=version, user=request.user.pk)
    return redirect("console:release", slug, version)


@login_required
@require_safe
def release_file(request: HttpRequest, slug: str, version: str, path: str) -> HttpResponseBase:
    """One file, byte for byte; who was sent it is kept."""
    found = get_visible_release(request, slug, version)
    try:
        file = get_release_file(signed_in_user(request), found, path)
    except TermsNotAccepted as error:
        return _render_release(request, found, status=403, problems=(str(error),))
    log.info("release_file_read", campaign=slug, version=version, path=path, user=request.user.pk)
    return send_file(request, file)
