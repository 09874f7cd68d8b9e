"""Coming in: from a link to a clean address, and from there to the consent form or to where one left off."""

from http import HTTPStatus

from django.conf.locale import LANG_INFO
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_ratelimit.decorators import ratelimit

from annotations import access
from annotations.closed_page import closed_page
from annotations.eligibility import spoken_languages, why_not
from annotations.enrolment import find_annotator, is_known, is_own, spend
from annotations.entry import BadEntry, Entry, Knock, read_entry
from annotations.models import Annotator
from annotations.recruitment import recruitment_of
from collector.models import Campaign

FORBIDDEN = {"invitation": 403, "ways": 403, "later": 503}


@never_cache
@require_http_methods(["GET", "POST"])
@ratelimit(key="ip", rate="600/m", method="GET", block=True)
@ratelimit(key="ip", rate="30/m", method="POST", block=True)
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Reads who knocks, forgets the address they came with, and goes on at a clean one.

    Nothing of the study is stored; who came by a plain link leaves not even a session. Posted, it takes an
    invitation code that somebody typed in.
    """
    campaign = access.get_campaign(slug)
    try:
        entry = read_entry(_knock(request, campaign))
    except BadEntry as error:
        return _not_let_in(request, campaign, error.reason)
    response = _let_in(request, campaign, entry)
    if response.status_code == HTTPStatus.FOUND:
        response["Referrer-Policy"] = "no-referrer"  # nor does the clean page learn the address
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@ratelimit(key="ip", rate="300/m", method="POST", block=True)
def language(request: HttpRequest, slug: str) -> HttpResponse:
    """Asks which of the campaign's languages somebody reads whose pages are in none of them."""
    campaign = access.get_campaign(slug)
    chosen = [code for code in request.POST.getlist("language") if code in campaign.languages]
    if not chosen:
        if request.method == "POST":
            return closed_page(request, campaign, "language")
        return _ask_language(request, campaign)
    entry = access.recall_entry(request, slug)
    if reason := why_not(campaign, entry, languages=chosen):
        return closed_page(request, campaign, reason)
    access.remember_languages(request, slug, chosen)
    return redirect("annotations:consent", slug)


def _knock(request: HttpRequest, campaign: Campaign) -> Knock:
    given = {"code": request.POST.get("code", "")} if request.method == "POST" else request.GET.dict()
    account = request.user.pk if request.user.is_authenticated else None
    rules = recruitment_of(campaign)
    return Knock(campaign, rules, given, request.get_host(), timezone.now(), account)


def _let_in(request: HttpRequest, campaign: Campaign, entry: Entry) -> HttpResponse:
    here = access.get_annotator(request, campaign.slug)
    if here and is_own(here, entry):
        return redirect("annotations:rate", campaign.slug)
    if here:  # somebody else at the same browser: never go on as the one before
        access.sign_out(request, here)
    if known := find_annotator(campaign, entry):
        return _come_back(request, campaign, known, entry)
    return _arrive(request, campaign, entry)


def _come_back(request: HttpRequest, campaign: Campaign, known: Annotator, entry: Entry) -> HttpResponse:
    try:
        with transaction.atomic():
            spend(campaign, entry, known)
    except IntegrityError:
        return closed_page(request, campaign, "invitation", status=403)
    access.sign_in(request, known)
    return redirect("annotations:rate", campaign.slug)


def _arrive(request: HttpRequest, campaign: Campaign, entry: Entry) -> HttpResponse:
    if is_known(campaign, entry):
        access.remember_entry(request, campaign.slug, entry)
        return closed_page(request, campaign, "already")
    spoken = spoken_languages(campaign, get_language() or "en")
    known = access.get_annotators(request)
    reason = why_not(campaign, entry, languages=spoken or campaign.languages, known=known)
    if reason in ("withdrawn", "already"):  # whoever goes on at the clean address is still the same
        access.remember_entry(request, campaign.slug, entry)
    if reason:
        return closed_page(request, campaign, reason)
    access.remember_entry(request, campaign.slug, entry)
    if not spoken and campaign.languages:
        return redirect("annotations:language", campaign.slug)
    return redirect("annotations:consent", campaign.slug)


def _ask_language(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    languages = [
        {"code": code, "name": LANG_INFO.get(code, {}).get("name_local", code)} for code in campaign.languages
    ]
    return render(request, "annotations/language.html", {"campaign": campaign, "languages": languages})


def _not_let_in(request: HttpRequest, campaign: Campaign, reason: str) -> HttpResponse:
    if reason == "sign_in":
        back = f"{reverse('annotations:join', args=[campaign.slug])}?account=1"
        return redirect(f"{reverse('account_login')}?{urlencode({'next': back})}")
    rules = recruitment_of(campaign)
    context = {
        "takes_codes": Annotator.Source.INVITATION in rules.ways,
        "takes_accounts": Annotator.Source.ACCOUNT in rules.ways,
        "tried_code": request.method == "POST",
    }
    return closed_page(request, campaign, reason, status=FORBIDDEN.get(reason, 200), **context)
