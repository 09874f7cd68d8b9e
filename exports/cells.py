"""From a cell as read to a value of its column's type; a fault is a ValueError in words."""

import math
import re
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from collector.tabular import parse_json
from exports.columns import MESSAGES, TEXTS, Column

LARGEST = 2**63 - 1
WHOLE = re.compile(r"\A\s*[+-]?[0-9]{1,20}\s*\Z")
TRUE, FALSE = {"true", "yes", "1", "t", "y"}, {"false", "no", "0", "f", "n"}
ROLES = {"system", "user", "assistant"}


def parse_cell(value: object, column: Column) -> Any:
    """The cell as the column's type, None where it is empty; raises ValueError saying what is wrong."""
    if value is None or value == "":
        return None
    if column.is_raw:
        return value
    if column.is_json:
        return parse_json(value) if isinstance(value, str) else value
    return PARSERS[column.type](value)


def parse_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(_("is not text"))


def parse_number(value: object) -> float:
    """A finite number; a text is read as one, without grouping or units."""
    if isinstance(value, bool):
        raise ValueError(_("is not a number"))
    if isinstance(value, int | float):
        number = float(value)
    else:
        try:
            number = float(value) if isinstance(value, str) and "_" not in value else math.nan
        except ValueError:
            number = math.nan
    if not math.isfinite(number):
        raise ValueError(_("is not a number"))
    return number


def parse_whole(value: object) -> int:
    """A whole number of at most 64 bits."""
    number: int | float
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and WHOLE.match(value):
        number = int(value)  # not through float, which would round a long seed
    else:
        number = parse_number(value)
    if isinstance(number, float) and not number.is_integer():
        raise ValueError(_("is not a whole number"))
    if not -LARGEST - 1 <= number <= LARGEST:
        raise ValueError(_("is out of range"))
    return int(number)


def parse_flag(value: object) -> bool:
    word = str(value).strip().lower()
    if word.removesuffix(".0") in TRUE:
        return True
    if word.removesuffix(".0") in FALSE:
        return False
    raise ValueError(_("is neither true nor false"))


def parse_day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return datetime.fromisoformat(str(value)).date()
    except ValueError as error:
        raise ValueError(_("is not a date such as 2026-01-31")) from error


def parse_texts(value: object) -> list[str]:
    """A list of texts, given as one, as JSON, or in one cell with | between them."""
    if isinstance(value, str):
        value = parse_json(value) if value.lstrip().startswith("[") else value.split("|")
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    raise ValueError(_("is not a list of texts"))


def parse_messages(value: object) -> list[dict[str, str]]:
    """A conversation: messages with a role (system, user, assistant) and content."""
    if isinstance(value, str):
        value = parse_json(value)
    if not isinstance(value, list) or not value:
        raise ValueError(_("is not a list of messages"))
    for message in value:
        known = isinstance(message, dict) and set(message) == {"role", "content"}
        if not known or message["role"] not in ROLES or not isinstance(message["content"], str):
            raise ValueError(_("has a message that is not {role: system, user or assistant; content: text}"))
    return value


PARSERS = {
    pa.string(): parse_text,
    pa.float64(): parse_number,
    pa.int64(): parse_whole,
    pa.bool_(): parse_flag,
    pa.date32(): parse_day,
    TEXTS: parse_texts,
    MESSAGES: parse_messages,
}
