"""From the tables of `instrument.toml` to items and scores, refusing whatever could not be scored."""

from collections.abc import Sequence
from dataclasses import replace

from annotations.instruments.instrument import (
    DONT_KNOW,
    PREFER_NOT_TO_SAY,
    Band,
    Check,
    Condition,
    Export,
    Item,
    Licence,
    Score,
)
from annotations.instruments.toml_table import Table

KINDS = ("choice", "likert", "slider", "text")
OPS = ("mean", "sum", "subtract", "reverse", "standardise", "lookup")
LEVELS = ("raw", "centred", "higher_order")


def read_licence(table: Table) -> Licence:
    with table:
        return Licence(
            spdx=table.text("spdx"),
            attribution=table.text("attribution"),
            source=table.text("source", ""),
            doi=table.text("doi", ""),
            text_bundled=table.flag("text_bundled", default=True),
        )


def read_export(table: Table) -> Export:
    with table:
        default = table.one_of("default", ("scores", "attributes", "none"))
        return Export(default, table.one_of("raw_items", ("open", "restricted", "never")))


def read_items(tables: Sequence[Table], scale: Table) -> tuple[Item, ...]:
    """The items in order; what an item does not say itself comes from [scale]."""
    shared = _read_scale(scale)
    items: list[Item] = []
    for table in tables:
        with table:
            item = _read_item(table, shared, items)
        if any(item.id == earlier.id for earlier in items):
            raise table.error("id", f"{item.id!r} is used twice")
        if item.attribute and any(item.attribute == earlier.attribute for earlier in items):
            raise table.error("attribute", f"{item.attribute!r} is used twice")
        items.append(item)
    return tuple(items)


def read_scores(tables: Sequence[Table], items: Sequence[Item]) -> tuple[Score, ...]:
    """The scores in order; each may build on items and on scores above it, so none can run in circles."""
    scores: list[Score] = []
    for table in tables:
        with table:
            score = _read_score(table, items, [earlier.id for earlier in scores])
        if any(score.id == earlier.id for earlier in scores):
            raise table.error("id", f"{score.id!r} is used twice")
        scores.append(score)
    return tuple(scores)


def read_checks(tables: Sequence[Table], items: Sequence[Item]) -> tuple[Check, ...]:
    """The attention items, each with the answers that flag a profile."""
    checks = []
    for table in tables:
        with table:
            item_id, fails = table.text("item"), table.levels("fails")
        item = next((item for item in items if item.id == item_id and item.is_closed), None)
        if item is None:
            raise table.error("item", f"{item_id!r} is not a closed item")
        if unknown := set(fails) - set(item.answers):
            raise table.error("fails", f"{min(unknown)!r} is no answer of {item_id!r}")
        checks.append(Check(item_id, fails))
    return tuple(checks)


def _read_scale(table: Table) -> Item | None:
    """The scale as a nameless item, or None where the file has no [scale]."""
    if not list(table):
        return None
    with table:
        kind = table.one_of("kind", ("likert", "slider"))
        low, high = _read_bounds(table)
        return Item("", kind, min=low, max=high, reverse=table.flag("reverse_all"))


def _read_item(table: Table, scale: Item | None, earlier: Sequence[Item]) -> Item:
    item_id, only_if = table.identifier("id"), _read_condition(table, earlier)
    if "kind" not in table and scale is not None:
        # An item marked reverse on a scale that is itself reversed keeps its direction.
        reverse = table.flag("reverse") != scale.reverse
        return replace(scale, id=item_id, reverse=reverse, only_if=only_if)
    kind = table.one_of("kind", KINDS)
    if kind == "text":
        return Item(item_id, kind, max_chars=table.integer("max_chars", low=1, high=20_000), only_if=only_if)
    attribute = table.identifier("attribute") if "attribute" in table else None
    if kind == "choice":
        return Item(item_id, kind, options=_read_options(table), attribute=attribute, only_if=only_if)
    low, high = _read_bounds(table)
    return Item(
        item_id,
        kind,
        min=low,
        max=high,
        reverse=table.flag("reverse"),
        attribute=attribute,
        bands=_read_bands(table.table("bands"), low, high),
        only_if=only_if,
        dont_know=table.flag("dont_know"),
    )


def _read_bounds(table: Table) -> tuple[int, int]:
    low = table.integer("min")
    return low, table.integer("max", low=low + 1)


def _read_options(table: Table) -> tuple[str, ...]:
    options = table.levels("options")
    for reserved in (PREFER_NOT_TO_SAY, DONT_KNOW):
        if reserved in options:
            raise table.error("options", f"{reserved!r} is no option: every closed item has or may have it")
    if len(options) < 2:
        raise table.error("options", "needs at least two options")
    return options


def _read_bands(table: Table, low: int, high: int) -> tuple[Band, ...]:
    """Bands that cover low..high in order without gap or overlap, or none."""
    bands, expected = [], low
    with table:
        for key in table:
            band = Band(table.level(key), *table.span(key))
            if band.low != expected:
                raise table.error(key, f"must start at {expected}, where the band before it ends")
            bands.append(band)
            expected = band.high + 1
    if bands and expected != high + 1:
        raise table.error(bands[-1].key, f"must end at {high}, the item's largest number")
    return tuple(bands)


def _read_condition(table: Table, earlier: Sequence[Item]) -> Condition | None:
    if "only_if" not in table:
        return None
    with table.table("only_if") as inner:
        condition = Condition(inner.text("item"), inner.text("equals"))
    asked = next((item for item in earlier if item.id == condition.item and item.kind == "choice"), None)
    if asked is None:
        raise inner.error("item", f"{condition.item!r} is not a choice item above this one")
    if condition.equals not in asked.options:
        raise inner.error("equals", f"{condition.equals!r} is not an option of {condition.item!r}")
    return condition


def _read_score(table: Table, items: Sequence[Item], earlier: Sequence[str]) -> Score:
    score = Score(
        id=table.identifier("id"),
        op=table.one_of("op", OPS),
        title=table.text("title"),
        level=table.one_of("level", LEVELS, "raw"),
    )
    if score.op in ("mean", "sum"):
        return _read_total(table, score, items, earlier)
    if score.op == "subtract":
        return replace(score, a=_read_earlier(table, "a", earlier), b=_read_earlier(table, "b", earlier))
    if score.op == "lookup":
        return _read_lookup(table, score, items)
    score = replace(score, of=_read_earlier(table, "of", earlier))
    if score.op == "reverse":
        low, high = table.number("min"), table.number("max")
        if low >= high:
            raise table.error("max", "must be larger than min")
        return replace(score, min=low, max=high)
    mean, sd = table.number("mean"), table.number("sd")
    if sd <= 0:
        raise table.error("sd", "must be larger than 0")
    return replace(score, mean=mean, sd=sd)


def _read_total(table: Table, score: Score, items: Sequence[Item], earlier: Sequence[str]) -> Score:
    """A mean or sum, of items or of scores above it."""
    of_scores = "scores" in table
    parts = _read_parts(table, earlier) if of_scores else _read_score_items(table, items)
    # A sum over fewer answers is a smaller sum, and a mean over fewer scores means something else, so
    # unless the file says otherwise they need them all.
    least = len(parts) if score.op == "sum" or of_scores else 1
    if "min_answered" in table:
        least = table.integer("min_answered", low=1, high=len(parts))
    if of_scores:
        return replace(score, min_answered=least, scores=parts)
    return replace(score, min_answered=least, items=parts)


def _read_parts(table: Table, earlier: Sequence[str]) -> tuple[str, ...]:
    parts = table.levels("scores")
    for part in parts:
        if part not in earlier:
            raise table.error("scores", f"{part!r} is not a score above this one")
    return parts


def _read_score_items(table: Table, items: Sequence[Item]) -> tuple[str, ...]:
    numbers = tuple(item.id for item in items if item.is_number)
    chosen = numbers if table.is_word("items", "all") else table.levels("items")
    for item_id in chosen:
        if item_id not in numbers:
            raise table.error("items", f"{item_id!r} is not a likert or slider item")
    if not chosen:
        raise table.error("items", "there is no likert or slider item")
    return chosen


def _read_earlier(table: Table, key: str, earlier: Sequence[str]) -> str:
    name = table.text(key)
    if name not in earlier:
        raise table.error(key, f"{name!r} is not a score above this one")
    return name


def _read_lookup(table: Table, score: Score, items: Sequence[Item]) -> Score:
    item_id = table.text("item")
    item = next((item for item in items if item.id == item_id and item.is_closed), None)
    if item is None:
        raise table.error("item", f"{item_id!r} is not a closed item")
    with table.table("table") as inner:
        values = tuple((answer, inner.number(answer)) for answer in item.answers)
    return replace(score, items=(item_id,), table=values)
