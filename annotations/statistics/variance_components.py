"""Where ratings vary (items, raters, what is left), and how much more raters or items would be worth.

Generalisability theory (Brennan 2001) on data that need not be complete.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from annotations.statistics.arrays import FloatArray, IntArray, as_labels, as_vector

RESIDUAL = "residual"
COLUMNS = ("system", "item", "rater")


@dataclass(frozen=True)
class Components:
    """Variance by effect (and `residual`), as estimated: by chance below 0 where there is about none.

    `at_least_zero` is what coefficients use. Empty, with a reason, where they cannot be told apart.
    """

    raw: Mapping[str, float]
    undefined_reason: str | None = None

    @property
    def at_least_zero(self) -> dict[str, float]:
        return {effect: max(0.0, variance) for effect, variance in self.raw.items()}


def item_rater_components(items: npt.ArrayLike, raters: npt.ArrayLike, values: npt.ArrayLike) -> Components:
    """Variance of items, raters and the rest in r_ij = m + i + j + e, from long form, NaN values left out.

    Henderson's method 1 (1953), which is the analysis of variance where all rate all. Undefined with fewer
    than two items or raters, without a cell to spare, and when items and raters fall into parts that share
    nobody: the leniency of one part's raters could then not be told from the worth of its items.
    """
    ratings, (item, rater) = _columns(values, items=items, raters=raters)
    if item.max(initial=0) < 1 or rater.max(initial=0) < 1:
        return Components({}, "fewer than two items or raters")
    if ratings.size < item.max() + rater.max() + 2:
        return Components({}, "too few ratings to tell items, raters and the rest apart")
    if rating_components(item, rater) > 1:
        return Components({}, "items and raters fall into parts that share nobody")
    return _henderson(ratings, {"item": item, "rater": rater})


def system_components(
    systems: npt.ArrayLike, items: npt.ArrayLike, raters: npt.ArrayLike, values: npt.ArrayLike
) -> Components:
    """Variance of systems (generators), items (prompts), raters, their pairs, and the rest, from long form.

    Effects are `system`, `item`, `rater`, `system:item`, `system:rater`, `item:rater` and `residual`.
    Undefined where these cannot be told apart, as with one system or one rating per prompt.
    """
    ratings, codes = _columns(values, systems=systems, items=items, raters=raters)
    effects = dict(zip(COLUMNS, codes, strict=True))
    for one, other in (("system", "item"), ("system", "rater"), ("item", "rater")):
        crossed = effects[one] * (effects[other].max(initial=0) + 1) + effects[other]
        effects[f"{one}:{other}"] = np.unique(crossed, return_inverse=True)[1].astype(np.int64)
    return _henderson(ratings, effects)


def rating_components(items: IntArray, raters: IntArray) -> int:
    """Into how many parts items (codes) and raters (codes) fall that share no rating."""
    n_items = int(items.max(initial=-1)) + 1
    n = n_items + int(raters.max(initial=-1)) + 1
    graph = csr_matrix((np.ones(items.size), (items, n_items + raters)), shape=(n, n))
    return int(connected_components(graph, directed=False)[0])


def relative_reliability(components: Components, n_raters: int) -> float | None:
    """E rho^2 = v_i / (v_i + v_e / n): does the order of items hold with n raters. No variance: None."""
    v = components.at_least_zero
    return _ratio(v["item"], v[RESIDUAL] / n_raters) if v else None


def absolute_reliability(components: Components, n_raters: int) -> float | None:
    """Phi = v_i / (v_i + (v_r + v_e) / n): do items' means hold with n other raters. No variance: None."""
    v = components.at_least_zero
    return _ratio(v["item"], (v["rater"] + v[RESIDUAL]) / n_raters) if v else None


def system_reliability(components: Components, n_items: int, n_raters: int) -> float | None:
    """v_s / (v_s + v_si / n_i + v_sr / n_r + v_e / (n_i n_r)): does the order of systems hold. Else None."""
    v = components.at_least_zero
    if not v:
        return None
    noise = v["system:item"] / n_items + v["system:rater"] / n_raters + v[RESIDUAL] / (n_items * n_raters)
    return _ratio(v["system"], noise)


def decision_study(
    components: Components, raters: Sequence[int]
) -> list[tuple[int, float | None, float | None]]:
    """For each number of raters: it, the relative and the absolute reliability (a D-study)."""
    return [(n, relative_reliability(components, n), absolute_reliability(components, n)) for n in raters]


def _columns(values: npt.ArrayLike, **labels: npt.ArrayLike) -> tuple[FloatArray, list[IntArray]]:
    ratings = as_vector(values, "values")
    given = ~np.isnan(ratings)
    n = int(given.sum())
    codes = [as_labels(np.asarray(column)[given], name, n) for name, column in labels.items()]
    return ratings[given], codes


def _henderson(ratings: FloatArray, effects: Mapping[str, IntArray]) -> Components:
    """Equate each effect's sum of squared totals over n, less the grand one, to its expectation."""
    n = ratings.size
    if n < 2:
        return Components({}, "fewer than two ratings")
    whole = np.zeros(n, dtype=np.int64)
    every = {**effects, RESIDUAL: np.arange(n, dtype=np.int64)}
    centred = ratings - ratings.mean()
    left = np.array([_squares(centred, codes) for codes in every.values()])
    grand = np.array([_overlap(whole, codes) for codes in every.values()])
    system = (
        np.array([[_overlap(row, column) for column in every.values()] for row in every.values()]) - grand
    )
    if np.linalg.matrix_rank(system) < len(every):
        return Components({}, "the effects cannot be told apart with these ratings")
    found = np.linalg.solve(system, left)
    return Components({name: float(variance) for name, variance in zip(every, found, strict=True)})


def _squares(centred: FloatArray, codes: IntArray) -> float:
    sizes = np.bincount(codes)
    return float((np.bincount(codes, centred) ** 2 / sizes).sum())


def _overlap(one: IntArray, other: IntArray) -> float:
    """sum_a (1 / n_a) sum_b n_ab^2: how often v_b enters the sum of squares of a."""
    width = int(other.max()) + 1
    cells, both = np.unique(one * width + other, return_counts=True)
    return float((both**2 / np.bincount(one)[cells // width]).sum())


def _ratio(signal: float, noise: float) -> float | None:
    return signal / (signal + noise) if signal + noise > 0 else None
