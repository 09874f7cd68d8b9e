"""Forms of a campaign's settings, criteria, uploads and releases."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.jury import make_strata
from collector.intake import LANGUAGE
from collector.marking import remark
from collector.models import Campaign, Criterion
from console.attributes import Attribute, jury_attributes
from console.form_checks import between, free_name, positive
from exports.models import Release
from exports.serializers import VERSION

MAX_UPLOAD = 50 * 1024 * 1024
DEFAULT_SCALES = {Criterion.Kind.LIKERT: (1.0, 5.0), Criterion.Kind.SLIDER: (0.0, 100.0)}
MOST_STEPS = 11


class CampaignForm(forms.ModelForm):
    """A campaign's title, texts and jury; strata are chosen from levels people can be asked for."""

    languages = forms.CharField(
        label=gettext_lazy("Languages"),
        initial="en",
        max_length=200,
        help_text=gettext_lazy("Codes of the languages of the prompts, such as: en, es, ar"),
    )
    tier = forms.ChoiceField(
        label=gettext_lazy("Who may have a release"),
        choices=Release.Tier.choices,
        initial=Release.Tier.RESTRICTED,
        help_text=gettext_lazy(
            "Open: anyone. Restricted: after agreeing to terms. Internal: this campaign's people."
        ),
    )

    free_text = forms.BooleanField(
        label=gettext_lazy("Releases may carry what people wrote about their values, once somebody read it"),
        required=False,
    )

    class Meta:
        model = Campaign
        fields = [
            "title",
            "slug",
            "description",
            "licence",
            "seats_per_stratum",
            "wildcard_seats",
            "max_seats_per_annotator",
            "duplicate_threshold",
            "leaves_out_self_identifying",
            "leaves_out_refusals",
        ]
        labels = {
            "title": gettext_lazy("Title"),
            "slug": gettext_lazy("Short name"),
            "description": gettext_lazy("What it is about"),
            "licence": gettext_lazy("Licence of the releases"),
            "seats_per_stratum": gettext_lazy("Seats per stratum, on each prompt's jury"),
            "wildcard_seats": gettext_lazy("Seats for anyone, on each prompt's jury"),
            "max_seats_per_annotator": gettext_lazy("The most prompts one person rates"),
            "duplicate_threshold": gettext_lazy("From what similarity on two candidates are near-duplicates"),
            "leaves_out_self_identifying": gettext_lazy(
                "Juries do not see candidates that say which model they are from"
            ),
            "leaves_out_refusals": gettext_lazy("Juries do not see candidates that refuse to answer"),
        }
        help_texts = {
            "slug": gettext_lazy(
                "In every address; letters, digits and hyphens. It cannot be changed later."
            ),
            "wildcard_seats": gettext_lazy(
                "Empty: 15 in a hundred seats, at least one. They shut nobody out."
            ),
            "max_seats_per_annotator": gettext_lazy("Empty: as many as they like."),
            "duplicate_threshold": gettext_lazy(
                "From 0 to 1. Empty: 0.95 where meanings are compared, 0.8 where letters are."
            ),
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.jury = jury_attributes()
        chosen = {entry["attribute"]: entry["levels"] for entry in self.instance.strata}
        for attribute in self.jury:
            self.fields[_levels(attribute)] = forms.MultipleChoiceField(
                label=attribute.label,
                choices=attribute.levels,
                initial=chosen.get(attribute.name, []),
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
        self.fields["attributes"] = forms.MultipleChoiceField(
            label=gettext_lazy("What else a release may say about annotators"),
            choices=[(attribute.name, attribute.label) for attribute in self.jury],
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text=gettext_lazy("The strata are always in it. Of each person, only what they allow."),
        )
        if self.instance.pk:
            del self.fields["slug"]
            self.initial["languages"] = ", ".join(self.instance.languages)
            self.initial["tier"] = self.instance.privacy.get("tier", Release.Tier.RESTRICTED)
            self.initial["attributes"] = self.instance.privacy.get("attributes", [])
            self.initial["free_text"] = bool(self.instance.privacy.get("free_text"))

    def jury_fields(self) -> list[forms.BoundField]:
        return [self[_levels(attribute)] for attribute in self.jury]

    def clean_languages(self) -> list[str]:
        codes = list(dict.fromkeys(re.split(r"[\s,;]+", self.cleaned_data["languages"].strip(" ,;"))))
        for code in codes:
            if not LANGUAGE.fullmatch(code) or len(code) > 16:
                raise ValidationError(_('"%(code)s" is no language code.') % {"code": code[:20]})
        return codes

    def clean_seats_per_stratum(self) -> int:
        return positive(self.cleaned_data["seats_per_stratum"])

    def clean_max_seats_per_annotator(self) -> int | None:
        most: int | None = self.cleaned_data["max_seats_per_annotator"]
        return None if most is None else positive(most)

    def clean_duplicate_threshold(self) -> float | None:
        least: float | None = self.cleaned_data["duplicate_threshold"]
        return None if least is None else between(least, 0.01, 1.0)

    def save(self, commit: bool = True) -> Campaign:
        campaign: Campaign = super().save(commit=False)
        campaign.languages = self.cleaned_data["languages"]
        by_score = [entry for entry in campaign.strata if "cuts" in entry]  # see console.jury_form
        campaign.strata = [
            {"attribute": attribute.name, "levels": levels}
            for attribute in self.jury
            if (levels := self.cleaned_data[_levels(attribute)])
        ] + by_score
        in_strata = {entry["attribute"] for entry in campaign.strata}
        campaign.soft_targets = [
            target for target in campaign.soft_targets if target["attribute"] not in in_strata
        ]
        # A jury whose strata are kept back says nothing of its strata.
        released = [*(entry["attribute"] for entry in campaign.strata), *self.cleaned_data["attributes"]]
        campaign.privacy = {name: rule for name, rule in campaign.privacy.items() if name != "free_text"} | {
            "attributes": list(dict.fromkeys(released)),
            "tier": self.cleaned_data["tier"],
            **({"free_text": True} if self.cleaned_data["free_text"] else {}),
        }
        campaign.save()
        remark(campaign, self.changed_data)
        make_strata(campaign)
        return campaign


class CriterionForm(forms.ModelForm):
    """One question to rate by; a scale left empty is the usual one of its kind."""

    categories = forms.CharField(
        label=gettext_lazy("Categories"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line, from the worst to the best where they have an order."),
    )

    class Meta:
        model = Criterion
        fields = [
            *("name", "question", "kind", "scale_min", "scale_max", "label_min", "label_max"),
            *("categories", "ordered", "higher_is_better", "required"),
        ]
        labels = {
            "name": gettext_lazy("Short name"),
            "question": gettext_lazy("Question"),
            "kind": gettext_lazy("Kind"),
            "scale_min": gettext_lazy("Lowest number"),
            "scale_max": gettext_lazy("Highest number"),
            "label_min": gettext_lazy("What the lowest means"),
            "label_max": gettext_lazy("What the highest means"),
            "ordered": gettext_lazy("The categories have an order"),
            "higher_is_better": gettext_lazy("Higher is better"),
            "required": gettext_lazy("An answer is required"),
        }
        help_texts = {
            "name": gettext_lazy("A column in the release: letters, digits, hyphens."),
            "question": gettext_lazy("What the annotator reads under each candidate."),
        }

    def __init__(self, campaign: Campaign, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        kinds = [(kind.value, kind.label) for kind in Criterion.RATED]
        self.fields["kind"] = forms.ChoiceField(
            label=gettext_lazy("Kind"),
            choices=kinds,
            help_text=gettext_lazy(
                "With the numbers left empty, a Likert scale is 1 to 5, a slider 0 to 100."
            ),
        )

    def clean_name(self) -> str:
        return free_name(self.cleaned_data["name"], self.campaign.criteria.all())

    def clean_categories(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["categories"].splitlines() if line.strip()]
        if len(set(lines)) < len(lines):
            raise ValidationError(_("A category is there twice."))
        return lines

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind")
        if kind in DEFAULT_SCALES:
            self._clean_scale(cleaned, *DEFAULT_SCALES[Criterion.Kind(kind)])
        else:
            cleaned |= {"scale_min": None, "scale_max": None}
        if kind != Criterion.Kind.CATEGORICAL:
            cleaned |= {"categories": [], "ordered": False}
        elif len(cleaned.get("categories", [])) < 2 and not self.has_error("categories"):
            self.add_error("categories", _("Name at least two categories."))
        return cleaned

    def _clean_scale(self, cleaned: dict[str, Any], usual_low: float, usual_high: float) -> None:
        low, high = cleaned.get("scale_min"), cleaned.get("scale_max")
        low = cleaned["scale_min"] = usual_low if low is None else low
        high = cleaned["scale_max"] = usual_high if high is None else high
        if low >= high:
            self.add_error("scale_max", _("The highest number must be above the lowest."))
        elif cleaned["kind"] == Criterion.Kind.LIKERT and not _is_steps(low, high):
            self.add_error(
                "scale_max", _("A Likert scale has at most %(n)s whole steps.") % {"n": MOST_STEPS}
            )

    def save(self, commit: bool = True) -> Criterion:
        criterion: Criterion = super().save(commit=False)
        criterion.campaign = self.campaign
        last = self.campaign.criteria.order_by("-position").values_list("position", flat=True).first()
        criterion.position = 0 if last is None else last + 1
        criterion.save()
        return criterion


class UploadForm(forms.Form):
    """One file of prompts or of candidates."""

    file = forms.FileField(label=gettext_lazy("File"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD:
            raise ValidationError(_("The file is larger than 50 MiB; use the command load_prompts."))
        return file


class ReleaseForm(forms.Form):
    """Which version to cut, and whether simulated annotators are in it."""

    version = forms.RegexField(
        VERSION,
        max_length=32,
        label=gettext_lazy("Version"),
        error_messages={"invalid": gettext_lazy("A version looks like 1.0.0.")},
    )
    people_only = forms.BooleanField(label=gettext_lazy("Leave simulated annotators out"), required=False)


def _levels(attribute: Attribute) -> str:
    return f"levels_{attribute.name}"


def _is_steps(low: float, high: float) -> bool:
    return low.is_integer() and high.is_integer() and high - low < MOST_STEPS
