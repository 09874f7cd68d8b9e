"""Answers to single questions of questionnaires as columns, for restricted releases whose policy asks."""

from collections.abc import Iterable, Mapping
from typing import Any

from annotations.instruments.instrument import Instrument, Item

ITEM_PREFIX = "item_"


def item_columns(instruments: Iterable[Instrument], answers: Mapping[str, Any]) -> dict[str, int | str]:
    """item_INSTRUMENT_ITEM of every answer that is a number or an option; `answers` as a profile keeps them.

    Questions behind an attribute are left to its column, which the gate knows; texts and instruments that
    say "never" are left out.
    """
    return {
        f"{ITEM_PREFIX}{instrument.id}_{item.id}".replace("-", "_"): value
        for instrument in instruments
        if instrument.export.raw_items != "never"
        for item in instrument.items
        if (value := _answer(item, answers.get(instrument.id, {}).get("answers", {}))) is not None
    }


def _answer(item: Item, answers: Mapping[str, Any]) -> int | str | None:
    value = answers.get(item.id)
    is_answered = isinstance(value, int | str) and item.is_closed and item.attribute is None
    return value if is_answered else None
