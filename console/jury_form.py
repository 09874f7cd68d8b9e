"""The form of a jury: seats stratum by stratum, a score's levels, soft targets, repeats, and assumptions."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from annotations.jury import make_strata, set_seats, stratum_rows
from annotations.models import Stratum
from annotations.score_strata import make_tertiles, score_choices
from annotations.strata import MAX_SEATS, SCORE_PREFIX, faults_of_strata
from collector.models import Campaign
from console.attributes import jury_attributes
from console.form_checks import between, positive

FROZEN = ("score", "lower_cut", "upper_cut", "soft_targets", "seats_per_stratum")


class JuryForm(forms.ModelForm):
    """Who sits on each prompt's jury; once people were let in, seats, repeats and assumptions can change."""

    score = forms.ChoiceField(
        label=gettext_lazy("Strata from a score of the value profile"),
        required=False,
        help_text=gettext_lazy(
            "Makes three levels of it, low, middle and high, beside the levels chosen in the settings."
        ),
    )
    lower_cut = forms.FloatField(
        label=gettext_lazy("Low up to"),
        required=False,
        help_text=gettext_lazy("Empty: a third of the way along the score's range."),
    )
    upper_cut = forms.FloatField(label=gettext_lazy("Middle up to"), required=False)
    soft_targets = forms.MultipleChoiceField(
        label=gettext_lazy("Balance each jury by"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Without seats of their own: whoever comes is sent where the fewest like them sit."
        ),
    )

    class Meta:
        model = Campaign
        fields = [
            *("seats_per_stratum", "wildcard_seats", "max_seats_per_annotator", "lease_minutes"),
            *("repeat_percent", "repeat_distance", "minutes_per_prompt", "dropout_percent"),
        ]
        labels = {
            "seats_per_stratum": gettext_lazy("Seats per stratum, where nothing else is set below"),
            "wildcard_seats": gettext_lazy("Seats for anyone"),
            "max_seats_per_annotator": gettext_lazy("The most prompts one person rates"),
            "lease_minutes": gettext_lazy("Minutes a seat is held"),
            "repeat_percent": gettext_lazy("Prompts asked a second time, in a hundred"),
            "repeat_distance": gettext_lazy("Prompts in between, at least"),
            "minutes_per_prompt": gettext_lazy("Minutes a prompt takes"),
            "dropout_percent": gettext_lazy("People who leave without rating, in a hundred"),
        }
        help_texts = {
            "wildcard_seats": gettext_lazy(
                "Empty: 15 in a hundred seats, at least one. They shut nobody out."
            ),
            "max_seats_per_annotator": gettext_lazy("Empty: as many as they like."),
            "repeat_percent": gettext_lazy(
                "5 to 10 show how steady people's answers are; 0 asks nothing twice."
            ),
            "repeat_distance": None,
            "minutes_per_prompt": gettext_lazy("With all its candidates. Later, what it did take is used."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance
        self.choices = score_choices(campaign, get_language() or "en")
        in_strata = {entry["attribute"]: entry for entry in campaign.strata}
        self._offer_scores(entry for entry in campaign.strata if "cuts" in entry)
        self.offered = [attribute for attribute in jury_attributes() if attribute.name not in in_strata]
        soft = self.fields["soft_targets"]
        soft.choices = [(attribute.name, attribute.label) for attribute in self.offered]  # type: ignore[attr-defined]
        soft.initial = [target["attribute"] for target in campaign.soft_targets]
        self.strata = [stratum for stratum in stratum_rows(campaign) if not stratum.is_wildcard]
        for stratum in self.strata:
            self.fields[_seats(stratum)] = forms.IntegerField(
                label=stratum.label, initial=stratum.seats, min_value=0, max_value=MAX_SEATS, required=False
            )
        if not campaign.is_draft:
            for name in FROZEN:
                del self.fields[name]

    def seat_fields(self) -> list[forms.BoundField]:
        return [self[_seats(stratum)] for stratum in self.strata]

    def clean_max_seats_per_annotator(self) -> int | None:
        most: int | None = self.cleaned_data["max_seats_per_annotator"]
        return None if most is None else positive(most)

    def clean_lease_minutes(self) -> int:
        return positive(self.cleaned_data["lease_minutes"])

    def clean_repeat_percent(self) -> float:
        return between(self.cleaned_data["repeat_percent"], 0, 100)

    def clean_minutes_per_prompt(self) -> float:
        return between(self.cleaned_data["minutes_per_prompt"], 0.05, 600)

    def clean_dropout_percent(self) -> float:
        return between(self.cleaned_data["dropout_percent"], 0, 99)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.instance.is_draft and not self.errors:
            self.instance.strata = [*self._attributes(), *self._tertiles(cleaned)]
            self.instance.soft_targets = [
                {"attribute": attribute.name, "levels": [level for level, _words in attribute.levels]}
                for attribute in self.offered
                if attribute.name in cleaned["soft_targets"]
            ]
            self.instance.stratum_seats = self._own_seats(cleaned)
            for fault in faults_of_strata(self.instance):
                self.add_error(None, fault)
        return cleaned

    def save(self, commit: bool = True) -> Campaign:
        campaign: Campaign = super().save(commit=False)
        if campaign.is_draft:
            campaign.save()
            make_strata(campaign)
            return campaign
        wanted = {stratum.label: self.cleaned_data[_seats(stratum)] for stratum in self.strata}
        wildcard = campaign.strata_cells.filter(is_wildcard=True).first()
        if wildcard:
            wanted[wildcard.label] = campaign.wildcard_seats
        campaign.save()
        set_seats(campaign, {label: seats for label, seats in wanted.items() if seats is not None})
        return campaign

    def _offer_scores(self, declared: Iterable[dict[str, Any]]) -> None:
        score = self.fields["score"]
        none = [("", _("none"))]
        score.choices = none + [(choice.name, choice.title) for choice in self.choices]  # type: ignore[attr-defined]
        for entry in declared:
            score.initial = entry["attribute"].removeprefix(SCORE_PREFIX)
            self.fields["lower_cut"].initial = entry["cuts"][0]
            self.fields["upper_cut"].initial = entry["cuts"][-1]

    def _attributes(self) -> list[dict[str, Any]]:
        return [entry for entry in self.instance.strata if "cuts" not in entry]

    def _tertiles(self, cleaned: dict[str, Any]) -> list[dict[str, Any]]:
        if not cleaned["score"]:
            return []
        cuts = [cleaned["lower_cut"], cleaned["upper_cut"]]
        if None in cuts:
            thirds = next(choice for choice in self.choices if choice.name == cleaned["score"]).thirds()
            if thirds is None:
                self.add_error("lower_cut", ValidationError(_("Say where this score's levels part.")))
                return []
            cuts = thirds
        return [make_tertiles(cleaned["score"], cuts)]

    def _own_seats(self, cleaned: dict[str, Any]) -> dict[str, int]:
        """Seats that differ from the usual ones; those that were as usual follow it."""
        usual, before = cleaned["seats_per_stratum"], self.initial["seats_per_stratum"]
        own = {}
        for stratum in self.strata:
            seats = cleaned[_seats(stratum)]
            if seats is None or seats == usual or (seats == before and seats == stratum.seats):
                continue
            own[stratum.label] = seats
        return own


def _seats(stratum: Stratum) -> str:
    return f"seats-{stratum.position}"
