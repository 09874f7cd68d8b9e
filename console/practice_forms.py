"""Forms for what surrounds the rating: a day's share, attention items, and questions on the instructions."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collector.models import Campaign, Criterion
from console.form_checks import between

MOST_QUESTIONS = 20


class LimitsForm(forms.ModelForm):
    """How much one person is asked in a day, and how often whether they read."""

    class Meta:
        model = Campaign
        fields = ["max_seats_per_day", "max_minutes_per_day", "attention_every"]
        labels = {
            "max_seats_per_day": gettext_lazy("The most prompts a person may judge in a day"),
            "max_minutes_per_day": gettext_lazy("The most minutes a person may spend in a day"),
            "attention_every": gettext_lazy("An attention item after every so many prompts"),
        }
        help_texts = {
            "max_seats_per_day": gettext_lazy("Empty: no limit."),
            "max_minutes_per_day": gettext_lazy("Active minutes; 45 is a good limit. Empty: no limit."),
            "attention_every": gettext_lazy("0: none. They come from the list below, each at most once."),
        }

    def clean_max_seats_per_day(self) -> int | None:
        return _at_least_one(self.cleaned_data["max_seats_per_day"])

    def clean_max_minutes_per_day(self) -> int | None:
        return _at_least_one(self.cleaned_data["max_minutes_per_day"])


class QuestionForm(forms.Form):
    """One more question on the instructions; the right option is the one with a star before it."""

    language = forms.ChoiceField(label=gettext_lazy("Language"))
    question = forms.CharField(label=gettext_lazy("Question"), max_length=300)
    options = forms.CharField(
        label=gettext_lazy("Options"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=gettext_lazy("One a line, two to six of them; begin the right one with a star: *"),
    )
    explanation = forms.CharField(
        label=gettext_lazy("What to say to a wrong answer"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    def __init__(self, campaign: Campaign, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        codes = campaign.languages or ["en"]
        self.fields["language"].choices = [(code, code) for code in codes]  # type: ignore[attr-defined]

    def clean_options(self) -> list[str]:
        options = [line.strip() for line in self.cleaned_data["options"].splitlines() if line.strip()]
        if not 2 <= len(options) <= 6:
            raise ValidationError(_("Give two to six options, one a line."))
        if sum(option.startswith("*") for option in options) != 1:
            raise ValidationError(_("Begin exactly one option, the right one, with a star: *"))
        return options

    def clean(self) -> dict[str, Any]:
        if len(self.campaign.comprehension) >= MOST_QUESTIONS:
            raise ValidationError(
                _("There are %(most)s questions; remove one first.") % {"most": MOST_QUESTIONS}
            )
        return super().clean() or {}

    @property
    def row(self) -> dict[str, Any]:
        """As `Campaign.comprehension` keeps it."""
        options: list[str] = self.cleaned_data["options"]
        return {
            "language": self.cleaned_data["language"],
            "question": self.cleaned_data["question"],
            "options": [option.removeprefix("*").strip() for option in options],
            "answer": next(place for place, option in enumerate(options) if option.startswith("*")),
            "explanation": self.cleaned_data["explanation"],
        }


class AttentionForm(forms.Form):
    """What a new attention item asks people to answer: one value or more, each on its scale."""

    def __init__(self, criteria: list[Criterion], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for criterion in criteria:
            low, high = criterion.bounds or (0.0, len(criterion.categories) - 1.0)
            self.fields[f"expect-{criterion.name}"] = forms.FloatField(
                label=criterion.question,
                required=False,
                min_value=low,
                max_value=high,
                help_text=_("%(name)s, from %(low)s to %(high)s; empty: not asked for.")
                % {"name": criterion.name, "low": f"{low:g}", "high": f"{high:g}"},
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and all(value is None for value in cleaned.values()):
            raise ValidationError(_("Say for at least one criterion what people should answer."))
        return cleaned

    @property
    def expected(self) -> dict[str, float]:
        given = self.cleaned_data.items()
        return {name.removeprefix("expect-"): value for name, value in given if value is not None}


def _at_least_one(value: int | None) -> int | None:
    return None if value is None else between(value, 1, 10_000)
