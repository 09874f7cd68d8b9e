"""Rank rules: from voters' utilities for the same options, or ranked ballots, to scores and winners.

`preferences` is voters x options, higher is better, NaN where a voter did not judge; only the order within
a row counts. `weights` (one per voter) let a row stand for several people. A rule that picks returns every
winner, in order of the columns: ties are shown, never broken.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from annotations.statistics.arrays import FloatArray, as_matrix, as_vector


def preferences_of(rankings: Sequence[Sequence[str]], options: Sequence[str]) -> FloatArray:
    """Ballots (best first) as preferences: n - 1 for the first of n ranked .. 0; unranked options are NaN."""
    column = {option: index for index, option in enumerate(options)}
    table = np.full((len(rankings), len(options)), np.nan)
    for row, ranking in zip(table, rankings, strict=True):
        if len(set(ranking)) != len(ranking) or not set(ranking) <= set(column):
            raise ValueError(f"ballot {list(ranking)} repeats an option or names an unknown one")
        row[[column[option] for option in ranking]] = np.arange(len(ranking) - 1, -1, -1)
    return table


def pairwise_wins(preferences: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> FloatArray:
    """Weight of voters who put the row's option above the column's (options x options), ties to neither."""
    table, voters = _ballots(preferences, weights)
    wins = np.zeros((table.shape[1], table.shape[1]))
    for option in range(table.shape[1]):
        with np.errstate(invalid="ignore"):
            wins[option] = voters @ (table[:, [option]] > table)
    return wins


def borda_scores(preferences: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> FloatArray:
    """Borda (1781): sum over voters of the options each is put above, a tie counting half.

    A voter who left an option out says nothing about it: the sum is over the pairs that were judged, so
    compare options only where everybody judged them all.
    """
    table, voters = _ballots(preferences, weights)
    ranks = np.nan_to_num(rankdata(table, axis=1, nan_policy="omit") - 1)
    return voters @ ranks


def plurality_scores(preferences: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> FloatArray:
    """Weight of the voters who put the option first; a voter with several firsts is shared evenly."""
    table, voters = _ballots(preferences, weights)
    judged = ~np.isnan(table).all(axis=1)
    table, voters = table[judged], voters[judged]
    if not table.size:
        return np.zeros(table.shape[1])
    first = table == np.nanmax(table, axis=1, keepdims=True)
    return voters @ (first / first.sum(axis=1, keepdims=True))


def approval_scores(
    utilities: npt.ArrayLike, threshold: float = 0.5, weights: npt.ArrayLike | None = None
) -> FloatArray:
    """Weight of the voters whose utility is at or above the threshold (Brams and Fishburn 1978)."""
    table, voters = _ballots(utilities, weights)
    with np.errstate(invalid="ignore"):
        return voters @ (table >= threshold)


def copeland_scores(wins: npt.ArrayLike) -> FloatArray:
    """Pairwise majorities won minus lost, of `pairwise_wins` (Copeland 1951)."""
    margins = _margins(wins)
    return np.sign(margins).sum(axis=1)


def minimax_scores(wins: npt.ArrayLike) -> FloatArray:
    """The option's worst pairwise margin (Simpson 1969; Kramer 1977). Up is better, 0 or more: never beaten.

    One option alone: NaN, as there is nothing to lose to.
    """
    margins = _margins(wins)
    if margins.shape[0] < 2:
        return np.full(margins.shape[0], np.nan)
    np.fill_diagonal(margins, np.inf)
    return margins.min(axis=1)


def condorcet_winner(wins: npt.ArrayLike) -> int | None:
    """The column that beats every other by majority, of `pairwise_wins`; None when there is none."""
    margins = _margins(wins)
    beaten = (margins > 0).sum(axis=1)
    winners = np.flatnonzero(beaten == margins.shape[0] - 1)
    return int(winners[0]) if winners.size and margins.shape[0] > 1 else None


def winners(scores: npt.ArrayLike) -> list[int]:
    """Columns with the highest score, all of them on a tie; none when there is no score."""
    numbers = as_vector(scores, "scores")
    if np.isnan(numbers).all():
        return []
    return np.flatnonzero(np.isclose(numbers, np.nanmax(numbers), rtol=1e-12, atol=1e-12)).tolist()


def instant_runoff_winners(preferences: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> list[int]:
    """Drop the options with the lowest plurality until the rest tie or one is left (Hare 1859).

    Options that tie for last leave together; where all that are left tie, all are winners.
    """
    table, voters = _ballots(preferences, weights)
    left = np.arange(table.shape[1])
    while left.size > 1:
        scores = plurality_scores(table[:, left], voters)
        last = np.isclose(scores, scores.min())
        if last.all():
            break
        left = left[~last]
    return left.tolist()


def _ballots(preferences: npt.ArrayLike, weights: npt.ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    table = as_matrix(preferences, "preferences")
    voters = np.ones(table.shape[0]) if weights is None else as_vector(weights, "weights")
    if voters.shape != table.shape[:1] or not np.all(voters >= 0):
        raise ValueError("weights: one number per voter, none negative")
    return table, voters


def _margins(wins: npt.ArrayLike) -> FloatArray:
    matrix = as_matrix(wins, "wins")
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError("wins: options x options")
    return matrix - matrix.T
