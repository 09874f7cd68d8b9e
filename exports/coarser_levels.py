"""Coarser levels of the attributes people are usually asked for, from fine to coarse; a small table."""

from collections.abc import Mapping, Sequence
from typing import Any

from exports.anonymity import Rung

BELOW = "below_university"
AFRICA, ASIA, AMERICAS = "africa", "asia", "americas"


def age_in_tens(age: Any) -> Any:
    """A number of years as the ten years it lies in.

    >>> age_in_tens(37), age_in_tens("unknown")
    ('30-39', 'unknown')
    """
    if not isinstance(age, int | float):
        return age
    low = int(age) // 10 * 10
    return f"{low}-{low + 9}"


def age_in_halves(age: Any) -> Any:
    """One of the usual bands as under 55 or from 55 on, ten years as under 60 or from 60 on.

    >>> [age_in_halves(band) for band in ("18-34", "35-54", "55+", "30-39", "60-69")]
    ['under 55', 'under 55', '55+', 'under 60', '60+']
    """
    if not isinstance(age, str):
        return age
    if age in ("18-34", "35-54"):
        return "under 55"
    low, _dash, high = age.partition("-")
    if low.isdecimal() and high.isdecimal() and int(high) - int(low) == 9:
        return "60+" if int(low) >= 60 else "under 60"
    return age


class Lookup:
    """A rung given as a table; levels that are not in it stay."""

    def __init__(self, levels: Mapping[str, str]) -> None:
        self.levels = levels

    def __call__(self, level: Any) -> Any:
        return self.levels.get(level, level) if isinstance(level, str) else level


# The last rung of every column is "other" for its rare levels (exports/anonymity.py).
COARSER: dict[str, Sequence[Rung]] = {
    "age": (age_in_tens, age_in_halves),
    "age_band": (age_in_halves,),
    "education": (
        Lookup(
            {
                "primary_or_less": "up_to_lower_secondary",
                "lower_secondary": "up_to_lower_secondary",
                "upper_secondary": "secondary",
                "post_secondary": "secondary",
            }
        ),
        Lookup({"up_to_lower_secondary": BELOW, "secondary": BELOW}),
    ),
    "left_right": (Lookup({"left": "not_centre", "right": "not_centre"}),),
    "region": (
        Lookup(
            {
                "sub_saharan_africa": AFRICA,
                "northern_africa_western_asia": "africa_or_asia",
                "central_southern_asia": ASIA,
                "eastern_south_eastern_asia": ASIA,
                "latin_america_caribbean": AMERICAS,
                "northern_america": AMERICAS,
            }
        ),
        Lookup({AFRICA: "africa_or_asia", ASIA: "africa_or_asia"}),
    ),
    "religion_importance": (
        Lookup({"not_at_all": "low", "slightly": "low", "very": "high", "extremely": "high"}),
        Lookup({"moderately": "some", "high": "some"}),
    ),
}
