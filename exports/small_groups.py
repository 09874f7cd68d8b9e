"""Leaving numbers about small groups of people out of what a release says of groups."""

from collections.abc import Sequence
from typing import Any

# What candidates and answers are grouped by; every other grouping is one of people.
NOT_PEOPLE = {None, "generator", "category", "prompt", "topic", "steering"}
HIDDEN = "fewer than {k} annotators"


def hide_small_groups(records: Sequence[dict[str, Any]], k: int) -> tuple[list[dict[str, Any]], int]:
    """The records of metrics.json, with no number for a group of fewer than k people; and how many that hid.

    A group whose size is not said counts as small.
    """
    shown = [_hide(record, k) if _is_small(record, k) else record for record in records]
    return shown, sum(one is not other for one, other in zip(shown, records, strict=True))


def _is_small(record: dict[str, Any], k: int) -> bool:
    return record["group_by"] not in NOT_PEOPLE and (record["n_annotators"] or 0) < k


def _hide(record: dict[str, Any], k: int) -> dict[str, Any]:
    return record | {
        "value": None,
        "low": None,
        "high": None,
        "n_items": None,
        "n_annotators": None,
        "n_ratings": None,
        "undefined_reason": HIDDEN.format(k=k),
    }
