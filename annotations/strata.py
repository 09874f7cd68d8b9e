"""What strata a campaign's settings stand for: the cells with their labels and seats, and who fits which."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, product
from math import isfinite, prod
from typing import Any

from django.utils.translation import gettext as _

from annotations.models import Stratum
from collector.models import Campaign

WILDCARD_LABEL = "anyone"
WILDCARD_SHARE = 0.15  # of a jury, so that nobody is shut out for not answering
MAX_ATTRIBUTES = 2  # more cannot be promised seats jointly: they are soft targets
MAX_STRATA = 12
MAX_SEATS = 1000
SCORE_PREFIX = "score_"


def plan_strata(campaign: Campaign) -> list[Stratum]:
    """One stratum per combination of levels, then the wildcard, none stored; without attributes only that."""
    attributes = [entry["attribute"] for entry in campaign.strata]
    cells = list(product(*(entry["levels"] for entry in campaign.strata))) if attributes else []
    planned = [_cell(campaign, position, attributes, levels) for position, levels in enumerate(cells)]
    if seats := _wildcard_seats(campaign, planned):
        planned.append(
            Stratum(
                campaign=campaign,
                label=WILDCARD_LABEL,
                seats=seats,
                is_wildcard=True,
                position=len(planned),
            )
        )
    return planned


def share_for_anyone(others: int) -> int:
    """Seats that make WILDCARD_SHARE of a jury whose strata have `others`: at least one, none in no jury.

    >>> share_for_anyone(12), share_for_anyone(6), share_for_anyone(1), share_for_anyone(0)
    (2, 1, 1, 0)
    """
    return max(1, round(others * WILDCARD_SHARE / (1 - WILDCARD_SHARE))) if others else 0


def levels_of(
    campaign: Campaign, attributes: Mapping[str, Any], scores: Mapping[str, float]
) -> dict[str, Any]:
    """A person's attributes, and the level of each score that strata or soft targets are made from."""
    levels = dict(attributes)
    for entry in (*campaign.strata, *campaign.soft_targets):
        if (
            "cuts" in entry
            and (value := scores.get(entry["attribute"].removeprefix(SCORE_PREFIX))) is not None
        ):
            levels[entry["attribute"]] = level_of(value, entry["levels"], entry["cuts"])
    return levels


def level_of(value: float, levels: Sequence[str], cuts: Sequence[float]) -> str:
    """The level a score lies in; a value on a cut belongs to the level below it.

    >>> [level_of(value, ["low", "middle", "high"], [2.0, 4.0]) for value in (2.0, 2.1, 4.5)]
    ['low', 'middle', 'high']
    """
    return levels[bisect_left(cuts, value)]


def are_cuts(cuts: Any, levels: int) -> bool:
    """Whether these are rising numbers between so many levels."""
    if not isinstance(cuts, list) or len(cuts) != levels - 1:
        return False
    if not all(isinstance(cut, int | float) and isfinite(cut) for cut in cuts):
        return False
    return all(lower < upper for lower, upper in pairwise(cuts))


def faults_of_strata(campaign: Campaign) -> Iterator[str]:
    """What is wrong with the declared attributes, in words."""
    declared = campaign.strata, campaign.soft_targets
    if not all(isinstance(part, list) and all(_is_attribute(entry) for entry in part) for part in declared):
        yield _("Each stratum attribute needs a name and a list of different levels.")
        return
    names = [entry["attribute"] for part in declared for entry in part]
    if len(set(names)) < len(names):
        yield _("A stratum attribute is named twice.")
    if len(campaign.strata) > MAX_ATTRIBUTES:
        yield _("Strata are made from at most %(most)d attributes; make the others soft targets.") % {
            "most": MAX_ATTRIBUTES
        }
    cells = prod(len(entry["levels"]) for entry in campaign.strata)
    if cells > MAX_STRATA:
        yield _("%(cells)d strata are more than the %(most)d that a jury can have.") % {
            "cells": cells,
            "most": MAX_STRATA,
        }
    for entry in (*campaign.strata, *campaign.soft_targets):
        if "cuts" in entry and not are_cuts(entry["cuts"], len(entry["levels"])):
            yield _("%(name)s needs rising numbers between its levels, one fewer than there are levels.") % {
                "name": entry["attribute"]
            }
    yield from _faults_of_seats(campaign.stratum_seats)


def _cell(campaign: Campaign, position: int, attributes: Iterable[str], levels: tuple[str, ...]) -> Stratum:
    label = " / ".join(levels)
    return Stratum(
        campaign=campaign,
        label=label,
        attributes=dict(zip(attributes, levels, strict=True)),
        seats=campaign.stratum_seats.get(label, campaign.seats_per_stratum),
        position=position,
    )


def _wildcard_seats(campaign: Campaign, cells: list[Stratum]) -> int:
    if not cells:
        return campaign.wildcard_seats or campaign.seats_per_stratum
    if campaign.wildcard_seats is None:
        return share_for_anyone(sum(cell.seats for cell in cells))
    return campaign.wildcard_seats


def _faults_of_seats(seats: Any) -> Iterator[str]:
    numbers = seats.values() if isinstance(seats, dict) else [None]
    if not all(isinstance(number, int) and 0 <= number <= MAX_SEATS for number in numbers):
        yield _("Seats are whole numbers from 0 to %(most)d.") % {"most": MAX_SEATS}


def _is_attribute(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("attribute"), str) or not entry["attribute"]:
        return False
    levels = entry.get("levels")
    if not isinstance(levels, list) or not all(isinstance(level, str) and level for level in levels):
        return False
    return 0 < len(levels) == len(set(levels))
