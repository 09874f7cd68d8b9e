"""The profile page as data: what to show for every instrument, and what came back."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotations.instruments.answers import Missing, unpack_answers
from annotations.instruments.instrument import (
    DONT_KNOW,
    PREFER_NOT_TO_SAY,
    Instrument,
    InstrumentText,
    Item,
)
from annotations.models import Annotator, ValueProfile
from annotations.profiles import TEXT_INSTRUMENT, RawAnswers, question_language
from annotations.questionnaires import campaign_instruments, campaign_texts, language_info

SLIDER_STEPS = 11
# As a form sends what was not answered but said to be so.
SAID_SO = {Missing.DECLINED: PREFER_NOT_TO_SAY, Missing.DONT_KNOW: DONT_KNOW}


def profile_sections(
    annotator: Annotator, raw: RawAnswers | None = None, faults: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Every instrument with its items in the annotator's own order, filled with what they sent before."""
    texts = campaign_texts(annotator.campaign, question_language(annotator))
    sent = raw or {}
    return [
        _section(instrument, texts[instrument.id], annotator, sent.get(instrument.id, {}), faults or {})
        for instrument in campaign_instruments(annotator.campaign)
        if instrument.id in texts
    ]


def item_order(annotator: Annotator) -> dict[str, list[str]]:
    """The order in which this annotator sees each instrument's items, the same at every visit."""
    return {
        instrument.id: [item.id for item in _ordered(instrument, annotator)]
        for instrument in campaign_instruments(annotator.campaign)
    }


def read_profile(annotator: Annotator, data: QueryDict) -> RawAnswers:
    """What a browser sent, by instrument; fields of no instrument are not ours and are left alone."""
    return {
        instrument.id: {
            item.id: str(data[field])
            for item in instrument.items
            if (field := f"{instrument.id}.{item.id}") in data
        }
        for instrument in campaign_instruments(annotator.campaign)
    }


def as_sent(profile: ValueProfile) -> RawAnswers:
    """A stored profile's answers as the form sent them, for whoever comes back to correct them."""
    return {
        name: {
            item: SAID_SO.get(answer, "") if isinstance(answer, Missing) else str(answer)
            for item, answer in unpack_answers(stored["answers"]).items()
        }
        for name, stored in profile.answers.items()
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
    instrument: Instrument,
    text: InstrumentText,
    annotator: Annotator,
    raw: Mapping[str, str],
    faults: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "instrument_id": instrument.id,
        "title": text.title,
        "intro": text.intro,
        "is_summarised": instrument.id == TEXT_INSTRUMENT and annotator.campaign.summariser_id is not None,
        **_language(text.language),
        "items": [
            _item(instrument, item, text, raw.get(item.id, ""), faults.get(f"{instrument.id}.{item.id}"))
            for item in _ordered(instrument, annotator)
        ],
    }


def _language(code: str) -> dict[str, Any]:
    """How to mark words in this language, and its own name where it is not the page's."""
    known = language_info(code)
    is_pages = code.split("-")[0] == (get_language() or "en").split("-")[0]
    return {
        "language": code,
        "direction": "rtl" if known.get("bidi") else "ltr",
        "other_language": "" if is_pages else known.get("name_local", code),
    }


def _item(
    instrument: Instrument, item: Item, text: InstrumentText, value: str, fault: str | None
) -> dict[str, Any]:
    words = text.item(item.id)
    declined = [_option(PREFER_NOT_TO_SAY, text.prefer_not_to_say, value)]
    if item.dont_know:
        declined.insert(0, _option(DONT_KNOW, text.dont_know, value))
    return {
        "name": f"{instrument.id}.{item.id}",
        "label": f"{text.stem} {words.question}".strip(),
        "hint": words.hint,
        "kind": "choice" if words.options else item.kind,
        "options": _options(item, words.options, value),
        "declined": declined,
        "max": item.max_chars,
        "min_label": words.low,
        "max_label": words.high,
        "value": value,
        "error": fault_in_words(fault) if fault else "",
    }


def _options(item: Item, labels: Iterable[tuple[str, str]], value: str) -> list[dict[str, Any]]:
    """The answers in words, or else the steps of the scale."""
    if labels:
        return [_option(key, label, value) for key, label in labels]
    if item.is_number:
        low, high = item.bounds
        count = min(high - low + 1, SLIDER_STEPS)
        steps = [round(low + (high - low) * index / (count - 1)) for index in range(count)]
        return [_option(str(step), str(step), value) for step in steps]
    return []


def _option(key: str, label: str, value: str) -> dict[str, Any]:
    return {"value": key, "label": label, "checked": key == value}
