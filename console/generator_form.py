"""The forms of a generator: a new one with its settings, and the plan of one there is."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collector.marking import remark
from collector.models import Campaign, Generator, refuse_queue_of_short_tasks
from collector.outbound import MAX_URL, Refused, parse_url
from collector.providers import PROVIDERS
from console.form_checks import between, free_name

NEEDS_NO_MODEL = ("scripted",)
MOST_SAMPLES = 100
LABELS = {
    "name": gettext_lazy("Short name"),
    "model": gettext_lazy("Model"),
    "samples": gettext_lazy("Samples"),
    "temperature": gettext_lazy("Temperature"),
    "max_new_tokens": gettext_lazy("The most tokens in a response"),
    "distinct_samples": gettext_lazy("Distinct candidates wanted"),
    "max_samples": gettext_lazy("The most samples for that"),
    "prompt_token_price": gettext_lazy("Price of a million prompt tokens"),
    "new_token_price": gettext_lazy("Price of a million new tokens"),
    "queue": gettext_lazy("Queue"),
}
HELP_TEXTS = {
    "model": gettext_lazy("Such as smollm2-135m-instruct, a folder, or a name on a model hub."),
    "samples": gettext_lazy("For each prompt and steering."),
    "distinct_samples": gettext_lazy("For each prompt and steering; empty: near-duplicates may stay."),
    "prompt_token_price": gettext_lazy("In US dollars."),
    "new_token_price": gettext_lazy("In US dollars."),
    "queue": gettext_lazy("The workers of this queue run the model; ask whoever runs Empanel."),
}
PLAN = ("samples", "distinct_samples", "max_samples", "prompt_token_price", "new_token_price", "queue")


class PlanForm(forms.ModelForm):
    """What may be changed of a generator that has been at work: how much is asked of it, and the prices."""

    class Meta:
        model = Generator
        fields = PLAN
        labels = {name: LABELS[name] for name in PLAN}
        help_texts = {name: HELP_TEXTS[name] for name in PLAN if name in HELP_TEXTS}

    def save(self, commit: bool = True) -> Generator:
        generator: Generator = super().save(commit)
        if commit:
            remark(generator.campaign, self.changed_data)
        return generator

    queue = forms.SlugField(
        label=LABELS["queue"],
        help_text=HELP_TEXTS["queue"],
        max_length=64,
        required=False,
        validators=[refuse_queue_of_short_tasks],
    )

    def clean_queue(self) -> str:
        return self.cleaned_data["queue"] or Generator._meta.get_field("queue").default

    def clean_samples(self) -> int:
        return between(self.cleaned_data["samples"], 1, MOST_SAMPLES)

    def clean_distinct_samples(self) -> int | None:
        return _between_or_none(self.cleaned_data["distinct_samples"])

    def clean_max_samples(self) -> int | None:
        return _between_or_none(self.cleaned_data["max_samples"])

    def clean_prompt_token_price(self) -> float | None:
        return _price(self.cleaned_data["prompt_token_price"])

    def clean_new_token_price(self) -> float | None:
        return _price(self.cleaned_data["new_token_price"])


class GeneratorForm(PlanForm):
    """A model with its settings."""

    endpoint = forms.CharField(
        label=gettext_lazy("Address of the server"),
        required=False,
        max_length=MAX_URL,
        help_text=gettext_lazy(
            "Such as https://models.example.org/v1; only for a server of your own choice."
        ),
    )

    several = forms.BooleanField(
        label=gettext_lazy("Ask the server for several samples of a prompt at once"), required=False
    )

    class Meta:
        model = Generator
        fields = ("name", "provider", "model", "temperature", "max_new_tokens", *PLAN)
        labels = LABELS
        help_texts = HELP_TEXTS

    def __init__(self, campaign: Campaign, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        known = [(name, provider.label) for name, provider in PROVIDERS.items() if provider.generates]
        self.fields["provider"] = forms.ChoiceField(label=gettext_lazy("Provider"), choices=known)

    def clean_name(self) -> str:
        return free_name(self.cleaned_data["name"], self.campaign.generators.all())

    def clean_temperature(self) -> float:
        return between(self.cleaned_data["temperature"], 0.0, 10.0)

    def clean_max_new_tokens(self) -> int:
        return between(self.cleaned_data["max_new_tokens"], 1, 32_768)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("provider") not in NEEDS_NO_MODEL and not cleaned.get("model"):
            self.add_error("model", _("Name the model."))
        if "provider" in cleaned and PROVIDERS[cleaned["provider"]].has_endpoint:
            try:
                parse_url(cleaned.get("endpoint", ""))
            except Refused as error:
                self.add_error("endpoint", _("This cannot be used: %(reason)s.") % {"reason": error})
        return cleaned

    def save(self, commit: bool = True) -> Generator:
        """The generator as it is to be; its steerings are the caller's to set before it is stored."""
        generator: Generator = super().save(commit=False)
        generator.campaign = self.campaign
        if PROVIDERS[generator.provider].has_endpoint:
            generator.extra = {"endpoint": self.cleaned_data["endpoint"]}
            if self.cleaned_data["several"]:
                generator.extra["n"] = True
        if commit:
            generator.save()
        return generator


def _between_or_none(number: int | None) -> int | None:
    return None if number is None else between(number, 1, 1000)


def _price(number: float | None) -> float | None:
    return None if number is None else between(number, 0.0, 1_000_000.0)
