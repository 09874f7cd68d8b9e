"""Welfare: from the utilities of a jury to one number, in the forms a benchmark may maximise.

A jury-pluralistic benchmark models every juror apart and maximises a welfare function of their utilities
(Sorensen et al. 2024). Which function is a choice of values, so several stand side by side, by name, in
WELFARE.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import FloatArray, as_matrix, as_vector

Strata = Sequence[str | None] | npt.NDArray[Any] | None
WelfareFunction = Callable[[FloatArray, Strata], float | None]


def utilitarian(utilities: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float | None:
    """Mean utility, sum w_i u_i / sum w_i (Bentham; Harsanyi 1955). No juror: None."""
    return _one_jury(_mean, utilities, weights)


def maximin(utilities: npt.ArrayLike) -> float | None:
    """Lowest utility (Rawls 1971). No juror: None.

    Falls with jury size by chance alone (n uniform utilities: 1/(n+1) on average), so compare equal sizes.

    >>> maximin([0.25, 1.0])
    0.25
    """
    return _one_jury(lambda juries, _: juries.min(axis=1), utilities)


def maximin_strata(utilities: npt.ArrayLike, strata: Strata) -> float | None:
    """Lowest stratum mean: min over strata s of mean of u_i with i in s.

    Jurors whose stratum is None belong to no group and are left out. Without strata, or with none left: None.

    >>> maximin_strata([0.0, 1.0, 0.75], ["a", "a", "b"])
    0.5
    """
    return WELFARE["maximin_strata"](utilities, strata)


def nash(utilities: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float | None:
    """Geometric mean exp(mean ln u) (Nash 1950; Kaneko and Nakamura 1979).

    0 when any utility is 0. No juror: None. Negative utilities raise ValueError.

    >>> nash([0.25, 1.0])
    0.5
    """
    return power_mean(utilities, 0, weights)


def power_mean(utilities: npt.ArrayLike, p: float, weights: npt.ArrayLike | None = None) -> float | None:
    """Power mean M_p = (mean u^p)^(1/p); M_0 is the geometric mean, M_inf the maximum, M_-inf the minimum.

    Nondecreasing in p (Hardy, Littlewood and Polya 1934, theorem 16). A zero gives 0 for every p <= 0.
    No juror: None. Negative utilities raise ValueError.

    >>> power_mean([0.25, 1.0], -1)
    0.4
    """
    return _one_jury(lambda juries, shares: _power(juries, shares, p), utilities, weights)


def atkinson(utilities: npt.ArrayLike, epsilon: float, weights: npt.ArrayLike | None = None) -> float | None:
    """Atkinson inequality index A = 1 - M_{1-epsilon} / mean, 0 equal .. 1 (Atkinson 1970). Down is better.

    epsilon >= 0 is the aversion to inequality. Mean 0: undefined, None. No juror: None.
    """
    _require_aversion(epsilon)
    return _one_jury(lambda juries, shares: _atkinson(juries, shares, epsilon), utilities, weights)


def atkinson_equivalent(
    utilities: npt.ArrayLike, epsilon: float, weights: npt.ArrayLike | None = None
) -> float | None:
    """Equally distributed equivalent M_{1-epsilon}: as good if all had it (Atkinson 1970). No juror: None."""
    _require_aversion(epsilon)
    return power_mean(utilities, 1 - epsilon, weights)


def gini(utilities: npt.ArrayLike) -> float | None:
    """Gini inequality index sum_ij |u_i - u_j| / (2 n^2 mean) (Gini 1912). Down is better.

    0 when all are equal, (n-1)/n when one holds all. Not corrected for n, hence unmoved by replicating the
    jury. Mean 0: undefined, None. No juror: None.

    >>> gini([0, 0, 0, 1])
    0.75
    """
    return _one_jury(lambda juries, _: _gini(juries), utilities)


def gini_welfare(utilities: npt.ArrayLike) -> float | None:
    """Mean x (1 - Gini), which is sum_i (2i-1) u_i / n^2 with i = 1 for the best off .. n (Sen 1973).

    Computed as that weighted sum, so it is 0, not undefined, when every utility is 0. No juror: None.
    """
    return _one_jury(lambda juries, _: _gini_welfare(juries), utilities)


def median(utilities: npt.ArrayLike) -> float | None:
    """Middle utility, the mean of the two middle ones when even. No juror: None."""
    return quantile(utilities, 0.5)


def quantile(utilities: npt.ArrayLike, share: float) -> float | None:
    """The utility with `share` of the jury below it. No juror: None.

    Linear between order statistics (Hyndman and Fan 1996, type 7).
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share {share} is not between 0 and 1")
    return _one_jury(lambda juries, _: np.quantile(juries, share, axis=1), utilities)


def cvar(utilities: npt.ArrayLike, share: float = 0.2) -> float | None:
    """Mean of the worst `share` of the jury (conditional value at risk; Rockafellar and Uryasev 2002).

    With k = share x n, the worst floor(k) jurors count in full and the next by the fraction k - floor(k),
    over k; so replicating the jury changes nothing, share 1 is the mean, and k <= 1 is the minimum. No juror:
    None.

    >>> cvar([0.0, 0.5, 1.0], share=0.5)  # k = 1.5: (0 + 0.5 * 0.5) / 1.5
    0.16666666666666666
    """
    if not 0 < share <= 1:
        raise ValueError(f"share {share} is not above 0 and up to 1")
    return _one_jury(lambda juries, _: _cvar(juries, share), utilities)


def approval(
    utilities: npt.ArrayLike, threshold: float = 0.5, weights: npt.ArrayLike | None = None
) -> float | None:
    """Share of the jury with utility at or above the threshold (approval voting, Brams and Fishburn 1978)."""
    return _one_jury(lambda juries, shares: _approval(juries, shares, threshold), utilities, weights)


def leximin_key(utilities: npt.ArrayLike) -> tuple[float, ...]:
    """Utilities from worst to best; of two juries of one size the greater tuple is leximin-better.

    The worst off decide, then the second worst, and so on (Sen 1970; Rawls 1971).
    """
    return tuple(np.sort(_jury(utilities)).tolist())


def leximin_ranks(juries: Sequence[npt.ArrayLike]) -> list[int | None]:
    """Dense leximin rank of each jury's utilities among `juries`: 1 is best, ties share, no rank is skipped.

    Meant for one prompt's candidates judged by the same jurors: pass the jurors who rated them all. A jury of
    nobody has no rank; the rest must be of one size, because a larger jury has a lower minimum by chance: if
    not, nobody has a rank.

    >>> leximin_ranks([[0.5, 0.25], [0.25, 1.0], [0.25, 0.5]])
    [2, 1, 2]
    """
    keys = [leximin_key(utilities) for utilities in juries]
    filled = {key for key in keys if key}
    if len({len(key) for key in filled}) > 1:
        return [None] * len(keys)
    rank = {key: index for index, key in enumerate(sorted(filled, reverse=True), start=1)}
    return [rank.get(key) for key in keys]


@dataclass(frozen=True)
class Welfare:
    """A named welfare function: call it with one jury's utilities and strata, or give many juries at once."""

    name: str
    meaning: str
    rows: Callable[[FloatArray, Strata], FloatArray]
    higher_is_better: bool = True

    def __call__(self, utilities: npt.ArrayLike, strata: Strata = None) -> float | None:
        """Welfare of one jury; None where it is undefined."""
        juries = _jury(utilities)[np.newaxis]
        return _plain(self.of_juries(juries, strata)[0])

    def of_juries(self, juries: npt.ArrayLike, strata: Strata = None) -> FloatArray:
        """Welfare of each row of `juries` (juries x jurors, column j in `strata[j]`), NaN where undefined."""
        matrix = as_matrix(juries, "juries")
        if np.isnan(matrix).any():
            raise ValueError("utilities: leave out jurors without a value")
        if strata is not None and len(strata) != matrix.shape[1]:
            raise ValueError("strata: one label per juror")
        return self.rows(matrix, strata) if matrix.size else np.full(matrix.shape[0], np.nan)


def welfare_of(
    name: str, meaning: str, function: WelfareFunction, *, higher_is_better: bool = True
) -> Welfare:
    """A Welfare from a function of one jury's utilities and strata that returns None where undefined."""

    def rows(juries: FloatArray, strata: Strata) -> FloatArray:
        values = [function(jury, strata) for jury in juries]
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    return Welfare(name, meaning, rows, higher_is_better)


def _one_jury(
    kernel: Callable[[FloatArray, FloatArray], FloatArray],
    utilities: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> float | None:
    jury = _jury(utilities)
    shares = np.ones_like(jury) if weights is None else as_vector(weights, "weights")
    if shares.shape != jury.shape or not np.all(shares >= 0):
        raise ValueError("weights: one number per utility, none negative")
    seated = shares > 0
    if not seated.any():
        return None
    return _plain(kernel(jury[seated][np.newaxis], shares[seated])[0])


def _jury(utilities: npt.ArrayLike) -> FloatArray:
    jury = as_vector(utilities, "utilities")
    if np.isnan(jury).any():
        raise ValueError("utilities: leave out jurors without a value")
    return jury


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


# The kernels below take juries x jurors and a weight per juror, and give one number per jury, NaN undefined.


def _mean(juries: FloatArray, weights: FloatArray) -> FloatArray:
    # Summing equal numbers can leave their range by one rounding step; a mean never does.
    return np.clip(np.average(juries, axis=1, weights=weights), juries.min(axis=1), juries.max(axis=1))


def _lowest_stratum_mean(juries: FloatArray, strata: Strata) -> FloatArray:
    labels = [] if strata is None else [None if label is None else str(label) for label in strata]
    groups = [
        [label == name for label in labels]
        for name in sorted({label for label in labels if label is not None})
    ]
    if not groups:
        return np.full(juries.shape[0], np.nan)
    columns = [juries[:, np.array(group)] for group in groups]
    return np.min([_mean(group, np.ones(group.shape[1])) for group in columns], axis=0)


def _power(juries: FloatArray, weights: FloatArray, p: float) -> FloatArray:
    _refuse_negative(juries)
    low, high = juries.min(axis=1), juries.max(axis=1)
    if np.isinf(p):
        return high if p > 0 else low
    # Relative to the maximum (p > 0) or minimum every exponent is at most 0, so nothing overflows, and
    # expm1/log1p keep the digits that (mean u^p)^(1/p) loses near p = 0.
    reference = high if p > 0 else low
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(juries) - np.log(reference)[:, np.newaxis]
        if abs(p) < 1e-100:
            exponents = np.average(logs, axis=1, weights=weights)
        else:
            exponents = np.log1p(np.average(np.expm1(p * logs), axis=1, weights=weights)) / p
        means = reference * np.exp(exponents)
    return np.clip(np.where(reference == 0, 0.0, means), low, high)


def _atkinson(juries: FloatArray, weights: FloatArray, epsilon: float) -> FloatArray:
    equivalent, mean = _power(juries, weights, 1 - epsilon), _mean(juries, weights)
    with np.errstate(invalid="ignore"):
        return np.clip(1 - equivalent / mean, 0, 1)


def _gini(juries: FloatArray) -> FloatArray:
    _refuse_negative(juries)
    n = juries.shape[1]
    differences = np.sort(juries, axis=1) @ (2.0 * np.arange(1, n + 1) - n - 1)
    with np.errstate(invalid="ignore"):
        return np.clip(differences / (n * juries.sum(axis=1)), 0, 1)


def _gini_welfare(juries: FloatArray) -> FloatArray:
    _refuse_negative(juries)
    n = juries.shape[1]
    weights = (2.0 * np.arange(n, 0, -1) - 1) / n**2
    return np.clip(np.sort(juries, axis=1) @ weights, juries.min(axis=1), juries.max(axis=1))


def _cvar(juries: FloatArray, share: float) -> FloatArray:
    n = juries.shape[1]
    weights = np.clip(share * n - np.arange(n), 0, 1)
    return _mean(np.sort(juries, axis=1)[:, weights > 0], weights[weights > 0])


def _approval(juries: FloatArray, weights: FloatArray, threshold: float) -> FloatArray:
    return np.average(juries >= threshold, axis=1, weights=weights)


def _refuse_negative(juries: FloatArray) -> None:
    if (juries < 0).any():
        raise ValueError("utilities: this welfare function needs numbers that are not negative")


def _require_aversion(epsilon: float) -> None:
    if not epsilon >= 0:
        raise ValueError(f"epsilon {epsilon} is negative")


def _ones(juries: FloatArray) -> FloatArray:
    return np.ones(juries.shape[1])


# The fields of benchmarks/jury `welfare`, in order, but for leximin_rank: see `leximin_ranks`.
WELFARE: dict[str, Welfare] = {
    welfare.name: welfare
    for welfare in (
        Welfare("utilitarian", "mean utility", lambda u, s: _mean(u, _ones(u))),
        Welfare("maximin_strata", "lowest stratum mean", _lowest_stratum_mean),
        Welfare("maximin", "lowest utility", lambda u, s: u.min(axis=1)),
        Welfare("nash", "geometric mean", lambda u, s: _power(u, _ones(u), 0)),
        Welfare("gini", "Gini inequality index", lambda u, s: _gini(u), higher_is_better=False),
        Welfare(
            "atkinson_0_5",
            "Atkinson inequality index, epsilon 0.5",
            lambda u, s: _atkinson(u, _ones(u), 0.5),
            higher_is_better=False,
        ),
        Welfare("power_m1", "harmonic mean (power mean, p = -1)", lambda u, s: _power(u, _ones(u), -1)),
        Welfare("median", "median utility", lambda u, s: np.quantile(u, 0.5, axis=1)),
        Welfare("cvar_20", "mean of the worst-off fifth", lambda u, s: _cvar(u, 0.2)),
        Welfare("approval", "share with utility of at least 0.5", lambda u, s: _approval(u, _ones(u), 0.5)),
    )
}
