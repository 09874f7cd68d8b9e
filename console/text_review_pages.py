"""Reading what annotators wrote before it may leave: the list, and one text with what patterns propose."""

import structlog
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from annotations.models import ValueProfile
from collector.models import Campaign
from console.access import get_managed_campaign, signed_in_user
from exports.models import TextReview
from exports.redaction import cut_up, find_spans, redact
from exports.text_review import NotDecided, decide_on_text, texts_to_release, waiting_texts

SHOWN = 50  # decisions on the page, the latest first

log = structlog.get_logger(__name__)


class TextForm(forms.Form):
    """The words to release, as proposed or changed."""

    redacted = forms.CharField(
        label=gettext_lazy("Words to release"),
        widget=forms.Textarea(attrs={"rows": 8}),
        max_length=65_536,
        required=False,
        strip=False,
    )
    is_harmless = forms.BooleanField(
        label=gettext_lazy("What is still marked says nothing of who somebody is"), required=False
    )


@login_required
@require_safe
def texts(request: HttpRequest, slug: str) -> HttpResponse:
    """How many texts wait, and what was decided last."""
    campaign = get_managed_campaign(request, slug)
    waiting = waiting_texts(campaign)
    decided = TextReview.objects.filter(profile__annotator__campaign=campaign).select_related("decided_by")
    context = _context(campaign) | {
        "waiting": waiting.count(),
        "total": texts_to_release(campaign).count(),
        "next": waiting.first(),
        "decided": decided.order_by("-pk")[:SHOWN],
        "releases_texts": bool(campaign.privacy.get("free_text")),
    }
    return render(request, "console/texts.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def text(request: HttpRequest, slug: str, profile: int) -> HttpResponse:
    """One text; `decision` in the POST says whether it is released or kept back."""
    campaign = get_managed_campaign(request, slug)
    found = get_object_or_404(texts_to_release(campaign), pk=profile)
    form = TextForm(request.POST or None, initial={"redacted": _proposal(found)})
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        is_kept = request.POST.get("decision") == TextReview.Decision.KEPT_BACK
        try:
            decide_on_text(
                found,
                None if is_kept else form.cleaned_data["redacted"],
                signed_in_user(request),
                now=timezone.now(),
                is_harmless=form.cleaned_data["is_harmless"],
            )
        except NotDecided as error:
            problems = [str(error)]
        else:
            log.info("text_decided", campaign=slug, profile=found.pk, user=request.user.pk)
            return _to_next(request, campaign)
    words = str(form["redacted"].value() or "")
    context = _context(campaign) | {
        "profile": found,
        "original": cut_up(found.text, find_spans(found.text)),
        "left": cut_up(words, find_spans(words)) if problems else [],
        "form": form,
        "problems": problems,
    }
    return render(request, "console/text.html", context, status=400 if request.method == "POST" else 200)


def _proposal(profile: ValueProfile) -> str:
    """The words of the latest decision to release them, else the text without what the patterns find."""
    reviews = TextReview.objects.filter(profile__annotator=profile.annotator_id, original=profile.text)
    latest = reviews.order_by("-pk").first()
    return latest.redacted if latest and latest.redacted else redact(profile.text, find_spans(profile.text))


def _to_next(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    following = waiting_texts(campaign).first()
    if following:
        return redirect("console:text", campaign.slug, following.pk)
    messages.success(request, _("Every text has been read."))
    return redirect("console:texts", campaign.slug)


def _context(campaign: Campaign) -> dict[str, object]:
    return {"campaign": campaign, "can_manage": True, "nav": "campaigns", "page": "texts"}
