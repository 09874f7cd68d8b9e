"""Bradley-Terry, Plackett-Luce and rank centrality against published fits and choix."""

import choix
import numpy as np
import pytest

from annotations.statistics.strength import bradley_terry, plackett_luce, rank_centrality
from tests.textbook import load_textbook


def test_bradley_terry_of_wikipedia_comes_out(shared_data):
    example = load_textbook(shared_data)["bradley_terry_wikipedia"]

    assert bradley_terry(example["wins_row_over_col"]).shares == pytest.approx(example["p_sum1"], abs=5e-9)


@pytest.mark.parametrize(
    ("name", "wins", "reference", "digits"),
    [
        ("bradley_terry_stigler_citations", "wins", 0, 5e-8),
        ("bradley_terry_agresti_baseball_1987", "wins_row_over_col", -1, 5e-5),
    ],
)
def test_published_abilities_come_out(shared_data, name, wins, reference, digits):
    example = load_textbook(shared_data)[name]
    values = bradley_terry(example[wins]).values

    assert values - values[reference] == pytest.approx(example["log_ability"], abs=digits)


def test_rank_centrality_comes_out(shared_data):
    example = load_textbook(shared_data)["rank_centrality_exact"]
    weights = np.array(example["weights"])

    # i beats j as often as w_i says.
    wins = np.repeat(weights[:, np.newaxis], 3, axis=1)
    assert rank_centrality(wins) == pytest.approx(example["stationary"])


@pytest.mark.parametrize("seed", range(4))
def test_bradley_terry_agrees_with_choix(seed):
    wins = np.random.default_rng(seed).integers(1, 12, size=(6, 6))
    np.fill_diagonal(wins, 0)
    theirs = choix.opt_pairwise(
        6, [pair for pair in np.argwhere(wins > 0) for _ in range(wins[tuple(pair)])], tol=1e-10
    )

    assert bradley_terry(wins).values == pytest.approx(theirs - theirs.mean(), abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_plackett_luce_agrees_with_choix(seed):
    rng = np.random.default_rng(seed)
    rankings = [rng.permutation(5)[: rng.integers(2, 6)].tolist() for _ in range(60)]
    theirs = choix.opt_rankings(5, rankings, tol=1e-10)

    assert plackett_luce(rankings, 5).values == pytest.approx(theirs - theirs.mean(), abs=1e-4)


def test_pairs_are_rankings_of_two():
    wins = np.array([[0, 3, 2], [1, 0, 4], [2, 1, 0]])
    pairs = [list(pair) for pair in np.argwhere(wins > 0) for _ in range(wins[tuple(pair)])]

    assert plackett_luce(pairs, 3).values == pytest.approx(bradley_terry(wins).values, abs=1e-5)


def test_two_options_by_hand():
    # 3 of 4 games: log odds ln 3, half of it each side of 0; information 4 * 3/4 * 1/4, so sd(b1 - b2) =
    # 1.1547
    found = bradley_terry([[0, 3], [1, 0]])

    assert found.values == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
    assert (found.high - found.low) / 2 == pytest.approx([1.959964 * 1.154701 / 2] * 2, abs=1e-6)


def test_wald_intervals_hold_the_truth_about_as_often_as_they_say():
    rng, truth = np.random.default_rng(1), np.array([0.5, 0.0, -0.5])
    chance = 1 / (1 + np.exp(truth - truth[:, np.newaxis]))
    inside = []
    for _ in range(200):
        upper = np.triu(rng.binomial(60, chance), 1)
        found = bradley_terry(upper + np.tril((60 - upper).T, -1))
        inside.append((found.low <= truth) & (truth <= found.high))

    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_an_option_that_never_lost_is_undefined_without_a_prior():
    wins = [[0, 2, 2], [0, 0, 1], [0, 1, 0]]

    assert bradley_terry(wins).undefined_reason
    assert np.isnan(bradley_terry(wins).values).all()
    assert np.argmax(bradley_terry(wins, prior=0.5).values) == 0
    assert plackett_luce([[0, 1, 2], [0, 2, 1]], 3).undefined_reason
    assert np.argmax(plackett_luce([[0, 1, 2], [0, 2, 1]], 3, prior=0.5).values) == 0
    assert rank_centrality(wins) is None


def test_plackett_luce_intervals_hold_the_value_and_keep_to_the_seed():
    rankings = [np.random.default_rng(row).permutation(4).tolist() for row in range(40)]
    one, again = (plackett_luce(rankings, 4, resamples=60, seed=3) for _ in range(2))

    assert (one.low < one.values).all()
    assert (one.values < one.high).all()
    assert (one.low == again.low).all()
