"""Loading instruments and their texts from the catalogue, checked in full and kept in memory."""

import hashlib
import re
from functools import cache, lru_cache
from pathlib import Path

from annotations.instruments.instrument import (
    Instrument,
    InstrumentText,
    Item,
    ItemText,
    ScoreText,
    Translation,
)
from annotations.instruments.structure import (
    read_checks,
    read_export,
    read_items,
    read_licence,
    read_scores,
)
from annotations.instruments.toml_table import InstrumentError, Table, parse_toml, read_toml

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
    """The instrument's own words in the language, else in its base language (de for de-AT), else in English.

    The result's `language` says which one it is. InstrumentError where the words do not come with it.
    """
    return _load_text(instrument, closest_language(language, instrument.languages))


def load_score_texts(instrument: Instrument, language: str) -> dict[str, ScoreText]:
    """Scores in words, by id, in the language or else in English; empty where the instrument has none."""
    if not _languages_of(instrument.folder, "scores"):
        return {}
    return _load_score_texts(instrument, score_language(instrument, language))


def score_language(instrument: Instrument, language: str) -> str:
    """The language in which `load_score_texts` gives the words."""
    return closest_language(language, _languages_of(instrument.folder, "scores"))


def closest_language(language: str, available: tuple[str, ...]) -> str:
    """
    >>> closest_language("de_AT", ("de", "en")), closest_language("fr", ("de", "en"))
    ('de', 'en')
    >>> closest_language("fr", ("hi", "zh")), closest_language("zh-hans", ("hi", "zh"))
    ('hi', 'zh')
    """
    wanted = language.replace("_", "-").lower()
    known = {name.lower(): name for name in available}
    found = known.get(wanted) or known.get(wanted.split("-")[0]) or known.get(FALLBACK_LANGUAGE)
    return found or next(iter(available), FALLBACK_LANGUAGE)


@lru_cache(maxsize=256)
def read_text(instrument: Instrument, language: str, content: bytes, name: str) -> InstrumentText:
    """The words a text file's bytes hold; InstrumentError names the file and key of the first thing wrong."""
    structure = (instrument.folder / "instrument.toml").read_bytes()
    if hashlib.sha256(structure).hexdigest() != instrument.sha256:
        raise InstrumentError(f"{instrument.id}/instrument.toml", "", "changed since it was loaded; restart")
    with parse_toml(content, name) as top:
        _check_heading(top, instrument, language)
        with top.table("scale") as scale:
            shared = scale.text("low", ""), scale.text("high", "")
            labels = _read_step_labels(scale, _steps_of(instrument))
        with top.table("item") as texts:
            items = tuple(_read_item_text(texts, item, shared, labels) for item in instrument.items)
        return InstrumentText(
            instrument=instrument.id,
            language=language,
            sha256=hashlib.sha256(structure + content).hexdigest(),
            title=top.text("title"),
            intro=top.text("intro"),
            stem=top.text("stem", ""),
            prefer_not_to_say=top.text("prefer_not_to_say"),
            dont_know=top.text("dont_know") if any(item.dont_know for item in instrument.items) else "",
            items=items,
            translation=_read_translation(top.table("translation")),
        )


@cache
def _load_instrument(instrument_id: str, catalog: Path) -> Instrument:
    # Looked up among the folders there are, so that no id from outside becomes a path.
    if instrument_id not in available_instruments(catalog=catalog):
        raise InstrumentError(f"{instrument_id}/instrument.toml", "", "there is no such instrument")
    folder = catalog / instrument_id
    top, content = read_toml(folder / "instrument.toml")
    with top:
        instrument = _read_instrument(top, folder, hashlib.sha256(content).hexdigest())
    if instrument.licence.text_bundled and FALLBACK_LANGUAGE not in instrument.languages:
        raise InstrumentError(f"{instrument_id}/text.{FALLBACK_LANGUAGE}.toml", "", "is missing")
    if instrument.languages and not instrument.licence.text_bundled:
        raise top.error("licence.text_bundled", "is false, so that no text may lie here")
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
        minutes = admin.integer("minutes", low=1)
    return Instrument(
        id=folder.name,
        version=version,
        title=top.text("title"),
        sha256=sha256,
        items=items,
        scores=read_scores(top.tables("score"), items),
        checks=read_checks(top.tables("check"), items),
        licence=read_licence(top.table("licence")),
        export=read_export(top.table("export")),
        order=order,
        max_missing=limits[0],
        straightline_max=limits[1],
        minutes=minutes,
        languages=_languages_of(folder, "text"),
        folder=folder,
    )


def _languages_of(folder: Path, kind: str) -> tuple[str, ...]:
    return tuple(sorted(path.name.split(".")[1] for path in folder.glob(f"{kind}.*.toml")))


@cache
def _load_text(instrument: Instrument, language: str) -> InstrumentText:
    name = f"text.{language}.toml"
    _top, content = read_toml(instrument.folder / name)
    return read_text(instrument, language, content, f"{instrument.id}/{name}")


@cache
def _load_score_texts(instrument: Instrument, language: str) -> dict[str, ScoreText]:
    top, _content = read_toml(instrument.folder / f"scores.{language}.toml")
    known = {score.id for score in instrument.scores}
    with top:
        _check_heading(top, instrument, language)
        _read_translation(top.table("translation"))
        with top.table("score") as scores:
            for score_id in scores:
                if score_id not in known:
                    raise scores.error(score_id, "there is no such score")
            return {score_id: _read_score_text(scores.table(score_id), score_id) for score_id in scores}


def _read_score_text(table: Table, score_id: str) -> ScoreText:
    with table:
        return ScoreText(score_id, table.text("label"), table.text("meaning"))


def _check_heading(top: Table, instrument: Instrument, language: str) -> None:
    for key, expected in (
        ("instrument", instrument.id),
        ("version", instrument.version),
        ("language", language),
    ):
        if top.text(key) != expected:
            raise top.error(key, f"must be {expected!r}")


def _steps_of(instrument: Instrument) -> tuple[str, ...]:
    """The numbers of the instrument's shared scale, as keys; of its first number item, that is."""
    return next((item.answers for item in instrument.items if item.kind == "likert"), ())


Labels = tuple[tuple[str, str], ...]


def _read_item_text(texts: Table, item: Item, shared: tuple[str, str], labels: Labels) -> ItemText:
    if item.id not in texts:
        raise texts.error(item.id, "is missing")
    with texts.table(item.id) as table:
        options = _read_labels(table, "options", item.options)
        if item.kind == "likert":
            options = _read_step_labels(table, item.answers) or _fitting(labels, item)
        ends = (options[0][1], options[-1][1]) if options else shared
        low, high = _read_ends(table, ends) if item.is_number else ("", "")
        return ItemText(
            id=item.id,
            label=table.text("label"),
            question=table.text("question"),
            hint=table.text("hint", ""),
            options=options,
            bands=_read_labels(table, "bands", tuple(band.key for band in item.bands)),
            low=low,
            high=high,
        )


def _read_step_labels(table: Table, steps: tuple[str, ...]) -> Labels:
    """Words for every step of a scale, or none at all."""
    return _read_labels(table, "labels", steps) if "labels" in table else ()


def _fitting(labels: Labels, item: Item) -> Labels:
    return labels if tuple(key for key, _label in labels) == item.answers else ()


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
