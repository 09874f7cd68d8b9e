"""What strata can be made of: the attributes the core questionnaire gives, with their levels in words."""

from typing import NamedTuple

from django.utils.translation import get_language

from annotations.instruments.loader import load_instrument, load_text

INSTRUMENT = "core-demographics"


class Attribute(NamedTuple):
    name: str
    label: str
    levels: list[tuple[str, str]]  # key and words


def jury_attributes() -> list[Attribute]:
    """In the questionnaire's order and the reader's language."""
    instrument = load_instrument(INSTRUMENT)
    text = load_text(instrument, get_language() or "en")
    attributes = []
    for item in instrument.items:
        if item.attribute:
            words = text.item(item.id)
            levels = [(level, words.level_label(level)) for level in item.levels]
            attributes.append(Attribute(item.attribute, words.label, levels))
    return attributes
