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
    DONT_KNOW,
    PREFER_NOT_TO_SAY,
    Instrument,
    InstrumentText,
    Item,
    ItemText,
    Score,
    ScoreText,
)
from annotations.instruments.loader import (
    available_instruments,
    load_instrument,
    load_score_texts,
    load_text,
    read_text,
)
from annotations.instruments.scorer import PROFILE_FLAGS, attributes, profile_flags, score
from annotations.instruments.toml_table import InstrumentError

__all__ = [
    "DONT_KNOW",
    "PREFER_NOT_TO_SAY",
    "PROFILE_FLAGS",
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
    "ScoreText",
    "attributes",
    "available_instruments",
    "load_instrument",
    "load_score_texts",
    "load_text",
    "pack_answers",
    "profile_flags",
    "read_text",
    "score",
    "unpack_answers",
    "validate_answers",
]
