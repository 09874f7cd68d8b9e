"""What a manager should know of a candidate: it names itself a model, refuses, is cut off, or oddly long.

Flags are marks, never deletions. Pure functions; `RULES` is their version, kept with what they flagged.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from collector.flag_patterns import REFUSAL, SELF_IDENTIFYING

RULES = 1
SELF_IDENTIFYING_FLAG, REFUSAL_FLAG, CUT_OFF, LENGTH_OUTLIER = (
    "self_identifying",
    "refusal",
    "cut_off",
    "length_outlier",
)
# A refusal says so at the beginning; further on, somebody may be speaking of something else.
OPENING = 240
LONGEST_SEARCHED = 20_000
FEWEST_LENGTHS = 20
FURTHEST = 3.5
NARROWEST_SPREAD = 0.1


class Lengths(NamedTuple):
    """The shortest and the longest text, in characters, that are no outliers; `n` texts were counted."""

    shortest: float
    longest: float
    n: int


def text_flags(text: str, provenance: Mapping[str, Any]) -> list[str]:
    """What the text and the way it was generated say of themselves, in a fixed order."""
    found = []
    if SELF_IDENTIFYING.search(text[:LONGEST_SEARCHED]):
        found.append(SELF_IDENTIFYING_FLAG)
    if REFUSAL.search(text[:OPENING]):
        found.append(REFUSAL_FLAG)
    if provenance.get("finish_reason") == "length":
        found.append(CUT_OFF)
    return found


def usual_lengths(lengths: Sequence[int]) -> Lengths | None:
    """What is usual among these lengths of texts, all above 0; None below 20, too few to say.

    A text is an outlier where the modified z-score of its log length is beyond 3.5:
    |log length - median| / (1.4826 MAD) (Iglewicz and Hoaglin 1993). A spread below 0.1, about a tenth of the
    length, counts as 0.1, so that a generator which always fills its limit has not every other text flagged.
    """
    if len(lengths) < FEWEST_LENGTHS:
        return None
    logs = np.log(np.asarray(lengths, dtype=np.float64))
    median = float(np.median(logs))
    spread = max(1.4826 * float(np.median(np.abs(logs - median))), NARROWEST_SPREAD)
    return Lengths(
        float(np.exp(median - FURTHEST * spread)), float(np.exp(median + FURTHEST * spread)), len(lengths)
    )
