"""Reading one TOML file strictly: every error names the file and the key, and no key goes unread."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]*")
_LEVEL = re.compile(r"[a-z0-9][a-z0-9_+-]*")


class InstrumentError(ValueError):
    """An instrument's file cannot be used; `file` and `key` say where, `problem` says why."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        self.file, self.key, self.problem = file, key, problem
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")


class Table:
    """A TOML table that remembers which of its keys were read; leave a `with` block to refuse the rest."""

    def __init__(self, data: dict[str, Any], file: str, path: str = "") -> None:
        self._data, self._file, self._path = data, file, path
        self._unread = dict.fromkeys(data)

    def __enter__(self) -> "Table":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None and self._unread:
            raise self.error(next(iter(self._unread)), "unknown key")

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def error(self, key: str, problem: str) -> InstrumentError:
        return InstrumentError(self._file, f"{self._path}{key}", problem)

    def text(self, key: str, default: str | None = None) -> str:
        if key not in self._data and default is not None:
            return default
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text that is not empty")
        return value

    def identifier(self, key: str) -> str:
        value = self.text(key)
        if not _IDENTIFIER.fullmatch(value):
            raise self.error(key, f"{value!r} must be lower-case letters, digits, - and _")
        return value

    def one_of(self, key: str, allowed: Iterable[str], default: str | None = None) -> Any:
        """One of the allowed words; typed Any because callers know the Literal it belongs to."""
        value, allowed = self.text(key, default), tuple(allowed)
        if value not in allowed:
            raise self.error(key, f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def integer(self, key: str, *, low: int | None = None, high: int | None = None) -> int:
        value = self._take(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "must be a whole number")
        if (low is not None and value < low) or (high is not None and value > high):
            raise self.error(
                key, f"{value} must be between {low} and {'any number' if high is None else high}"
            )
        return value

    def number(self, key: str) -> float:
        value = self._take(key)
        # TOML knows inf and nan; no score can use them.
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < float("inf"):
            raise self.error(key, "must be a finite number")
        return float(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A boolean, the default where the key is absent."""
        value = self._take(key) if key in self._data else default
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return value

    def levels(self, key: str) -> tuple[str, ...]:
        """A list of identifiers, none twice, that may hold a + as in 55+."""
        values = self._take(key)
        if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
            raise self.error(key, "must be a list of texts that is not empty")
        for value in values:
            self.level(key, value)
        if len(set(values)) < len(values):
            raise self.error(key, "names something twice")
        return tuple(values)

    def level(self, key: str, value: str | None = None) -> str:
        """The value, or the key itself, if it is written as a level may be."""
        level = key if value is None else value
        if not _LEVEL.fullmatch(level):
            raise self.error(key, f"{level!r} must be lower-case letters, digits, -, _ and +")
        return level

    def is_word(self, key: str, word: str) -> bool:
        """Whether the key holds exactly this word; if so, it counts as read."""
        if self._data.get(key) != word:
            return False
        self._take(key)
        return True

    def table(self, key: str) -> "Table":
        """The table under the key; an empty one where the key is absent."""
        value = self._take(key) if key in self._data else {}
        if not isinstance(value, dict):
            raise self.error(key, "must be a table")
        return Table(value, self._file, f"{self._path}{key}.")

    def tables(self, key: str) -> list["Table"]:
        """The tables of a [[key]] list, in order; none where the key is absent."""
        values = self._take(key) if key in self._data else []
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.error(key, f"must be written as [[{key}]]")
        return [
            Table(value, self._file, f"{self._path}{key}[{n}].") for n, value in enumerate(values, start=1)
        ]

    def span(self, key: str) -> tuple[int, int]:
        """Two whole numbers in order, as in [0, 3]."""
        values = self._take(key)
        if (
            not isinstance(values, list)
            or [type(value) for value in values] != [int, int]
            or values[0] > values[1]
        ):
            raise self.error(key, "must be two whole numbers, the smaller first")
        return values[0], values[1]

    def _take(self, key: str) -> Any:
        if key not in self._data:
            raise self.error(key, "is missing")
        self._unread.pop(key, None)
        return self._data[key]


def read_toml(path: Path) -> tuple[Table, bytes]:
    """The file's top table and its bytes; InstrumentError if it is absent, not UTF-8 or not TOML."""
    name = f"{path.parent.name}/{path.name}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InstrumentError(name, "", f"cannot be read: {error.strerror}") from error
    return parse_toml(content, name), content


def parse_toml(content: bytes, name: str) -> Table:
    """The top table of a file's bytes; InstrumentError, under the file's name, if they are not TOML."""
    try:
        return Table(tomllib.loads(content.decode()), name)
    except UnicodeDecodeError as error:
        raise InstrumentError(name, "", f"is not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise InstrumentError(name, "", f"is not TOML: {error}") from error
