"""Pages on which a manager builds a campaign: its settings, prompts, criteria and consent."""

from typing import Any

import structlog
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from annotations.consent import ensure_documents, latest_version, revise_documents
from annotations.entry import make_token
from annotations.models import Consent
from annotations.recruitment import recruitment_of
from collector.candidate_intake import load_candidates
from collector.intake import Intake, load_prompts
from collector.lifecycle import WrongState
from collector.models import Campaign, Criterion, Membership
from collector.rendering import render_markdown, trusted_html
from collector.tabular import IntakeError
from console.access import get_managed_campaign, refuse_nul, signed_in_user
from console.campaign_pages import join_address
from console.consent_form import ConsentTextsForm
from console.forms import CampaignForm, CriterionForm, UploadForm

SHOWN_PROMPTS = 50
MOST_LINKS = 5000
PROLIFIC = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
log = structlog.get_logger(__name__)


@login_required
def campaign_new(request: HttpRequest) -> HttpResponse:
    """A new draft, managed by whoever makes it, with the standard consent texts."""
    if not request.user.has_perm("collector.add_campaign"):
        raise PermissionDenied(_("You may not create campaigns."))
    form = CampaignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            campaign = form.save()
            Membership.objects.create(
                campaign=campaign, user=signed_in_user(request), role=Membership.Role.MANAGER
            )
            ensure_documents(campaign)
        log.info("campaign_created", campaign=campaign.slug, user=request.user.pk)
        return redirect("console:campaign", campaign.slug)
    context = {"form": form, "nav": "campaigns"}
    return render(request, "console/settings.html", context, status=_status(form))


@login_required
def campaign_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Title, texts and jury, which stand still once people have been let in."""
    campaign = get_managed_campaign(request, slug)
    if request.method == "POST" and (refused := _refuse_opened(request, campaign, "settings")):
        return refused
    form = CampaignForm(request.POST or None, instance=campaign)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("console:campaign", campaign.slug)
    if form.errors:
        campaign.refresh_from_db()  # a form that does not hold leaves its values on the object
    return _render(request, campaign, "settings", status=_status(form), form=form)


@login_required
@require_safe
def prompts(request: HttpRequest, slug: str) -> HttpResponse:
    return _render_prompts(request, get_managed_campaign(request, slug))


@login_required
@require_POST
def prompts_upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Adds a file's prompts or candidates, or only checks them; what is wrong is listed, nothing stored."""
    campaign = get_managed_campaign(request, slug)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _render_prompts(request, campaign, status=400, upload_errors=form.errors["file"])
    load = load_candidates if request.POST.get("kind") == "candidates" else load_prompts
    file = form.cleaned_data["file"]
    try:
        intake = load(campaign, file.file, file.name, dry_run=request.POST.get("action") == "check")
    except IntakeError as error:
        return _render_prompts(request, campaign, status=400, faults=error)
    except WrongState as error:
        return _render_prompts(request, campaign, status=409, upload_errors=[str(error)])
    if intake.is_dry_run:
        return _render_prompts(request, campaign, checked=_in_words(intake))
    log.info("rows_added", campaign=campaign.slug, rows=intake.rows, user=request.user.pk)
    messages.success(request, _added(intake, is_candidates=load is load_candidates))
    return redirect("console:prompts", campaign.slug)


@login_required
def criteria(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the criteria; adds one, and removes one, while in draft."""
    campaign = get_managed_campaign(request, slug)
    rows = campaign.criteria.all()
    if request.method != "POST":
        return _render(request, campaign, "criteria", rows=rows, form=CriterionForm(campaign))
    if refused := _refuse_opened(request, campaign, "criteria", rows=rows, form=CriterionForm(campaign)):
        return refused
    if key := request.POST.get("remove"):
        refuse_nul(key)
        _remove(request, get_object_or_404(rows, name=key))
        return redirect("console:criteria", campaign.slug)
    form = CriterionForm(campaign, request.POST)
    if not form.is_valid():
        return _render(request, campaign, "criteria", status=400, rows=rows, form=form)
    form.save()
    return redirect("console:criteria", campaign.slug)


@login_required
def consent(request: HttpRequest, slug: str) -> HttpResponse:
    """The texts people agree to, as they see them; a changed text makes a new version of all."""
    campaign = get_managed_campaign(request, slug)
    if request.method == "POST" and not campaign.consent_documents.exists():
        ensure_documents(campaign)
        return redirect("console:consent", campaign.slug)
    newest = campaign.consent_documents.filter(version=latest_version(campaign)).order_by("language")
    documents = sorted(newest, key=lambda document: document.language not in campaign.languages)
    form = ConsentTextsForm(request.POST or None, documents=documents)
    if request.method == "POST" and form.is_valid():
        revise_documents(campaign, form.texts)
        return redirect("console:consent", campaign.slug)
    shown = [
        (document, trusted_html(render_markdown(document.text)), form[document.language])
        for document in documents
    ]
    return _render(
        request,
        campaign,
        "consent",
        documents=shown,
        form=form,
        agreed=Consent.objects.filter(annotator__campaign=campaign).values("annotator").distinct().count(),
        status=400 if form.errors else 200,
    )


@login_required
def join_link(request: HttpRequest, slug: str) -> HttpResponse:
    """The links to give to annotators: an open one, one for Prolific, and signed ones for a panel."""
    campaign = get_managed_campaign(request, slug)
    link = join_address(request, campaign)
    people = list(dict.fromkeys(request.POST.get("people", "").split()))
    signed = [f"{person},{link}?token={make_token(campaign, person)}" for person in people[:MOST_LINKS]]
    return _render(
        request,
        campaign,
        "join_link",
        annotator_link=link,
        prolific_link=f"{link}?{PROLIFIC}",
        ways=recruitment_of(campaign).ways,
        signed_links="\n".join(signed),
        too_many=len(people) > MOST_LINKS,
        most=MOST_LINKS,
    )


def _remove(request: HttpRequest, criterion: Criterion) -> None:
    """Deletes the criterion, unless somebody has rated by it."""
    try:
        with transaction.atomic():
            criterion.delete()
    except ProtectedError:
        messages.error(request, _('Ratings by "%(name)s" are there, and kept.') % {"name": criterion})
    else:
        messages.success(request, _('"%(name)s" is removed.') % {"name": criterion})


def _refuse_opened(
    request: HttpRequest, campaign: Campaign, page: str, **context: Any
) -> HttpResponse | None:
    """The page with the reason, where the campaign is no longer a draft."""
    if campaign.is_draft:
        return None
    said = _("The campaign has been opened: what people were asked stays as it was. Nothing was changed.")
    if page == "settings":
        context["form"] = CampaignForm(instance=campaign)
    return _render(request, campaign, page, status=409, problems=[said], **context)


def _render_prompts(request: HttpRequest, campaign: Campaign, **context: Any) -> HttpResponse:
    counted = campaign.prompts.annotate(made=Count("candidates")).order_by("position", "pk")
    return _render(
        request,
        campaign,
        "prompts",
        prompts=counted[:SHOWN_PROMPTS],
        total=campaign.prompts.count(),
        languages=campaign.prompts.order_by().values_list("language").annotate(n=Count("pk")).order_by("-n"),
        **context,
    )


def _render(
    request: HttpRequest, campaign: Campaign, page: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    shared = {"campaign": campaign, "can_manage": True, "page": page, "nav": "campaigns"}
    return render(request, f"console/{page}.html", shared | context, status=status)


def _status(form: forms.BaseForm) -> int:
    return 400 if form.errors else 200


def _in_words(intake: Intake) -> list[str]:
    said = ngettext("%(n)s row can be added.", "%(n)s rows can be added.", intake.rows) % {"n": intake.rows}
    lists = [
        f"{column}: " + ", ".join(f"{value} {count}" for value, count in counts.most_common(20))
        for column, counts in intake.counts.items()
        if counts
    ]
    return [said, *lists]


def _added(intake: Intake, *, is_candidates: bool) -> str:
    if is_candidates:
        said = ngettext("%(n)s candidate was added.", "%(n)s candidates were added.", intake.rows)
    else:
        said = ngettext("%(n)s prompt was added.", "%(n)s prompts were added.", intake.rows)
    return said % {"n": intake.rows}
