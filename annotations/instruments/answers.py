"""From what a form sends to typed answers, each a value or the kind of missing it is."""

import re
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any

from annotations.instruments.instrument import DONT_KNOW, PREFER_NOT_TO_SAY, Instrument, Item

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,9}")
# Everything below a space but tab and newline, and halves of surrogate pairs: no person types them, and
# PostgreSQL or UTF-8 refuses some of them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class Missing(Enum):
    """Why there is no value. Not a str, so that it can never be taken for an option or a text."""

    DECLINED = "declined"
    DONT_KNOW = "dont_know"
    NOT_APPLICABLE = "not_applicable"
    NOT_ASKED = "not_asked"
    NOT_REACHED = "not_reached"


Answer = int | str | Missing
Answers = Mapping[str, Answer]


class AnswerError(ValueError):
    """Answers that cannot be kept; `fields` has a code for every field at fault.

    Codes: unknown_item, not_asked, not_an_option, not_a_number, out_of_range, too_long, not_text.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__(", ".join(f"{name}: {code}" for name, code in self.fields.items()))


def validate_answers(
    instrument: Instrument, raw: Mapping[str, str], *, shown: Collection[str] | None = None
) -> dict[str, Answer]:
    """An answer for every item in the instrument's order; AnswerError with every field at fault.

    Not `shown` (default: all are): not asked. Its condition unmet: not applicable, whatever was typed.
    Shown and left blank: not reached. `prefer_not_to_say` on a closed item: declined; `dont_know` where
    the item offers it: don't know, which is kept apart.
    """
    known = {item.id for item in instrument.items}
    faults = {name: "unknown_item" for name in raw if name not in known}
    answers: dict[str, Answer] = {}
    for item in instrument.items:
        try:
            answers[item.id] = _read_answer(
                item, raw.get(item.id, ""), answers, shown is None or item.id in shown
            )
        except ValueError as error:
            faults[item.id] = str(error)
    if faults:
        raise AnswerError(faults)
    return answers


def is_printable(text: str) -> bool:
    """Whether every sign is one that people type and a database keeps."""
    return _UNPRINTABLE.search(text) is None


def pack_answers(answers: Answers) -> dict[str, Any]:
    """Answers as JSON can hold them: under each item's id its value, or {"missing": "declined"}."""
    return {
        item_id: {"missing": answer.value} if isinstance(answer, Missing) else answer
        for item_id, answer in answers.items()
    }


def unpack_answers(packed: Mapping[str, Any]) -> dict[str, Answer]:
    """What `pack_answers` packed."""
    return {
        item_id: Missing(entry["missing"]) if isinstance(entry, dict) else entry
        for item_id, entry in packed.items()
    }


def _read_answer(item: Item, raw: str, answers: Answers, is_shown: bool) -> Answer:
    """One item's answer; a ValueError's text is the fault's code."""
    if item.only_if and answers.get(item.only_if.item) != item.only_if.equals:
        return Missing.NOT_APPLICABLE
    text = raw.replace("\r\n", "\n").strip()
    if not is_shown:
        if text:
            raise ValueError("not_asked")
        return Missing.NOT_ASKED
    if not text:
        return Missing.NOT_REACHED
    if item.kind == "text":
        return _read_text(item, text)
    if text == PREFER_NOT_TO_SAY:
        return Missing.DECLINED
    if text == DONT_KNOW and item.dont_know:
        return Missing.DONT_KNOW
    return _read_number(item, text) if item.is_number else _read_option(item, text)


def _read_text(item: Item, text: str) -> str:
    if not is_printable(text):
        raise ValueError("not_text")
    if item.max_chars is not None and len(text) > item.max_chars:
        raise ValueError("too_long")
    return text


def _read_option(item: Item, text: str) -> str:
    if text not in item.options:
        raise ValueError("not_an_option")
    return text


def _read_number(item: Item, text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text):
        raise ValueError("not_a_number")
    low, high = item.bounds
    if not low <= int(text) <= high:
        raise ValueError("out_of_range")
    return int(text)
