"""Which of the places open to a person they are given: the largest need first, then balance, then a shuffle.

Giving each person their whole share in this order fills every jury that can be filled, in one stratum, when
everybody comes once and stays (Gale 1957, Ryser 1957). Sorted by load, or at random, it does not.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from annotations.shuffle import shuffle_key

FOLLOWED = 0.85  # how often balance decides; a rule that always did could be foreseen


class Place(Protocol):
    """A prompt's places for one stratum, as far as their order goes."""

    @property
    def need(self) -> int: ...


P = TypeVar("P", bound=Place)


def by_need(places: Iterable[P], tie: Callable[[P], object]) -> list[P]:
    """The largest need first; among equal needs, the smallest `tie`."""
    return sorted(places, key=lambda place: (-place.need, tie(place)))


def imbalance(levels: Mapping[str, str], loads: Mapping[tuple[str, str], int]) -> int:
    """How many jurors share this person's levels, summed over attributes: the fewer, the more wanted.

    Pocock and Simon's (1975) marginal sum with equal weights; `loads` counts jurors by (attribute, level).

    >>> imbalance({"age": "old", "town": "yes"}, {("age", "old"): 2, ("age", "young"): 5, ("town", "yes"): 1})
    3
    """
    return sum(loads.get(level, 0) for level in levels.items())


def is_balanced(seed: str, *claim: object) -> bool:
    """Whether balance decides this claim, as it does in FOLLOWED of all; the same whenever it is asked."""
    return shuffle_key(seed, "balance", *claim) < FOLLOWED * 2**63
