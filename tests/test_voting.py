"""Rank rules on Tennessee's capital, on a cycle, and against brute force over ballots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.voting import (
    approval_scores,
    borda_scores,
    condorcet_winner,
    copeland_scores,
    instant_runoff_winners,
    minimax_scores,
    pairwise_wins,
    plurality_scores,
    preferences_of,
    winners,
)
from tests.textbook import load_textbook

CYCLE = preferences_of(["abc", "bca", "cab"], "abc")
ballots = st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=7)


def test_tennessee_comes_out(shared_data):
    example = load_textbook(shared_data)["voting_tennessee"]
    weights, rankings = zip(*example["ballots"], strict=True)
    cities = sorted(rankings[0])
    table = preferences_of(rankings, cities)
    wins = pairwise_wins(table, weights)

    assert cities[winners(plurality_scores(table, weights))[0]] == example["plurality"]
    assert [cities[winner] for winner in instant_runoff_winners(table, weights)] == [example["irv"]]
    assert dict(zip(cities, borda_scores(table, weights), strict=True)) == example["borda_3210"]
    assert cities[condorcet_winner(wins)] == example["condorcet"]
    assert [cities[winner] for winner in winners(minimax_scores(wins))] == [example["minimax"]]


def test_a_cycle_has_no_condorcet_winner_and_everybody_ties():
    wins = pairwise_wins(CYCLE)

    assert condorcet_winner(wins) is None
    assert winners(copeland_scores(wins)) == [0, 1, 2]
    assert instant_runoff_winners(CYCLE) == [0, 1, 2]


@given(ballots)
def test_scores_agree_with_counting_pair_by_pair(table):
    n = len(table[0])
    wins = [[sum(row[i] > row[j] for row in table) for j in range(n)] for i in range(n)]
    ties = [[sum(row[i] == row[j] for row in table) for j in range(n)] for i in range(n)]

    assert pairwise_wins(table).tolist() == wins
    half = [sum(wins[i][j] + ties[i][j] / 2 for j in range(n) if j != i) for i in range(n)]
    assert borda_scores(table) == pytest.approx(half)
    score = [sum((wins[i][j] > wins[j][i]) - (wins[i][j] < wins[j][i]) for j in range(n)) for i in range(n)]
    assert copeland_scores(wins).tolist() == score
    worst = [min(wins[i][j] - wins[j][i] for j in range(n) if j != i) for i in range(n)]
    assert minimax_scores(wins).tolist() == worst


@given(ballots)
def test_a_condorcet_winner_wins_by_copeland_and_minimax(table):
    wins = pairwise_wins(table)
    winner = condorcet_winner(wins)

    if winner is not None:
        assert winners(copeland_scores(wins)) == winners(minimax_scores(wins)) == [winner]


def test_a_voter_with_two_firsts_is_shared():
    assert plurality_scores([[1, 1, 0], [0, 0, 1]]).tolist() == [0.5, 0.5, 1]


def test_options_a_voter_left_out_get_nothing_from_them():
    table = [[1.0, np.nan, 0.5]]

    assert pairwise_wins(table).sum() == 1
    assert borda_scores(table).tolist() == [1, 0, 0]
    assert approval_scores(table, 0.5).tolist() == [1, 0, 1]


def test_weights_stand_for_several_voters():
    once = np.array([[3, 2, 1], [1, 2, 3]])

    assert borda_scores(once, [3, 1]).tolist() == borda_scores(once[[0, 0, 0, 1]]).tolist()


def test_a_ballot_with_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="unknown"):
        preferences_of(["ax"], "ab")
