"""The form in which a manager revises the texts people agree to."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.models import ConsentDocument
from collector.rendering import MAX_TEXT


class ConsentTextsForm(forms.Form):
    """One Markdown text per language of the newest version; each needs a heading and something below it."""

    def __init__(self, *args: Any, documents: Iterable[ConsentDocument], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for document in documents:
            self.fields[document.language] = forms.CharField(
                label=_("Text in Markdown"),
                initial=document.markdown,
                max_length=MAX_TEXT,
                validators=[_require_heading],
                widget=forms.Textarea(attrs={"rows": 18, "lang": document.language, "dir": "auto"}),
                help_text=_("The first line is the heading."),
            )

    @property
    def texts(self) -> dict[str, str]:
        return dict(self.cleaned_data)


def _require_heading(markdown: str) -> None:
    heading, _newline, body = markdown.strip().partition("\n")
    if not heading.strip("# ") or not body.strip():
        raise ValidationError(
            gettext("Give the text a heading in its first line, and say below it what people agree to.")
        )
