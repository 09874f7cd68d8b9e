"""Instruments: questionnaires as TOML, loaded, answered and scored without any code in them."""

from annotations.instruments.answers import (
    Answer,
    AnswerError,
    Answers,
    Missing,
    pack_answers,
    unpack_answers,
    validate_answers,
)
from annotations.instruments.instrument import (
    PREFER_NOT_TO_SAY,
    Instrument,
    InstrumentText,
    Item,
    ItemText,
    Score,
)
from annotations.instruments.loader import available_instruments, load_instrument, load_text
from annotations.instruments.scorer import attributes, profile_flags, score
from annotations.instruments.toml_table import InstrumentError

__all__ = [
    "PREFER_NOT_TO_SAY",
    "Answer",
    "AnswerError",
    "Answers",
    "Instrument",
    "InstrumentError",
    "InstrumentText",
    "Item",
    "ItemText",
    "Missing",
    "Score",
    "attributes",
    "available_instruments",
    "load_instrument",
    "load_text",
    "pack_answers",
    "profile_flags",
    "score",
    "unpack_answers",
    "validate_answers",
]
