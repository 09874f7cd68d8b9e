"""The privacy gate: what a release may say of its annotators in its tier, and the report of its cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from collector.models import Campaign
from exports.anonymity import Row, Rules, anonymise, fewest_values, smallest_class
from exports.coarser_levels import COARSER
from exports.columns import SCORE_PREFIX
from exports.models import Release
from exports.privacy import SPECIAL_CATEGORY, Juror, Jurors
from exports.raw_items import ITEM_PREFIX
from exports.text_review import reviewed_texts

K = {Release.Tier.OPEN: 10, Release.Tier.RESTRICTED: 5, Release.Tier.INTERNAL: 5}
DIVERSITY = 2
SCORE_STEPS = {Release.Tier.OPEN: 0.5, Release.Tier.RESTRICTED: 0.1}
SENSITIVE = SPECIAL_CATEGORY | {
    "religion", "ethnicity", "politics", "party", "health", "disability", "sexual_orientation",
}  # fmt: skip
STRATUM, WEIGHT = "stratum", "weight"  # a survey weight tells which cell of a table somebody is in
Report = dict[str, Any]


def pass_gate(release: Release, tier: str, jurors: Jurors) -> tuple[Jurors, Report]:
    """The jurors as the tier may show them, and the report; an internal release shows them as they are.

    Quasi-identifiers are every attribute that is released, the survey weight, and always the stratum;
    `quasi_identifiers` and `sensitive` of the campaign's policy name others.
    """
    campaign = release.campaign
    enforced = tier != Release.Tier.INTERNAL
    if enforced:
        jurors, texts = _reviewed(jurors, reviewed_texts(release))
    else:
        texts = {"as_written": sum(bool(juror.text) for juror in jurors.by_key.values())}
    people = _as_released(tier, jurors.in_order) if enforced else jurors.in_order
    rows = [_row(juror) for juror in people]
    rules = _rules(campaign, tier, rows)
    report: Report = {
        "tier": tier,
        "enforced": enforced,
        "people": len(rows),
        "quasi_identifiers": list(rules.quasi_identifiers),
        "sensitive": list(rules.sensitive),
        "k_required": rules.k,
        "l_required": rules.diversity,
        "k_before": smallest_class(rows, rules.quasi_identifiers),
        "l_before": fewest_values(rows, rules),
        "texts": texts,
        "raw_items": sum(name.startswith(ITEM_PREFIX) for name in _names(rows)),
        "score_step": SCORE_STEPS.get(Release.Tier(tier)),
    }
    if not enforced:
        met = _complies(report["k_before"], rules.k) and _complies(report["l_before"], rules.diversity)
        return jurors, report | {
            "k": report["k_before"],
            "l": report["l_before"],
            "is_met": met,
            "columns": [],
        }
    found = anonymise(rows, rules)
    gated = replace(jurors, by_key=_shown(people, found.rows), shows_extras=False)
    return gated, report | {
        "k": smallest_class(found.rows, rules.quasi_identifiers),
        "l": fewest_values(found.rows, rules),
        "is_met": found.is_met,
        "columns": [_cost(name, rows, found.rows) for name in rules.quasi_identifiers],
    }


def why_unmet(report: Report | None) -> str:
    """Why a release must not be published, in words; "" where nothing is in the way."""
    if report is None:
        return _("It was cut before releases were checked for privacy. Cut a new version.")
    if report["is_met"] or not report["enforced"]:
        return ""
    return _(
        "%(people)s annotators cannot be hidden among each other: the tier %(tier)s needs at least %(k)s who "
        "look alike. Wait for more annotators, or choose another tier."
    ) % {"people": report["people"], "tier": report["tier"], "k": report["k_required"]}


def _complies(found: int | None, required: int) -> bool:
    return found is None or found >= required


def _reviewed(jurors: Jurors, decided: Mapping[tuple[int, str], str | None]) -> tuple[Jurors, dict[str, int]]:
    """The jurors with their words as somebody released them; and how many, by what became of them."""
    counts = {"released": 0, "kept_back": 0, "waiting": 0}
    by_key = {}
    for key, juror in jurors.by_key.items():
        words = decided.get((key, juror.text)) if juror.text else None
        by_key[key] = replace(juror, text=words)
        if juror.text:
            is_decided = (key, juror.text) in decided
            counts["released" if words else "kept_back" if is_decided else "waiting"] += 1
    return replace(jurors, by_key=by_key), counts


def _as_released(tier: str, people: list[Juror]) -> list[Juror]:
    """Scores rounded, and none that repeats an attribute: it would give away what the gate coarsens."""
    attributes = {name for juror in people for name in juror.attributes}
    step = SCORE_STEPS[Release.Tier(tier)]
    return [
        replace(
            juror,
            attributes={
                name: _round(value, step) if name.startswith(SCORE_PREFIX) else value
                for name, value in juror.attributes.items()
                if not _repeats(name, attributes)
            },
        )
        for juror in people
    ]


def _repeats(name: str, attributes: set[str]) -> bool:
    """Whether the column is the score of an attribute, such as score_education_step of education."""
    stem = name.removeprefix(SCORE_PREFIX)
    return stem != name and bool({stem, stem.removesuffix("_step")} & attributes)


def _round(value: Any, step: float) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(round(value / step) * step, 1) if is_number else value


def _row(juror: Juror) -> Row:
    return juror.attributes | juror.extra | {STRATUM: juror.stratum, WEIGHT: juror.weight}


def _names(rows: list[Row]) -> set[str]:
    return {name for row in rows for name, value in row.items() if value is not None}


def _rules(campaign: Campaign, tier: str, rows: list[Row]) -> Rules:
    policy: Mapping[str, Any] = campaign.privacy
    known = sorted(_names(rows))
    sensitive = set(policy.get("sensitive", SENSITIVE))
    parts = tuple(entry["attribute"] for entry in campaign.strata)
    usual = {
        name
        for name in known
        if name in sensitive or name in parts or not _is_of_profile(name, policy.get("attributes", []))
    }
    named = set(policy.get("quasi_identifiers", usual)) | ({STRATUM, *parts} if STRATUM in known else set())
    columns = tuple(name for name in known if name in named)
    return Rules(
        k=K[Release.Tier(tier)],
        diversity=DIVERSITY,
        quasi_identifiers=columns,
        sensitive=tuple(name for name in columns if name in sensitive),
        coarser=COARSER,
        joined={STRATUM: parts} if STRATUM in columns and parts and set(parts) <= set(columns) else {},
    )


def _is_of_profile(column: str, named: Sequence[str]) -> bool:
    """Whether it is a score or an answer behind scores, which rounding and the tier take care of."""
    return column.startswith(SCORE_PREFIX) or (column.startswith(ITEM_PREFIX) and column not in named)


def _shown(people: list[Juror], rows: Iterable[Row]) -> dict[int, Juror]:
    """The jurors with the gate's cells in place of theirs."""
    return {juror.key: _show(juror, row) for juror, row in zip(people, rows, strict=True)}


def _show(juror: Juror, row: Row) -> Juror:
    return replace(
        juror,
        stratum=row.get(STRATUM, juror.stratum),
        weight=row.get(WEIGHT, juror.weight),
        attributes={name: row.get(name, value) for name, value in juror.attributes.items()},
        extra={name: row.get(name, value) for name, value in juror.extra.items()},
    )


def _cost(column: str, before: list[Row], after: list[Row]) -> dict[str, Any]:
    """What became of one column: its levels, and how many cells were coarsened and emptied."""
    pairs = [(row.get(column), shown[column]) for row, shown in zip(before, after, strict=True)]
    return {
        "column": column,
        "levels_before": len({repr(value) for value, _shown in pairs} - {"None"}),
        "levels_after": len({repr(shown) for _value, shown in pairs} - {"None"}),
        "cells": sum(value is not None for value, _shown in pairs),
        "coarsened": sum(shown is not None and shown != value for value, shown in pairs),
        "suppressed": sum(shown is None and value is not None for value, shown in pairs),
    }
