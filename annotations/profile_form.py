"""The profile page as data: what to show for every instrument, and what came back."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from annotations.instruments.instrument import PREFER_NOT_TO_SAY, Instrument, InstrumentText, Item
from annotations.instruments.loader import load_instrument, load_text
from annotations.models import Annotator
from annotations.profiles import INSTRUMENTS, RawAnswers

SLIDER_STEPS = 11


def profile_sections(
    annotator: Annotator, raw: RawAnswers | None = None, faults: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Every instrument with its items in the annotator's own order, filled with what they sent before."""
    return [
        _section(load_instrument(name), annotator, (raw or {}).get(name, {}), faults or {})
        for name in INSTRUMENTS
    ]


def item_order(annotator: Annotator) -> dict[str, list[str]]:
    """The order in which this annotator sees each instrument's items, the same at every visit."""
    return {name: [item.id for item in _ordered(load_instrument(name), annotator)] for name in INSTRUMENTS}


def read_profile(data: QueryDict) -> RawAnswers:
    """What a browser sent, by instrument; fields of no instrument are not ours and are left alone."""
    return {
        name: {
            item.id: str(data[field])
            for item in load_instrument(name).items
            if (field := f"{name}.{item.id}") in data
        }
        for name in INSTRUMENTS
    }


def fault_in_words(code: str) -> str:
    words = {
        "out_of_range": _("Please choose a value on the scale."),
        "not_a_number": _("Please choose a value on the scale."),
        "not_an_option": _("Please choose one of the answers."),
        "too_long": _("This is longer than can be kept. Please shorten it."),
        "not_text": _("This has signs that cannot be kept. Please type it again."),
    }
    return words.get(code, _("Please answer this again."))


def _ordered(instrument: Instrument, annotator: Annotator) -> list[Item]:
    items = list(instrument.items)
    if instrument.order == "random":
        # Not for secrets: the order only has to differ between people and be the same again.
        random.Random(f"{annotator.campaign.seed}:{annotator.pk}:{instrument.id}").shuffle(items)  # noqa: S311
    return items


def _section(
    instrument: Instrument, annotator: Annotator, raw: Mapping[str, str], faults: Mapping[str, str]
) -> dict[str, Any]:
    text = load_text(instrument, annotator.language)
    return {
        "instrument_id": instrument.id,
        "title": text.title,
        "intro": text.intro,
        "items": [
            _item(instrument, item, text, raw.get(item.id, ""), faults.get(f"{instrument.id}.{item.id}"))
            for item in _ordered(instrument, annotator)
        ],
    }


def _item(
    instrument: Instrument, item: Item, text: InstrumentText, value: str, fault: str | None
) -> dict[str, Any]:
    words = text.item(item.id)
    return {
        "name": f"{instrument.id}.{item.id}",
        "label": f"{text.stem} {words.question}".strip(),
        "hint": words.hint,
        "kind": item.kind,
        "options": _options(item, words.options, text.prefer_not_to_say, value),
        "declined": _option(PREFER_NOT_TO_SAY, text.prefer_not_to_say, value),
        "max": item.max_chars,
        "min_label": words.low,
        "max_label": words.high,
        "value": value,
        "error": fault_in_words(fault) if fault else "",
    }


def _options(
    item: Item, labels: Iterable[tuple[str, str]], prefer_not_to_say: str, value: str
) -> list[dict[str, Any]]:
    if item.kind == "choice":
        return [_option(key, label, value) for key, label in labels] + [
            _option(PREFER_NOT_TO_SAY, prefer_not_to_say, value)
        ]
    if item.is_number:
        low, high = item.bounds
        count = min(high - low + 1, SLIDER_STEPS)
        steps = [round(low + (high - low) * index / (count - 1)) for index in range(count)]
        return [_option(str(step), str(step), value) for step in steps]
    return []


def _option(key: str, label: str, value: str) -> dict[str, Any]:
    return {"value": key, "label": label, "checked": key == value}
