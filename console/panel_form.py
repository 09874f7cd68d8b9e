"""The form that draws a panel: a file of volunteers, how many, and by which quotas."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.invitations import MOST

LARGEST = 10 * 1024 * 1024


class PanelForm(forms.Form):
    pool = forms.FileField(
        label=gettext_lazy("Volunteers: CSV, JSONL or Parquet"),
        help_text=gettext_lazy(
            "A column volunteer_id, and one for each attribute. Names and ids are not kept."
        ),
    )
    size = forms.IntegerField(label=gettext_lazy("Members of the panel"), min_value=1, max_value=MOST)
    quotas = forms.FileField(
        label=gettext_lazy("Quotas, where you have them"),
        required=False,
        help_text=gettext_lazy("Columns attribute, level, minimum, maximum."),
    )
    proportional = forms.CharField(
        label=gettext_lazy("Attributes to have as they are in the pool"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Names of columns, such as: gender, region"),
    )

    def clean_pool(self) -> Any:
        return _refuse_large(self.cleaned_data["pool"])

    def clean_quotas(self) -> Any:
        return _refuse_large(self.cleaned_data["quotas"])

    def clean_proportional(self) -> list[str]:
        return [name for name in re.split(r"\s*[,;]\s*", self.cleaned_data["proportional"].strip()) if name]


def _refuse_large(file: Any) -> Any:
    if file and file.size > LARGEST:
        raise ValidationError(_("The file is larger than 10 MiB; use the command draw_panel."))
    return file
