"""Strengths of options from comparisons: Bradley-Terry of pairs, Plackett-Luce of rankings, rank centrality.

Strengths are logarithms centred at 0, so a difference d means odds of exp(d). Where an option never lost,
or two sets of options were never compared, the likelihood has no maximum: undefined, unless `prior` games
of every option against an average one hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components
from scipy.stats import norm

from annotations.statistics.arrays import FloatArray, IntArray, as_matrix
from annotations.statistics.uncertainty import percentile_interval

WALD = "wald"
COMPARISON_BOOTSTRAP = "ranking_bootstrap_percentile"
DISCONNECTED = "some options never beat, even by way of others, some others"


@dataclass(frozen=True)
class Strengths:
    """Log strength per option (sum 0) with its interval; all NaN, with a reason, where undefined."""

    values: FloatArray
    low: FloatArray
    high: FloatArray
    ci_method: str | None = None
    seed: int | None = None
    undefined_reason: str | None = None

    @property
    def shares(self) -> FloatArray:
        """Strengths as positive numbers that sum to 1."""
        odds = np.exp(self.values)
        return odds / odds.sum()


def bradley_terry(wins: npt.ArrayLike, *, prior: float = 0.0, level: float = 0.95) -> Strengths:
    """Maximum likelihood of P(i beats j) = exp(b_i) / (exp(b_i) + exp(b_j)) (Bradley and Terry 1952).

    `wins` (options x options): how often the row's option beat the column's; a tie is half a win each.
    `prior` adds that many wins and losses against an option of strength 0. Intervals are Wald's, of b centred
    at 0: they take comparisons for independent, so where one annotator gives many, resample annotators
    instead.
    """
    matrix = as_matrix(wins, "wins").copy()
    if matrix.shape[0] != matrix.shape[1] or not np.all(matrix >= 0) or prior < 0:
        raise ValueError("wins: options x options, none negative; prior: not negative")
    np.fill_diagonal(matrix, 0)
    n = matrix.shape[0]
    if n < 2 or (prior == 0 and not _strongly_connected(matrix)):
        return _undefined(n, DISCONNECTED if n > 1 else "fewer than two options")
    values, covariance = _newton(matrix, prior)
    reach = float(norm.ppf((1 + level) / 2)) * np.sqrt(np.clip(np.diag(covariance), 0, None))
    return Strengths(values, values - reach, values + reach, WALD)


def plackett_luce(
    rankings: Sequence[Sequence[int]],
    n_options: int,
    *,
    prior: float = 0.0,
    resamples: int = 0,
    seed: int = 0,
    level: float = 0.95,
) -> Strengths:
    """Maximum likelihood of picking the best, then the best of the rest, and so on (Plackett 1975; Luce
    1959).

    `rankings` hold option numbers, best first, of all or some options. `prior` is as in `bradley_terry`. With
    `resamples`, percentile intervals from drawing rankings with replacement (pass one ranking per annotator,
    or resample annotators outside); without, no intervals.
    """
    stages = [_stages(ranking, n_options) for ranking in rankings]
    beats = np.zeros((n_options, n_options))
    for ranking in rankings:
        for place, option in enumerate(ranking):
            beats[option, list(ranking[place + 1 :])] += 1
    if n_options < 2 or (prior == 0 and not _strongly_connected(beats)):
        return _undefined(n_options, DISCONNECTED if n_options > 1 else "fewer than two options")
    values = _fit_stages(stages, n_options, prior, np.zeros(n_options))
    if resamples == 0:
        missing = np.full(n_options, np.nan)
        return Strengths(values, missing, missing)
    rng = np.random.default_rng(seed)
    drawn = [
        _refit(rankings, stages, rng.integers(len(rankings), size=len(rankings)), n_options, prior, values)
        for _ in range(resamples)
    ]
    ends = [percentile_interval(column, level, COMPARISON_BOOTSTRAP, seed) for column in np.array(drawn).T]
    low, high = (
        np.array([np.nan if end is None else end for end in side], dtype=np.float64)
        for side in zip(*((interval.low, interval.high) for interval in ends), strict=True)
    )
    return Strengths(values, low, high, COMPARISON_BOOTSTRAP, seed)


def rank_centrality(wins: npt.ArrayLike) -> FloatArray | None:
    """Stationary share of time of a walk that moves to whoever beat it (Negahban, Oh and Shah 2017).

    From i to j with wins_ji / (wins_ij + wins_ji) / (n - 1), staying with the rest. None where the walk
    cannot get everywhere.
    """
    matrix = as_matrix(wins, "wins").copy()
    np.fill_diagonal(matrix, 0)
    n = matrix.shape[0]
    if n < 2 or not _strongly_connected(matrix):
        return None
    games = matrix + matrix.T
    moves = np.divide(matrix.T, games, out=np.zeros_like(matrix), where=games > 0) / (n - 1)
    np.fill_diagonal(moves, 1 - moves.sum(axis=1))
    # Stationary: pi (P - I) = 0, one of these equations replaced by sum pi = 1.
    system = np.vstack([(moves.T - np.eye(n))[:-1], np.ones(n)])
    return np.linalg.solve(system, np.eye(n)[-1])


def _newton(wins: FloatArray, prior: float) -> tuple[FloatArray, FloatArray]:
    """The maximum, centred at 0, and the covariance of the centred strengths."""
    n, games = wins.shape[0], wins + wins.T
    values = np.zeros(n)
    centring = np.eye(n) - 1 / n
    for _ in range(200):
        chance = 1 / (1 + np.exp(values - values[:, np.newaxis]))
        own = 1 / (1 + np.exp(-values))
        gradient = wins.sum(axis=1) - (games * chance).sum(axis=1) + prior * (1 - 2 * own)
        information = -games * chance * (1 - chance)
        np.fill_diagonal(information, 0)
        information[np.diag_indices(n)] = -information.sum(axis=1) + 2 * prior * own * (1 - own)
        # Only differences are told apart without a prior: the pseudo-inverse keeps the mean where it is.
        step = np.linalg.pinv(information, hermitian=True) @ gradient
        values = values + step * min(1.0, 2 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-12:
            break
    covariance = centring @ np.linalg.pinv(information, hermitian=True) @ centring
    return values - values.mean(), covariance


_Stage = tuple[int, IntArray]


def _stages(ranking: Sequence[int], n_options: int) -> list[_Stage]:
    """Each choice in a ranking: the option picked and those it was picked from."""
    if len(set(ranking)) != len(ranking) or any(not 0 <= option < n_options for option in ranking):
        raise ValueError(f"ranking {list(ranking)} repeats an option or has an unknown one")
    return [(ranking[place], np.array(ranking[place:], dtype=np.int64)) for place in range(len(ranking) - 1)]


def _fit_stages(
    stages: Sequence[list[_Stage]], n_options: int, prior: float, start: FloatArray
) -> FloatArray:
    every = [stage for ranking in stages for stage in ranking]
    picked = np.bincount([option for option, _ in every], minlength=n_options)
    offered = np.zeros((len(every), n_options), dtype=bool)
    for row, (_, options) in zip(offered, every, strict=True):
        row[options] = True

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        odds = offered * np.exp(values - values.max())
        totals = odds.sum(axis=1)
        own = 1 / (1 + np.exp(-values))
        value = (np.log(totals) + values.max()).sum() - picked @ values
        value -= prior * (np.log(own) + np.log1p(-own)).sum()
        return float(value), (odds / totals[:, np.newaxis]).sum(axis=0) - picked + prior * (2 * own - 1)

    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-8 * max(1, len(every))})
    values: FloatArray = found.x
    return values - values.mean()


def _refit(
    rankings: Sequence[Sequence[int]],
    stages: Sequence[list[_Stage]],
    drawn: IntArray,
    n_options: int,
    prior: float,
    start: FloatArray,
) -> FloatArray:
    if prior == 0:
        beats = np.zeros((n_options, n_options))
        for index in drawn:
            for option, options in stages[index]:
                beats[option, options] += 1
        if not _strongly_connected(beats):
            return np.full(n_options, np.nan)
    return _fit_stages([stages[index] for index in drawn], n_options, prior, start)


def _strongly_connected(wins: FloatArray) -> bool:
    """Ford's condition (1957): everybody beat everybody, if only by way of others."""
    return bool(connected_components(wins > 0, directed=True, connection="strong")[0] == 1)


def _undefined(n_options: int, reason: str) -> Strengths:
    missing = np.full(n_options, np.nan)
    return Strengths(missing, missing, missing, undefined_reason=reason)
