"""The page on which a manager chooses what annotators are asked about themselves, and brings words for it."""

from typing import Any, NamedTuple

import structlog
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotations.instruments.instrument import Instrument
from annotations.instruments.loader import available_instruments, load_instrument, load_text
from annotations.instruments.toml_table import InstrumentError
from annotations.profiles import TEXT_INSTRUMENT
from annotations.questionnaires import (
    ATTESTATION,
    TextRefused,
    language_info,
    missing_instruments,
    supply_text,
    text_languages,
)
from annotations.reliability import score_reliability
from collector.models import Campaign, Generator
from console.access import get_managed_campaign, signed_in_user

FIRST, LAST = "core-demographics", TEXT_INSTRUMENT
log = structlog.get_logger(__name__)


class InstrumentsForm(forms.Form):
    """Which questionnaires are asked, and which generator sums up what people write."""

    instruments = forms.MultipleChoiceField(
        label=gettext_lazy("Questionnaires"), required=False, widget=forms.CheckboxSelectMultiple
    )
    summariser = forms.ModelChoiceField(
        Generator.objects.none(),
        label=gettext_lazy("Sums up what people write about their values"),
        required=False,
        empty_label=gettext_lazy("Nobody: their own words stand"),
        to_field_name="name",
        help_text=gettext_lazy(
            "Only of those who let what they write be published. They read the summary, change it as they "
            "like, and accept it or not; it counts only then."
        ),
    )

    def __init__(self, campaign: Campaign, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        choices = [(name, load_instrument(name).title) for name in in_asked_order(available_instruments())]
        self.fields["instruments"].choices = choices  # type: ignore[attr-defined]
        self.fields["summariser"].queryset = campaign.generators.order_by("name")  # type: ignore[attr-defined]
        self.initial = {"instruments": campaign.instruments, "summariser": campaign.summariser}

    def save(self) -> None:
        kept = [name for name in self.campaign.instruments if name in self.cleaned_data["instruments"]]
        # A choice that was not changed keeps an order that was set through the API.
        is_same = set(kept) == set(self.cleaned_data["instruments"])
        self.campaign.instruments = kept if is_same else in_asked_order(self.cleaned_data["instruments"])
        self.campaign.summariser = self.cleaned_data["summariser"]
        self.campaign.save(update_fields=["instruments", "summariser"])


class SuppliedTextForm(forms.Form):
    """A questionnaire's words, and the owner's word that they may be used."""

    file = forms.FileField(
        label=gettext_lazy("The words, as text.en.toml"),
        help_text=gettext_lazy("One file for each language; docs/profiles.md shows what is in it."),
    )
    attests = forms.BooleanField(label=ATTESTATION, required=False)


class Card(NamedTuple):
    """One questionnaire as the page offers it."""

    instrument: Instrument
    title: str
    licence: str
    languages: list[str]
    is_chosen: bool
    has_words: bool


@login_required
def instruments(request: HttpRequest, slug: str) -> HttpResponse:
    """What is asked stands still once people have been let in."""
    campaign = get_managed_campaign(request, slug)
    if request.method != "POST":
        return _page(request, campaign)
    if not campaign.is_draft:
        said = _("The campaign has been opened: what people were asked stays as it was. Nothing was changed.")
        return _page(request, campaign, problems=[said], status=409)
    form = InstrumentsForm(campaign, request.POST)
    if not form.is_valid():
        return _page(request, campaign, form=form, status=400)
    form.save()
    messages.success(request, _("Saved."))
    return redirect("console:instruments", campaign.slug)


@login_required
@require_POST
def text_upload(request: HttpRequest, slug: str) -> HttpResponse:
    """Keeps a questionnaire's words for this campaign, with who vouched for them and when."""
    campaign = get_managed_campaign(request, slug)
    form = SuppliedTextForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, campaign, text_form=form, status=400)
    try:
        text = supply_text(
            campaign,
            form.cleaned_data["file"].read(),
            attests=form.cleaned_data["attests"],
            user=signed_in_user(request),
            now=timezone.now(),
        )
    except (TextRefused, InstrumentError) as error:
        form.add_error("attests" if not form.cleaned_data["attests"] else "file", str(error))
        return _page(request, campaign, text_form=form, status=400)
    log.info("text_supplied", campaign=campaign.slug, instrument=text.instrument, language=text.language)
    messages.success(request, _("The words are there and can be asked."))
    return redirect("console:instruments", campaign.slug)


def in_asked_order(names: Any) -> list[str]:
    """Who people are first, what they write freely last, and the rest by name between."""
    return sorted(names, key=lambda name: (name == LAST, name != FIRST, name))


def _page(request: HttpRequest, campaign: Campaign, *, status: int = 200, **context: Any) -> HttpResponse:
    cards = _cards(campaign)
    shared = {
        "campaign": campaign,
        "can_manage": True,
        "page": "instruments",
        "nav": "campaigns",
        "cards": cards,
        "minutes": sum(card.instrument.minutes for card in cards if card.is_chosen),
        "missing": missing_instruments(campaign),
        "form": InstrumentsForm(campaign),
        "text_form": SuppliedTextForm(),
        "supplied": campaign.supplied_texts.select_related("attested_by").order_by("-pk")[:50],
        "reliability": score_reliability(campaign),
    }
    return render(request, "console/instruments.html", shared | context, status=status)


def _cards(campaign: Campaign) -> list[Card]:
    languages = text_languages(campaign)
    return [
        Card(
            instrument=load_instrument(name),
            title=_title(load_instrument(name)),
            licence=_licence_in_words(load_instrument(name)),
            languages=[language_info(code).get("name_local", code) for code in languages[name]],
            is_chosen=name in campaign.instruments,
            has_words=bool(languages[name]),
        )
        for name in in_asked_order(available_instruments())
    ]


def _licence_in_words(instrument: Instrument) -> str:
    """An SPDX name as it is; one of our own making, for terms that have none, without its marks."""
    spdx = instrument.licence.spdx
    own = spdx.removeprefix("LicenseRef-")
    return spdx if own == spdx else own.replace("-", " ")


def _title(instrument: Instrument) -> str:
    """In the reader's language where the words are ours, else the instrument's own name."""
    if len(instrument.languages) > 1:
        return load_text(instrument, get_language() or "en").title
    return instrument.title
