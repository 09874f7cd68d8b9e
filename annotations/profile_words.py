"""A profile's scores in words its owner understands: what each stands for and where they stand, unjudged."""

from collections.abc import Iterator
from typing import Any

from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _

from annotations.instruments.instrument import Instrument, Score
from annotations.instruments.loader import (
    available_instruments,
    load_instrument,
    load_score_texts,
    score_language,
)
from annotations.models import ValueProfile
from annotations.questionnaires import campaign_texts

# Closer to the person's own average than this share of the scale is as good as on it.
AS_MUCH = 0.02


def scores_in_words(profile: ValueProfile, language: str) -> Iterator[dict[str, Any]]:
    """For every instrument whose scores have words: {title, title_language, language, is_compared, rows}.

    A row is {label, meaning, standing}. Scores that are not defined for this person are left out.
    """
    titles = campaign_texts(profile.annotator.campaign, language)
    for name in profile.answers:
        if name not in available_instruments() or name not in titles:
            continue
        instrument = load_instrument(name)
        texts = load_score_texts(instrument, language)
        told = [one for one in instrument.scores if one.id in texts and one.id in profile.scores]
        if not told:
            continue
        yield {
            "title": titles[name].title,
            "title_language": titles[name].language,
            "language": score_language(instrument, language),
            "is_compared": told[0].op == "subtract",
            "rows": [
                {
                    "label": texts[one.id].label,
                    "meaning": texts[one.id].meaning,
                    "standing": _standing(instrument, one, profile.scores[one.id]),
                }
                for one in told
            ],
        }


def _standing(instrument: Instrument, told: Score, value: float) -> str:
    low, high = _bounds(instrument, told)
    if told.op != "subtract":
        return _("%(value)s on a scale from %(low)s to %(high)s") % {
            "value": _number(value),
            "low": low,
            "high": high,
        }
    if abs(value) < AS_MUCH * (high - low):
        return _("as much as your own average")
    words = _("%(value)s above your own average") if value > 0 else _("%(value)s below your own average")
    return words % {"value": _number(abs(value))}


def _bounds(instrument: Instrument, told: Score) -> tuple[int, int]:
    """The ends of the scale that the score, or where it has no items its instrument, is answered on."""
    items = told.items or [item.id for item in instrument.items if item.is_number]
    return instrument.item(items[0]).bounds


def _number(value: float) -> str:
    return str(floatformat(value, 1))
