"""From the jury that came to the population it should speak for: weights, and means that use them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from annotations.statistics.arrays import FloatArray, as_labels, as_vector
from annotations.statistics.estimate import Estimate, RestsOn

STRATIFIED = "stratified_normal"


@dataclass(frozen=True)
class Weights:
    """One weight per annotator, of mean 1; all NaN, with a reason, where the target cannot be met."""

    values: FloatArray
    rounds: int = 0
    undefined_reason: str | None = None

    @property
    def effective_size(self) -> float | None:
        """How many evenly weighted annotators are as good, (sum w)^2 / sum w^2 (Kish 1965)."""
        if self.undefined_reason or not self.values.size:
            return None
        return float(self.values.sum() ** 2 / (self.values**2).sum())


def post_stratification_weights(strata: Sequence[str], target: Mapping[str, float]) -> Weights:
    """w_i = target share of i's stratum / its share among the annotators (Holt and Smith 1979).

    `target` holds population shares or sizes by stratum. An annotator whose stratum is not in the target
    raises ValueError. A stratum of the target without an annotator leaves no weights that could speak for it:
    undefined.
    """
    return rake({"stratum": strata}, {"stratum": target})


def rake(
    attributes: Mapping[str, Sequence[str]],
    targets: Mapping[str, Mapping[str, float]],
    *,
    most_rounds: int = 1000,
    tolerance: float = 1e-9,
) -> Weights:
    """Weights whose share of every level of every attribute is the target's (raking; Deming and Stephan
    1940).

    `attributes` holds each annotator's level by attribute, `targets` shares or sizes by level. Raises
    ValueError for a level that is not in its target. Undefined when a level with a target above 0 has no
    annotator, and when the shares do not come within the tolerance, as with targets that contradict each
    other.
    """
    lengths = {len(levels) for levels in attributes.values()}
    if len(lengths) != 1 or set(attributes) != set(targets):
        raise ValueError("attributes: columns of one length, each with a target")
    n = lengths.pop()
    if n == 0:
        return Weights(np.empty(0), undefined_reason="no annotator")
    margins = []
    for name, levels in attributes.items():
        target = targets[name]
        if unknown := sorted(set(levels) - set(target)):
            raise ValueError(f"{name} {unknown[0]!r} has no target")
        if any(share < 0 for share in target.values()) or not sum(target.values()) > 0:
            raise ValueError(f"{name}: targets are not negative and not all 0")
        if empty := [level for level, share in target.items() if share > 0 and level not in levels]:
            return _no_weights(n, f"no annotator of {name} {empty[0]}")
        place = {level: index for index, level in enumerate(target)}
        codes = np.array([place[level] for level in levels])
        margins.append((codes, n * np.array(list(target.values()), dtype=np.float64) / sum(target.values())))
    weights = np.ones(n)
    for done in range(1, most_rounds + 1):
        for codes, wanted in margins:
            held = np.bincount(codes, weights, minlength=wanted.size)
            weights = weights * np.divide(wanted, held, out=np.zeros_like(wanted), where=held > 0)[codes]
        apart = max(
            np.abs(np.bincount(codes, weights, minlength=wanted.size) - wanted).max()
            for codes, wanted in margins
        )
        if apart <= tolerance * n:
            return Weights(weights, done)
    return _no_weights(n, "the targets cannot be met together")


def post_stratified_mean(
    values: npt.ArrayLike,
    strata: Sequence[str],
    target: Mapping[str, float],
    *,
    population: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> Estimate:
    """sum_s w_s mean_s with Var = sum_s w_s^2 s_s^2 / n_s (Cochran 1977, ch. 5).

    `values` has one number per annotator, w_s is the target's share. With `population` sizes each term is
    multiplied by 1 - n_s / N_s. Undefined when a stratum of the target has no value; no interval when one has
    a single value, for then its spread is not known.
    """
    numbers = as_vector(values, "values")
    labels = np.asarray(strata)
    if labels.shape != numbers.shape or np.isnan(numbers).any():
        raise ValueError("values: one number per stratum label, none missing")
    total = sum(target.values())
    mean = variance = 0.0
    rests_on: RestsOn = {"n_annotators": numbers.size, "n_ratings": numbers.size}
    for stratum, share in target.items():
        own = numbers[labels == stratum]
        if share == 0:
            continue
        if own.size == 0:
            return Estimate.undefined(f"stratum {stratum} has no rating", **rests_on)
        left = 1 - own.size / population[stratum] if population else 1.0
        mean += share / total * float(own.mean())
        spread = float(own.var(ddof=1)) if own.size > 1 else np.nan
        variance += (share / total) ** 2 * spread / own.size * max(0.0, left)
    if np.isnan(variance):
        return Estimate(mean, **rests_on)
    reach = float(norm.ppf((1 + level) / 2) * np.sqrt(variance))
    return Estimate(mean, mean - reach, mean + reach, STRATIFIED, **rests_on)


def hajek_mean(values: npt.ArrayLike, propensities: npt.ArrayLike) -> float | None:
    """sum v/p / sum 1/p, for seats that were filled with a known chance p (Hajek 1971), as in adaptive
    allocation.

    Every propensity must be above 0 and up to 1. No value: None.
    """
    numbers, chance = as_vector(values, "values"), as_vector(propensities, "propensities")
    if chance.shape != numbers.shape or not np.all((chance > 0) & (chance <= 1)):
        raise ValueError("propensities: one per value, above 0 and up to 1")
    return float(np.average(numbers, weights=1 / chance)) if numbers.size else None


def stratum_means(values: npt.ArrayLike, strata: Sequence[str]) -> tuple[list[str], FloatArray]:
    """The strata, sorted, and the mean of each one's values."""
    numbers = as_vector(values, "values")
    code = as_labels(list(strata), "strata", numbers.size)
    names = sorted(set(strata))
    return names, np.bincount(code, numbers, minlength=len(names)) / np.bincount(code, minlength=len(names))


def _no_weights(n: int, reason: str) -> Weights:
    return Weights(np.full(n, np.nan), undefined_reason=reason)
