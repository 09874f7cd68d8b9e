"""The form of a campaign's recruitment: ways in, what people are paid, and where they are sent back to."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models import Annotator, Recruitment
from annotations.recruitment import is_return_allowed
from collector.models import CampaignQuerySet

Source = Annotator.Source
WAYS = [
    (Source.LINK, gettext_lazy("Anyone with the link")),
    (Source.INVITATION, gettext_lazy("Invitation codes, each for one person")),
    (Source.PROLIFIC, gettext_lazy("Prolific")),
    (Source.MTURK, gettext_lazy("Mechanical Turk (ids that nothing proves)")),
    (Source.PANEL, gettext_lazy("A panel that signs its ids")),
    (Source.ACCOUNT, gettext_lazy("An account here, to come back from any device")),
]
CODE = re.compile(r"[A-Za-z0-9_-]*")
IDS = ("prolific_study", "prolific_workspace")


class RecruitmentForm(forms.ModelForm):
    ways = forms.MultipleChoiceField(
        label=gettext_lazy("Who is let in"), choices=WAYS, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Recruitment
        fields = [
            "ways",
            "prolific_study",
            "prolific_workspace",
            "allow_unverified",
            "excludes",
            "keep_ids",
            "retention_days",
            "currency",
            "reward_complete",
            "reward_partial",
            "reward_screened_out",
            "target_hourly",
            "code_complete",
            "code_partial",
            "code_screened_out",
            "return_url",
        ]
        labels = {
            "prolific_study": gettext_lazy("Prolific: the study's id"),
            "prolific_workspace": gettext_lazy("Prolific: the workspace's id"),
            "allow_unverified": gettext_lazy("Take Prolific ids on trust where the link is not signed"),
            "excludes": gettext_lazy("Not those who took part in"),
            "keep_ids": gettext_lazy("Keep platform ids, encrypted, to pay people by them"),
            "retention_days": gettext_lazy("Days that platform ids are kept after payment"),
            "currency": gettext_lazy("Currency"),
            "reward_complete": gettext_lazy("For everything"),
            "reward_partial": gettext_lazy("For stopping early"),
            "reward_screened_out": gettext_lazy("For finding no seat"),
            "target_hourly": gettext_lazy("At least this an hour"),
            "code_complete": gettext_lazy("Code for everything"),
            "code_partial": gettext_lazy("Code for stopping early"),
            "code_screened_out": gettext_lazy("Code for finding no seat"),
            "return_url": gettext_lazy("Address to send people back to"),
        }
        help_texts = {
            "prolific_study": gettext_lazy(
                "Both are needed for signed links; only this study's people come in."
            ),
            "allow_unverified": gettext_lazy(
                "Such people are flagged in the data and cannot come back later."
            ),
            "excludes": gettext_lazy("Recognised by the same platform id, or in the same browser."),
            "keep_ids": gettext_lazy(
                "Otherwise only a keyed hash is kept. Holds for whoever comes in from now on."
            ),
            "currency": gettext_lazy("Three letters, such as USD."),
            "target_hourly": gettext_lazy("Prolific recommends 12 USD and refuses less than 8."),
            "return_url": gettext_lazy("{code} stands for the code. Empty: Prolific's own for its people."),
        }
        widgets = {"excludes": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, campaigns: CampaignQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        excludes: Any = self.fields["excludes"]
        excludes.queryset = campaigns.exclude(pk=self.instance.campaign_id).order_by("title")
        self.fields["retention_days"].widget.attrs["max"] = 3650

    def clean_ways(self) -> list[str]:
        return list(self.cleaned_data["ways"])

    def clean_retention_days(self) -> int:
        days: int = self.cleaned_data["retention_days"]
        if days > 3650:
            raise ValidationError(_("At most ten years."))
        return days

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValidationError(_("Three letters, such as USD."))
        return currency

    def clean_return_url(self) -> str:
        template = str(self.cleaned_data["return_url"]).strip()
        if template and not is_return_allowed(template):
            raise ValidationError(_("People may only be sent to https addresses that the operator allows."))
        return template

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):
            if name.startswith("code_") and not CODE.fullmatch(value or ""):
                self.add_error(name, _("Letters, digits, hyphens and underscores only."))
            if name.startswith(("reward_", "target_")) and value is not None and value < 0:
                self.add_error(name, _("Not less than nothing."))
        if bool(cleaned.get(IDS[0])) != bool(cleaned.get(IDS[1])):
            self.add_error(IDS[1], _("Give both ids, or neither."))
        return cleaned
