"""Drawing a panel by lot from a pool of volunteers: quotas hold, and chances are as equal as they allow.

The leximin lottery of Flanigan, Gölz, Gupta, Hennig and Procaccia (2021), Nature 596, 548-552: the smallest
chance is as large as it can be, then the second smallest, and so on. People who are alike in every attribute
with a quota have the same chance, so the lottery is over how many of each kind sit on the panel; who of a
kind does is a second, equal lot.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

Attributes = Mapping[str, str]
FloatArray = npt.NDArray[np.float64]
FIRST_PANELS = 200
GAP = 0.005  # chances within half a hundredth of the leximin ones will do: those reported are exact anyway
TOLERANCE = 1e-7
MILP_INFEASIBLE = 2


@dataclass(frozen=True)
class PanelQuota:
    """How many of the panel have this level of this attribute, at least and at most."""

    attribute: str
    level: str
    minimum: int
    maximum: int


class Panel(NamedTuple):
    members: list[int]  # places in the pool, from 0, rising
    probabilities: list[float]  # everybody's chance of being drawn, in the pool's order


class QuotasClash(Exception):
    """No panel of this size meets the quotas; `relaxed` are those that have to give way, as they would be."""

    def __init__(self, relaxed: Sequence[PanelQuota]) -> None:
        super().__init__(f"{len(relaxed)} quotas clash with the others, the pool or the size")
        self.relaxed = list(relaxed)


def draw_panel(pool: Sequence[Attributes], size: int, quotas: Sequence[PanelQuota], *, seed: str) -> Panel:
    """A panel of `size` from the pool; the same pool, quotas and seed draw the same panel.

    Everybody needs a value for every attribute with a quota. Raises QuotasClash where no panel is possible,
    and ValueError where the pool is smaller than the panel.
    """
    if not 0 < size <= len(pool):
        raise ValueError("the panel must be smaller than the pool, and have somebody on it")
    kinds = _Kinds(pool, size, quotas)
    compositions, shares = _find_lottery(kinds)
    rng = random.Random(seed)  # noqa: S311  the seed is the secret; the draw must repeat itself from it
    [drawn] = rng.choices(compositions, shares.tolist())
    members = [
        person
        for people, number in zip(kinds.people, drawn, strict=True)
        for person in rng.sample(people, round(number))
    ]
    chances = shares @ (np.array(compositions) / kinds.sizes)
    probabilities = np.empty(len(pool))
    for people, chance in zip(kinds.people, chances, strict=True):
        probabilities[people] = chance
    return Panel(sorted(members), probabilities.clip(0, 1).tolist())


def proportional_quotas(pool: Sequence[Attributes], attributes: Iterable[str], size: int) -> list[PanelQuota]:
    """Each level as often on the panel as in the pool, give or take the part of a person nobody can be."""
    return [
        PanelQuota(attribute, level, floor(exact), ceil(exact))
        for attribute in attributes
        for level, count in sorted(Counter(person[attribute] for person in pool).items())
        for exact in [round(size * count / len(pool), 9)]
    ]


class _Kinds:
    """The pool as kinds of people whom no quota tells apart, and which numbers of each make a panel."""

    def __init__(self, pool: Sequence[Attributes], size: int, quotas: Sequence[PanelQuota]) -> None:
        names = sorted({quota.attribute for quota in quotas})
        by_kind: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for person, attributes in enumerate(pool):
            by_kind[tuple(attributes[name] for name in names)].append(person)
        self.people = list(by_kind.values())
        self.sizes = np.array([len(people) for people in self.people], float)
        self.quotas = quotas
        self.size = size
        self.has_level = np.array(
            [[kind[names.index(quota.attribute)] == quota.level for kind in by_kind] for quota in quotas],
            float,
        ).reshape(len(quotas), len(by_kind))

    def best(self, weights: FloatArray) -> FloatArray:
        """The panel with the largest sum of its members' weights, as numbers of each kind."""
        panel = LinearConstraint(np.ones_like(self.sizes), self.size, self.size)
        minimum = [quota.minimum for quota in self.quotas]
        maximum = [quota.maximum for quota in self.quotas]
        bounds = [LinearConstraint(self.has_level, minimum, maximum)] if self.quotas else []
        found = milp(
            -weights,
            constraints=[panel, *bounds],
            bounds=Bounds(0, self.sizes),
            integrality=np.ones_like(self.sizes),
        )
        if found.status == MILP_INFEASIBLE:
            raise QuotasClash(list(self._relaxed()))
        return _solution(found).round()

    def _relaxed(self) -> Iterator[PanelQuota]:
        """The quotas that give way when as little as possible is given."""
        kinds, quotas = len(self.sizes), len(self.quotas)
        slack = np.eye(quotas)
        nothing = np.zeros((quotas, quotas))
        found = milp(
            np.concatenate([np.zeros(kinds), np.ones(2 * quotas)]),
            constraints=[
                LinearConstraint(
                    np.concatenate([np.ones(kinds), np.zeros(2 * quotas)]), self.size, self.size
                ),
                LinearConstraint(
                    np.hstack([self.has_level, slack, nothing]), lb=[quota.minimum for quota in self.quotas]
                ),
                LinearConstraint(
                    np.hstack([self.has_level, nothing, -slack]), ub=[quota.maximum for quota in self.quotas]
                ),
            ],
            bounds=Bounds(0, np.concatenate([self.sizes, np.full(2 * quotas, np.inf)])),
            integrality=np.ones(kinds + 2 * quotas),
        )
        below, above = _solution(found).round()[kinds:].reshape(2, quotas)
        for quota, fewer, more in zip(self.quotas, below, above, strict=True):
            if fewer or more:
                yield replace(quota, minimum=quota.minimum - int(fewer), maximum=quota.maximum + int(more))


def _find_lottery(kinds: _Kinds) -> tuple[list[FloatArray], FloatArray]:
    """Panels, as numbers of each kind, and the chance of each, which together make the leximin lottery.

    Chances are raised together until those of some kinds can rise no further, which the dual prices tell;
    these are fixed, and the others go on. New panels come in when they are worth more than those known.
    """
    panels = _even_panels(kinds)
    fixed = np.full(len(kinds.sizes), np.nan)
    while True:
        lottery = _raise_chances(np.array(panels) / kinds.sizes, fixed)
        better = kinds.best(lottery.prices / kinds.sizes)
        if lottery.prices @ (better / kinds.sizes) > lottery.worth * (1 + GAP) + TOLERANCE:
            panels.append(better)
            continue
        fixed[np.isnan(fixed) & (lottery.prices > TOLERANCE)] = lottery.smallest
        if _is_settled(kinds, fixed, lottery.smallest):
            return panels, lottery.shares


def _is_settled(kinds: _Kinds, fixed: FloatArray, smallest: float) -> bool:
    """Whether the kinds still free could not do better on average: they share what the others left."""
    is_free = np.isnan(fixed)
    left = kinds.size - kinds.sizes[~is_free] @ fixed[~is_free]
    return bool(left <= smallest * (1 + GAP) * kinds.sizes[is_free].sum() + TOLERANCE)


def _even_panels(kinds: _Kinds) -> list[FloatArray]:
    """Panels to start from: each makes up for the chances that those before it left behind."""
    owed = np.zeros_like(kinds.sizes)
    panels = []
    for _ in range(min(4 * len(owed), FIRST_PANELS)):
        owed += kinds.size / kinds.sizes.sum()
        panels.append(kinds.best(owed))
        owed -= panels[-1] / kinds.sizes
    return panels


class _Lottery(NamedTuple):
    shares: FloatArray  # the chance of each panel
    smallest: float  # the smallest chance of a kind that isn't fixed
    prices: FloatArray  # of each kind: what a little more chance for it would cost the smallest
    worth: float  # what a panel must be worth by these prices to be of use


def _raise_chances(chances: FloatArray, fixed: FloatArray) -> _Lottery:
    """The lottery that gives kinds not fixed the largest smallest chance; rows of `chances` are panels."""
    number, kinds = chances.shape
    is_free = np.isnan(fixed)
    found = linprog(
        np.append(np.zeros(number), -1.0),
        A_ub=np.hstack([-chances.T, is_free.astype(float).reshape(kinds, 1)]),
        b_ub=np.where(is_free, 0.0, TOLERANCE / 100 - np.nan_to_num(fixed)),
        A_eq=np.append(np.ones(number), 0.0).reshape(1, -1),
        b_eq=[1.0],
        bounds=[(0, None)] * (number + 1),
        method="highs",
    )
    *shares, smallest = _solution(found)
    weights = np.clip(shares, 0, None)
    return _Lottery(
        weights / weights.sum(), smallest, -found.ineqlin.marginals, -float(found.eqlin.marginals[0])
    )


def _solution(found: Any) -> FloatArray:
    if found.x is None:
        raise RuntimeError(f"the solver gave up: {found.message}")
    return np.asarray(found.x, float)
