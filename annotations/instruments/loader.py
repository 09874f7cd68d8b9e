"""Loading instruments and their texts from the catalogue, checked in full and kept in memory."""

import hashlib
import re
from functools import cache
from pathlib import Path

from annotations.instruments.instrument import Instrument, InstrumentText, Item, ItemText, Translation
from annotations.instruments.structure import read_export, read_items, read_licence, read_scores
from annotations.instruments.toml_table import InstrumentError, Table, read_toml

CATALOG = Path(__file__).parent / "catalog"
FALLBACK_LANGUAGE = "en"
SCHEMA = 1

_VERSION = re.compile(r"\d+\.\d+\.\d+")


def available_instruments(*, catalog: Path = CATALOG) -> tuple[str, ...]:
    """The ids of the instruments in the catalogue, sorted."""
    return tuple(sorted(path.parent.name for path in catalog.glob("*/instrument.toml")))


def load_instrument(instrument_id: str, *, catalog: Path = CATALOG) -> Instrument:
    """The instrument of this id; InstrumentError names the file and key of the first thing wrong."""
    return _load_instrument(instrument_id, catalog)


def load_text(instrument: Instrument, language: str) -> InstrumentText:
    """The instrument's words in the language, else in its base language (de for de-AT), else in English.

    The result's `language` says which one it is.
    """
    return _load_text(instrument, _closest(language, instrument.languages))


@cache
def _load_instrument(instrument_id: str, catalog: Path) -> Instrument:
    # Looked up among the folders there are, so that no id from outside becomes a path.
    if instrument_id not in available_instruments(catalog=catalog):
        raise InstrumentError(f"{instrument_id}/instrument.toml", "", "there is no such instrument")
    folder = catalog / instrument_id
    top, content = read_toml(folder / "instrument.toml")
    with top:
        instrument = _read_instrument(top, folder, hashlib.sha256(content).hexdigest())
    if FALLBACK_LANGUAGE not in instrument.languages:
        raise InstrumentError(f"{instrument_id}/text.{FALLBACK_LANGUAGE}.toml", "", "is missing")
    return instrument


def _read_instrument(top: Table, folder: Path, sha256: str) -> Instrument:
    if top.integer("schema") != SCHEMA:
        raise top.error("schema", f"must be {SCHEMA}")
    if top.identifier("id") != folder.name:
        raise top.error("id", f"must be {folder.name!r}, the folder's name")
    version = top.text("version")
    if not _VERSION.fullmatch(version):
        raise top.error("version", f"{version!r} must look like 1.0.0")
    items = read_items(top.tables("item"), top.table("scale"))
    if not items:
        raise top.error("item", "needs at least one item")
    with top.table("admin") as admin:
        order = admin.one_of("order", ("fixed", "random"), "fixed")
        limits = [
            admin.integer(key, low=0) if key in admin else None for key in ("max_missing", "straightline_max")
        ]
    return Instrument(
        id=folder.name,
        version=version,
        title=top.text("title"),
        sha256=sha256,
        items=items,
        scores=read_scores(top.tables("score"), items),
        licence=read_licence(top.table("licence")),
        export=read_export(top.table("export")),
        order=order,
        max_missing=limits[0],
        straightline_max=limits[1],
        languages=tuple(sorted(path.name.split(".")[1] for path in folder.glob("text.*.toml"))),
        folder=folder,
    )


def _closest(language: str, available: tuple[str, ...]) -> str:
    """
    >>> _closest("de_AT", ("de", "en")), _closest("fr", ("de", "en"))
    ('de', 'en')
    """
    wanted = language.replace("_", "-").lower()
    known = {name.lower(): name for name in available}
    return known.get(wanted) or known.get(wanted.split("-")[0]) or FALLBACK_LANGUAGE


@cache
def _load_text(instrument: Instrument, language: str) -> InstrumentText:
    structure = (instrument.folder / "instrument.toml").read_bytes()
    top, content = read_toml(instrument.folder / f"text.{language}.toml")
    if hashlib.sha256(structure).hexdigest() != instrument.sha256:
        raise InstrumentError(f"{instrument.id}/instrument.toml", "", "changed since it was loaded; restart")
    with top:
        for key, expected in (
            ("instrument", instrument.id),
            ("version", instrument.version),
            ("language", language),
        ):
            if top.text(key) != expected:
                raise top.error(key, f"must be {expected!r}")
        with top.table("scale") as scale:
            ends = scale.text("low", ""), scale.text("high", "")
        with top.table("item") as texts:
            items = tuple(_read_item_text(texts, item, ends) for item in instrument.items)
        return InstrumentText(
            instrument=instrument.id,
            language=language,
            sha256=hashlib.sha256(structure + content).hexdigest(),
            title=top.text("title"),
            intro=top.text("intro"),
            stem=top.text("stem", ""),
            prefer_not_to_say=top.text("prefer_not_to_say"),
            items=items,
            translation=_read_translation(top.table("translation")),
        )


def _read_item_text(texts: Table, item: Item, ends: tuple[str, str]) -> ItemText:
    if item.id not in texts:
        raise texts.error(item.id, "is missing")
    with texts.table(item.id) as table:
        low, high = _read_ends(table, ends) if item.is_number else ("", "")
        return ItemText(
            id=item.id,
            label=table.text("label"),
            question=table.text("question"),
            hint=table.text("hint", ""),
            options=_read_labels(table, "options", item.options),
            bands=_read_labels(table, "bands", tuple(band.key for band in item.bands)),
            low=low,
            high=high,
        )


def _read_ends(table: Table, ends: tuple[str, str]) -> tuple[str, str]:
    """The words at a scale's two ends: the item's own, else those of [scale]."""
    low, high = table.text("low", ends[0]), table.text("high", ends[1])
    if not low or not high:
        raise table.error("high" if low else "low", "is missing")
    return low, high


def _read_labels(table: Table, key: str, wanted: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    with table.table(key) as labels:
        return tuple((name, labels.text(name)) for name in wanted)


def _read_translation(table: Table) -> Translation:
    with table:
        status = table.one_of("status", ("source", "draft", "reviewed"))
        return Translation(table.text("translator"), table.text("method"), status, table.text("licence"))
