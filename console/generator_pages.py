"""Pages on which a manager plans candidates: the generators with what each asks for, and one's plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotations.models import Annotator, ValueProfile
from annotations.steering_profiles import MOST_PROFILES, profile_steerings
from collector.models import Campaign, CampaignQuerySet, Generator
from collector.plan_size import PlanSize, plan_sizes, total_size
from collector.steering import to_messages
from collector.steering_spec import MAX_STEERINGS, Kind, kind_of, label_of
from console.access import get_managed_campaign, refuse_nul
from console.generator_form import GeneratorForm, PlanForm
from console.steering_form import HINTS, SteeringRows, empty_row, rows_of_entries, rows_of_post

# What a button of the form asks for, apart from storing what stands there.
MORE, DROP, PREVIEW, PROFILES = "more", "drop", "preview", "profiles"


@login_required
def generators(request: HttpRequest, slug: str) -> HttpResponse:
    """Lists the generators with the size of their plans; adds one, and removes one, while in draft."""
    campaign = get_managed_campaign(request, slug)
    if request.method != "POST":
        return _render(request, campaign, GeneratorForm(campaign), _rows(campaign, [empty_row()]))
    if not campaign.is_draft:
        return _refuse(request, campaign, GeneratorForm(campaign), _rows(campaign, [empty_row()]))
    if name := request.POST.get("remove"):
        refuse_nul(name)
        _remove(request, get_object_or_404(campaign.generators, name=name))
        return redirect("console:generators", campaign.slug)
    return _edit(request, campaign, GeneratorForm(campaign, request.POST))


@login_required
def generator(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """One generator's samples and steerings, which may change; what it has made is kept in any case."""
    campaign = get_managed_campaign(request, slug)
    chosen = get_object_or_404(campaign.generators, name=name)
    stored = rows_of_entries(chosen.steerings)
    if request.method != "POST":
        rows = _rows(campaign, stored or [empty_row()])
        return _render(request, campaign, PlanForm(instance=chosen), rows, chosen=chosen)
    if not campaign.is_draft:
        return _refuse(request, campaign, PlanForm(instance=chosen), _rows(campaign, stored), chosen=chosen)
    return _edit(request, campaign, PlanForm(request.POST, instance=chosen), chosen=chosen)


def _edit(
    request: HttpRequest, campaign: Campaign, form: PlanForm, *, chosen: Generator | None = None
) -> HttpResponse:
    """Stores the form, or shows it again as the button that was pressed asks."""
    sent = rows_of_post(request.POST) or [empty_row()]
    if (changed := _changed_rows(request, campaign, sent)) is not None:
        # What was typed stays; nothing has been sent off yet, so that nothing is wrong yet.
        form.errors.clear()
        return _render(request, campaign, form, _rows(campaign, changed), chosen=chosen)
    rows = _rows(campaign, sent, is_bound=True)
    is_valid = rows.is_valid()
    if request.POST.get("action") == PREVIEW:
        form.errors.clear()
        previews = _previews(campaign, rows.entries) if is_valid else None
        status = 200 if is_valid else 400
        return _render(request, campaign, form, rows, chosen=chosen, previews=previews, status=status)
    if not form.is_valid() or not is_valid:
        return _render(request, campaign, form, rows, chosen=chosen, status=400)
    made = form.save(commit=False)
    made.steerings = rows.entries
    made.save()
    messages.success(request, _("Saved."))
    return redirect("console:generators", campaign.slug)


def _changed_rows(
    request: HttpRequest, campaign: Campaign, rows: list[dict[str, str]]
) -> list[dict[str, str]] | None:
    """The rows after the button that adds or drops some; None for every other button."""
    if (number := request.POST.get(DROP)) is not None:
        return [row for index, row in enumerate(rows) if str(index) != number] or [empty_row()]
    action = request.POST.get("action")
    if action == MORE:
        return [*rows, empty_row()][:MAX_STEERINGS]
    if action == PROFILES:
        told = [row for row in rows if row["label"].strip() or row["text"].strip()]
        return [*told, *_profile_rows(request)][:MAX_STEERINGS] or [empty_row()]
    return None


def _profile_rows(request: HttpRequest) -> list[dict[str, str]]:
    """Diverse profiles from the campaign that was chosen among those with some."""
    source = _sources(request).filter(slug=request.POST.get("profiles_from", "")).first()
    raw = request.POST.get("profiles", "")
    count = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 4 else 0
    found = profile_steerings(source, count) if source else []
    if not found:
        messages.error(request, _("There is no profile whose owner allows this."))
    return rows_of_entries(found)


def _sources(request: HttpRequest) -> CampaignQuerySet:
    """The user's own campaigns in which somebody has given a profile."""
    given = ValueProfile.objects.exclude(annotator__state=Annotator.State.WITHDRAWN)
    campaigns: CampaignQuerySet = Campaign.objects.all()
    return campaigns.managed_by(request.user).filter(pk__in=given.values("annotator__campaign"))


def _previews(campaign: Campaign, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages that the first prompt would be sent under each steering; empty without a prompt."""
    prompt = campaign.prompts.order_by("position", "pk").first()
    if prompt is None:
        return []
    criteria = list(campaign.criteria.all())
    earlier = [_("(the text of the sample before)")]
    return [
        {
            "label": label_of(entry) or kind_of(entry).label,
            "messages": to_messages(prompt, entry, earlier=earlier, criteria=criteria),
            "language": prompt.language,
            "is_later": kind_of(entry) == Kind.UNLIKE,
        }
        for entry in entries or [{}]
    ]


def _rows(campaign: Campaign, rows: Sequence[dict[str, str]], *, is_bound: bool = False) -> SteeringRows:
    criteria = set(campaign.criteria.values_list("name", flat=True))
    return SteeringRows(rows, criteria=criteria, is_bound=is_bound)


def _remove(request: HttpRequest, row: Generator) -> None:
    """Deletes the generator with the candidates it only planned; one that has given something stays."""
    try:
        with transaction.atomic():
            row.candidates.filter(text="").delete()
            row.runs.filter(candidates=None).delete()
            row.delete()
    except ProtectedError:
        messages.error(request, _('"%(name)s" has made candidates, which are kept.') % {"name": row})
    else:
        messages.success(request, _('"%(name)s" is removed.') % {"name": row})


def _listed(campaign: Campaign, sizes: Mapping[int, PlanSize]) -> list[dict[str, Any]]:
    """The generators with what they have made, the sizes of their plans, and how they are steered."""
    return [
        {
            "generator": row,
            "made": row.made,
            "size": sizes.get(row.pk),
            "steerings": [label_of(entry) or kind_of(entry).label for entry in row.steerings],
        }
        for row in campaign.generators.annotate(made=Count("candidates")).order_by("pk")
    ]


def _refuse(
    request: HttpRequest, campaign: Campaign, form: PlanForm, rows: SteeringRows, **context: Any
) -> HttpResponse:
    said = _("The campaign has been opened: what people were asked stays as it was. Nothing was changed.")
    return _render(request, campaign, form, rows, status=409, problems=[said], **context)


def _render(
    request: HttpRequest,
    campaign: Campaign,
    form: PlanForm,
    rows: SteeringRows,
    *,
    chosen: Generator | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    sizes = plan_sizes(campaign)
    shared = {
        "campaign": campaign,
        "can_manage": True,
        "page": "generators",
        "nav": "campaigns",
        "form": form,
        "rows": _listed(campaign, {size.generator.pk: size for size in sizes}),
        "steerings": rows,
        "kinds": [(kind.value, kind.label, hint) for kind, hint in HINTS.items()],
        "total": total_size(sizes),
        "sources": _sources(request).order_by("title")[:50] if campaign.is_draft else [],
        "most_profiles": MOST_PROFILES,
        "chosen": chosen,
    }
    template = "console/generator.html" if chosen else "console/generators.html"
    return render(request, template, shared | context, status=status)
