"""What an instrument is: items, scores and texts, as values that cannot change once loaded."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["choice", "likert", "slider", "text"]
Op = Literal["mean", "sum", "subtract", "reverse", "standardise", "lookup"]
# How a score reads: as answered, less the person's own mean, or several scores put together.
Level = Literal["raw", "centred", "higher_order"]

# The answer every closed item accepts besides its own, and the one that some do; neither is an option.
PREFER_NOT_TO_SAY = "prefer_not_to_say"
DONT_KNOW = "dont_know"


@dataclass(frozen=True)
class Condition:
    """An item is asked only if an earlier choice item was answered with `equals`."""

    item: str
    equals: str


@dataclass(frozen=True)
class Band:
    """A level that the numbers `low` to `high`, both included, are released as."""

    key: str
    low: int
    high: int


@dataclass(frozen=True)
class Item:
    """One question: choice has `options`; likert and slider have `min` and `max`; text has `max_chars`."""

    id: str
    kind: Kind
    options: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None
    reverse: bool = False
    max_chars: int | None = None
    attribute: str | None = None
    bands: tuple[Band, ...] = ()
    only_if: Condition | None = None
    dont_know: bool = False

    @property
    def is_closed(self) -> bool:
        return self.kind != "text"

    @property
    def is_number(self) -> bool:
        return self.kind in ("likert", "slider")

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and largest number this item takes; ValueError for an item that takes none."""
        if self.min is None or self.max is None:
            raise ValueError(f"item {self.id!r} takes no number")
        return self.min, self.max

    @property
    def answers(self) -> tuple[str, ...]:
        """What a closed item can be answered with, in order: its options or its numbers, as typed."""
        if self.is_number:
            low, high = self.bounds
            return tuple(str(number) for number in range(low, high + 1))
        return self.options

    @property
    def levels(self) -> tuple[str, ...]:
        """What the item's attribute can be, in order: its bands, or else its answers."""
        return tuple(band.key for band in self.bands) or self.answers


@dataclass(frozen=True)
class Score:
    """One number made from answers by one operation; which fields it uses depends on `op` (see `scorer`)."""

    id: str
    op: Op
    title: str
    level: Level = "raw"
    items: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    min_answered: int = 1
    a: str | None = None
    b: str | None = None
    of: str | None = None
    min: float = 0.0
    max: float = 0.0
    mean: float = 0.0
    sd: float = 1.0
    table: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Check:
    """An attention item: giving one of the answers in `fails` flags the profile."""

    item: str
    fails: tuple[str, ...]


@dataclass(frozen=True)
class Licence:
    """The terms of the words; where `text_bundled` is false the study's owner brings them."""

    spdx: str
    attribution: str
    source: str = ""
    doi: str = ""
    text_bundled: bool = True


@dataclass(frozen=True)
class Export:
    """What a release carries by default, and whether single answers may leave at all."""

    default: Literal["scores", "attributes", "none"]
    raw_items: Literal["open", "restricted", "never"]


@dataclass(frozen=True)
class Instrument:
    """One version of a questionnaire without its words; `sha256` is of the structure file's bytes.

    `minutes` is an estimate of how long most people take.
    """

    id: str
    version: str
    title: str
    sha256: str
    items: tuple[Item, ...]
    scores: tuple[Score, ...]
    checks: tuple[Check, ...]
    licence: Licence
    export: Export
    order: Literal["fixed", "random"]
    max_missing: int | None
    straightline_max: int | None
    minutes: int
    languages: tuple[str, ...]
    folder: Path = field(repr=False)

    def item(self, item_id: str) -> Item:
        """The item of this id; KeyError if there is none."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """Each attribute this instrument gives an annotator, with its levels in order."""
        return {item.attribute: item.levels for item in self.items if item.attribute}


@dataclass(frozen=True)
class ItemText:
    """The words of one item; `options` and `bands` are (key, label) pairs in the structure's order.

    A scale whose steps all have words has them as `options`, its numbers being the keys.
    """

    id: str
    label: str
    question: str
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    bands: tuple[tuple[str, str], ...] = ()
    low: str = ""
    high: str = ""

    def level_label(self, level: str) -> str:
        """How a level is shown: its band's or option's label, or the level itself where it is a number."""
        return dict(self.bands or self.options).get(level, level)


@dataclass(frozen=True)
class Translation:
    """Where one language's words come from."""

    translator: str
    method: str
    status: Literal["source", "draft", "reviewed"]
    licence: str


@dataclass(frozen=True)
class InstrumentText:
    """One language's words; `sha256` is of the structure file's bytes followed by this text file's."""

    instrument: str
    language: str
    sha256: str
    title: str
    intro: str
    stem: str
    prefer_not_to_say: str
    dont_know: str
    items: tuple[ItemText, ...]
    translation: Translation

    def item(self, item_id: str) -> ItemText:
        """The words of the item of this id; KeyError if there is none."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)


@dataclass(frozen=True)
class ScoreText:
    """One score in words a person understands, without a judgement in them."""

    id: str
    label: str
    meaning: str
