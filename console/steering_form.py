"""The steerings of a generator as rows of a form: a kind, a label, and a text the kind gives a meaning."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collector.steering_spec import (
    MAX_LABEL,
    Kind,
    SteeringFault,
    SteeringRefused,
    kind_of,
    label_of,
    read_steerings,
    unknown_criteria,
)

PREFIX = "steering"
MOST_TEXT = 65_536
# A line such as "openness: 0.7".
NUMBER = re.compile(r"(?P<name>[^:=]{1,100}?)\s*[:=]\s*(?P<number>[+-]?\d+(?:[.,]\d+)?)")
HINTS = {
    Kind.SYSTEM: gettext_lazy("What is said to the model before every prompt."),
    Kind.PERSONA: gettext_lazy("Who is to answer: “a retired nurse who …”."),
    Kind.PROFILE: gettext_lazy("What a person holds, in words; scores first, one a line: “openness: 0.7”."),
    Kind.ATTRIBUTE: gettext_lazy("One attribute and its level: “age_band: 55+”."),
    Kind.WEIGHTS: gettext_lazy("A criterion and its weight a line, “helpful: 0.7”; they add up to 1."),
    Kind.LANGUAGE: gettext_lazy("The code of the language to answer in: “es”."),
    Kind.UNLIKE: gettext_lazy("No text: each sample is asked to be most unlike the ones before it."),
    Kind.PLAIN: gettext_lazy("No text: the model is asked as it is, to compare the others with."),
}


class SteeringForm(forms.Form):
    """One row."""

    kind = forms.ChoiceField(
        label=gettext_lazy("How it is steered"),
        choices=[(kind.value, kind.label) for kind in (*HINTS,)],
        initial=Kind.SYSTEM.value,
    )
    label = forms.CharField(
        label=gettext_lazy("Label"),
        required=False,
        max_length=MAX_LABEL,
        help_text=gettext_lazy("A name its candidates carry, such as: cautious doctor."),
    )
    text = forms.CharField(
        label=gettext_lazy("What is said"),
        required=False,
        max_length=MOST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, number: int, data: dict[str, str] | None = None) -> None:
        given = None if data is None else {f"{PREFIX}-{name}": value for name, value in data.items()}
        super().__init__(given, prefix=PREFIX, auto_id=f"id_%s-{number}")
        self.number = number

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                kind, label = Kind(cleaned["kind"]), cleaned["label"].strip()
                cleaned["entry"] = make_entry(kind, label, cleaned["text"])
            except ValueError as error:
                self.add_error("text", str(error))
        return cleaned

    @property
    def entry(self) -> dict[str, Any]:
        return dict(self.cleaned_data["entry"])


class SteeringRows:
    """All rows of one generator. Rows that say nothing are none; `entries` are there once `is_valid`."""

    def __init__(self, rows: Sequence[dict[str, str]], *, criteria: set[str], is_bound: bool) -> None:
        self.criteria = criteria
        self.forms = [SteeringForm(number, row if is_bound else None) for number, row in enumerate(rows)]
        if not is_bound:
            for form, row in zip(self.forms, rows, strict=True):
                form.initial = dict(row)
        self.entries: list[dict[str, Any]] = []

    def is_valid(self) -> bool:
        told = [form for form in self.forms if _says_something(form)]
        if sum(not form.is_valid() for form in told):  # every row says what is wrong with it
            return False
        try:
            self.entries = read_steerings([form.entry for form in told])
            faults = unknown_criteria(self.entries, self.criteria)
        except SteeringRefused as error:
            faults = error.faults
        for fault in faults:
            _show(fault, told)
        return not faults


def rows_of_post(post: QueryDict) -> list[dict[str, str]]:
    """The rows as they were sent: fields of one name, in the order of the rows."""
    columns = [post.getlist(f"{PREFIX}-{name}") for name in ("kind", "label", "text")]
    return [dict(zip(("kind", "label", "text"), row, strict=True)) for row in zip(*columns, strict=False)]


def rows_of_entries(entries: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    return [
        {"kind": kind_of(entry).value, "label": label_of(entry), "text": text_of(entry)} for entry in entries
    ]


def empty_row() -> dict[str, str]:
    return {"kind": Kind.SYSTEM.value, "label": "", "text": ""}


def make_entry(kind: Kind, label: str, text: str) -> dict[str, Any]:
    """A steering from what was typed; raises ValueError with the reason in words."""
    named = {"label": label} if label else {}
    text = text.replace("\r\n", "\n").strip()
    match kind:
        case Kind.PLAIN | Kind.UNLIKE:
            if text:
                raise ValueError(_("This kind takes no text; choose another."))
            return named | ({"unlike": True} if kind == Kind.UNLIKE else {})
        case Kind.ATTRIBUTE:
            name, level = _split_attribute(text)
            return named | {"attribute": name, "level": level}
        case Kind.WEIGHTS:
            weights, rest = _take_numbers(text)
            if rest or not weights:
                raise ValueError(_("Write one criterion and its weight a line, such as “helpful: 0.7”."))
            return named | {"weights": weights}
        case Kind.PROFILE:
            scores, rest = _take_numbers(text)
            return named | {
                "profile": ({"scores": scores} if scores else {}) | ({"text": rest} if rest else {})
            }
    if not text:
        raise ValueError(_("Write what is to be said, or choose “not steered”."))
    return named | {kind.value: text}


def text_of(entry: dict[str, Any]) -> str:
    """What one would type for the entry: `make_entry` gives it back."""
    match kind_of(entry):
        case Kind.PLAIN | Kind.UNLIKE:
            return ""
        case Kind.ATTRIBUTE:
            return f"{entry['attribute']}: {entry['level']}"
        case Kind.WEIGHTS:
            return _write_numbers(entry["weights"])
        case Kind.PROFILE:
            profile = entry["profile"]
            parts = _write_numbers(profile.get("scores") or {}), profile.get("text") or ""
            return "\n\n".join(part for part in parts if part)
        case kind:
            return str(entry[kind.value])


def _split_attribute(text: str) -> tuple[str, str]:
    name, mark, level = text.partition(":" if ":" in text else "=")
    if not mark or not name.strip() or not level.strip() or "\n" in text:
        raise ValueError(_("Write one attribute and its level, such as “age_band: 55+”."))
    return name.strip(), level.strip()


def _take_numbers(text: str) -> tuple[dict[str, float], str]:
    """The numbers of the first lines, by name, and the text that follows."""
    numbers: dict[str, float] = {}
    lines = text.split("\n")
    while lines and (found := NUMBER.fullmatch(lines[0].strip())):
        name = found["name"].strip()
        if name in numbers:
            raise ValueError(_("“%(name)s” is there twice.") % {"name": name})
        numbers[name] = float(found["number"].replace(",", "."))
        lines.pop(0)
    return numbers, "\n".join(lines).strip()


def _write_numbers(numbers: dict[str, float]) -> str:
    return "\n".join(f"{name}: {number!r}" for name, number in numbers.items())


def _says_something(form: SteeringForm) -> bool:
    data = {name: form.data.get(f"{PREFIX}-{name}", "").strip() for name in ("kind", "label", "text")}
    return bool(data["label"] or data["text"]) or data["kind"] in (Kind.PLAIN.value, Kind.UNLIKE.value)


def _show(fault: SteeringFault, told: Sequence[SteeringForm]) -> None:
    form = told[fault.number or 0]
    form.add_error("label" if fault.key == "label" else "text", fault.message)
