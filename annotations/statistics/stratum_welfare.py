"""Welfare across strata instead of people: a welfare function of stratum means, weighted by the population.

Within a stratum utilities are averaged, so what divides its members is not seen; between strata the welfare
function decides. That is another number than the same function over people, and is to be named so.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from annotations.statistics import welfare as over_people
from annotations.statistics.arrays import FloatArray, as_vector
from annotations.statistics.weighting import stratum_means

_Function = Callable[[FloatArray, FloatArray], float | None]

# Functions of stratum means and weights. Minimum and leximin have no weights: every stratum counts.
STRATUM_WELFARE: dict[str, _Function] = {
    "utilitarian": lambda u, w: over_people.utilitarian(u, w),
    "maximin": lambda u, w: over_people.maximin(u),
    "nash": lambda u, w: over_people.nash(u, w),
    "power_m1": lambda u, w: over_people.power_mean(u, -1, w),
    "atkinson_0_5": lambda u, w: over_people.atkinson(u, 0.5, w),
    "approval": lambda u, w: over_people.approval(u, 0.5, w),
}


def stratum_welfare(
    utilities: npt.ArrayLike,
    strata: Sequence[str | None],
    name: str,
    *,
    target: Mapping[str, float] | None = None,
) -> float | None:
    """STRATUM_WELFARE[name] of the means of one item's utilities in each stratum.

    `target` weights the strata (population shares); left out, all weigh the same. A stratum of the target
    with weight above 0 but no juror leaves the welfare undefined: None, rather than a number about the
    others. Jurors without a stratum are left out; none left: None.

    >>> stratum_welfare([0.0, 1.0, 0.75], ["a", "a", "b"], "utilitarian")
    0.625
    """
    numbers = as_vector(utilities, "utilities")
    seated = np.array([stratum is not None for stratum in strata], dtype=bool)
    if seated.size != numbers.size:
        raise ValueError("strata: one label per utility")
    names, means = stratum_means(numbers[seated], [stratum for stratum in strata if stratum is not None])
    if target is not None and any(share > 0 and stratum not in names for stratum, share in target.items()):
        return None
    weights = np.array([1.0 if target is None else target.get(stratum, 0.0) for stratum in names])
    means, weights = means[weights > 0], weights[weights > 0]
    return STRATUM_WELFARE[name](means, weights) if means.size else None


def isoelastic(
    utilities: npt.ArrayLike, aversion: float, weights: npt.ArrayLike | None = None
) -> float | None:
    """Mean of (u^(1-e) - 1)/(1-e), of ln u at e = 1 (Atkinson 1970; Sen 1973), over people or strata.

    The e of aversion: 0 is the mean less 1, and the order is that of the power mean M_(1-e). With a utility
    of 0 and e >= 1 it is minus infinity, which is not a number to report: None. No juror: None.
    """
    if not aversion >= 0:
        raise ValueError(f"aversion {aversion} is negative")
    numbers = as_vector(utilities, "utilities")
    if (numbers < 0).any() or np.isnan(numbers).any():
        raise ValueError("utilities: numbers that are not negative, without missing ones")
    shares = np.ones_like(numbers) if weights is None else as_vector(weights, "weights")
    numbers, shares = numbers[shares > 0], shares[shares > 0]
    if not numbers.size or (aversion >= 1 and numbers.min() == 0):
        return None
    power = 1 - aversion
    gains = np.log(numbers) if aversion == 1 else (numbers**power - 1) / power
    return float(np.average(gains, weights=shares))


def ordered_weighted_average(utilities: npt.ArrayLike, weights: npt.ArrayLike) -> float | None:
    """sum_i w_i u_(i) / sum w, u_(1) the worst off (Yager 1988); weights that fall put the worst off first.

    (1, 0, ..) is maximin, even weights the mean, and (2n-1, 2n-3, .., 1) Gini welfare. No juror: None.

    >>> ordered_weighted_average([1.0, 0.0], [3, 1])
    0.25
    """
    numbers, places = np.sort(as_vector(utilities, "utilities")), as_vector(weights, "weights")
    if places.shape != numbers.shape or not np.all(places >= 0) or np.isnan(numbers).any():
        raise ValueError("weights: one number per juror, none negative; utilities: none missing")
    return float(np.average(numbers, weights=places)) if places.sum() > 0 else None


def veto_share(values: npt.ArrayLike, threshold: float, weights: npt.ArrayLike | None = None) -> float | None:
    """Share of jurors at or below the threshold. Down is better. No juror: None.

    >>> veto_share([0.1, 0.2, 0.9, 1.0], 0.2)
    0.5
    """
    turned = -as_vector(values, "values")
    return over_people.approval(turned, -threshold, weights)
