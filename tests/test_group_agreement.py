"""GRASP's measures against brute force over pairs of ratings, and groups that do and do not hang together."""

from itertools import product

import numpy as np
import pytest

from annotations.statistics.agreement import krippendorff_alpha
from annotations.statistics.group_agreement import (
    _alphas,
    cross_negentropy,
    cross_replication_reliability,
    group_associations,
    negentropy,
    normalised_cross_replication,
    plurality_size,
    voting_agreement,
)


def tables(seed, n_items=12, k=4):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, size=(n_items, k)), rng.integers(0, 3, size=(n_items, k))


def slow_kappa_x(one, other, places, distance):
    both = [i for i in range(len(one)) if one[i].sum() and other[i].sum()]
    ratings = [[np.repeat(places, table[i]) for i in both] for table in (one, other)]
    total = sum(len(x) + len(y) for x, y in zip(*ratings, strict=True))
    observed = sum(
        (len(x) + len(y)) / total * np.mean([distance(a, b) for a, b in product(x, y)])
        for x, y in zip(*ratings, strict=True)
    )
    everything = [np.concatenate(side) for side in ratings]
    return 1 - observed / np.mean([distance(a, b) for a, b in product(*everything)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("level", "distance"), [("nominal", lambda a, b: a != b), ("interval", lambda a, b: (a - b) ** 2)]
)
def test_xrr_agrees_with_going_through_all_pairs(level, distance, seed):
    one, other = tables(seed)
    places = np.array([1.0, 2.0, 4.0, 8.0])
    found = cross_replication_reliability(one, other, places, level)

    assert found.value == pytest.approx(slow_kappa_x(one, other, places, distance))


def test_xrr_by_hand():
    # Items (a | a), (b | a): d_o = 1/2 * 0 + 1/2 * 1; pairs aa aa ba ba: d_e = 1/2
    found = cross_replication_reliability([[1, 0], [0, 1]], [[1, 0], [1, 0]], [0, 1])

    assert (found.observed, found.expected, found.value) == (0.5, 0.5, 0.0)


def test_xrr_of_perfect_agreement_is_one_and_undefined_has_a_reason():
    same = cross_replication_reliability([[2, 0], [0, 1]], [[1, 0], [0, 3]], [0, 1], "ordinal")
    apart = cross_replication_reliability([[2, 0], [0, 0]], [[0, 0], [0, 3]], [0, 1])
    single = cross_replication_reliability([[2, 0]], [[1, 0]], [0, 1])

    assert same.value == 1
    assert apart.undefined_reason == "no item was rated by both groups"
    assert single.undefined_reason == "only one value is used"


def test_normalised_xrr_needs_both_groups_reliable():
    assert normalised_cross_replication(0.2, 0.25, 0.64) == pytest.approx(0.5)
    assert normalised_cross_replication(0.2, -0.5, -0.5) is None


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_many_alphas_at_once_are_the_alphas_one_by_one(level):
    table = np.random.default_rng(5).integers(1, 6, size=(6, 20)).astype(float)
    counts = np.array([[(table[:, item] == value).sum() for value in range(1, 6)] for item in range(20)])

    together = _alphas(np.array([counts, counts[::-1]], float), np.arange(1.0, 6.0), level)
    assert together == pytest.approx([krippendorff_alpha(table, level).value] * 2)


def panel(shared, seed=1, n_items=40, per_group=8):
    """Two groups; with `shared`, everybody follows one truth, else each group one of its own."""
    rng = np.random.default_rng(seed)
    truths = rng.integers(0, 3, size=(2, n_items))
    truths[1] = truths[0] if shared else truths[1]
    annotator, item = np.meshgrid(np.arange(2 * per_group), np.arange(n_items))
    group = annotator // per_group
    noise = rng.random(item.shape) < 0.3
    values = np.where(noise, rng.integers(0, 3, size=item.shape), truths[group, item])
    return [column.ravel() for column in (item, annotator, np.array(["left", "right"])[group], values)]


def test_groups_with_minds_of_their_own_are_found():
    for one in group_associations(*panel(shared=False), permutations=300, seed=2):
        assert one.gai_gap > 0.2
        assert one.q_value < 0.02


def test_groups_of_one_mind_are_not():
    found = group_associations(*panel(shared=True), permutations=300, seed=2)

    assert [one.group for one in found] == ["left", "right"]
    assert all(one.p_value > 0.05 for one in found)
    assert all(one.gai == pytest.approx(1, abs=0.15) for one in found)
    assert found == group_associations(*panel(shared=True), permutations=300, seed=2)


def test_one_group_has_no_association():
    assert group_associations([1, 1], ["a", "b"], ["g", "g"], [1, 2]) == []


def test_a_ratio_with_nothing_to_divide_by_is_none():
    # The groups answer the other way round: xrr is below 0.
    items, annotators = [0, 0, 0, 0, 1, 1, 1, 1], list("abcdabcd")
    found = group_associations(items, annotators, list("ggkkggkk"), [1, 1, 0, 0, 0, 0, 1, 1], permutations=0)

    assert found[0].gai is None
    assert found[0].gai_gap == pytest.approx(2)


def test_sizes_and_negentropies_by_hand():
    assert plurality_size([[3, 1], [1, 1], [0, 0]]) == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert negentropy([[4, 0]]) == pytest.approx(np.log(2))
    # q = (0.5 / 2, 1.5 / 2) of one rating of b: ln 2 + ln 1/4
    assert cross_negentropy([[4, 0]], [[0, 1]]) == pytest.approx(np.log(2) + np.log(1 / 4))
    assert plurality_size([[0, 0]]) is None
    assert cross_negentropy([[1, 0]], [[0, 0]]) is None


def test_votes_agree_as_two_raters_do():
    one, other = [[2, 1, 0], [0, 3, 0], [0, 0, 1]], [[3, 0, 1], [1, 0, 2], [0, 0, 2]]

    expected = krippendorff_alpha([[0, 1, 2], [0, 2, 2]], "nominal").value
    assert voting_agreement(one, other).value == pytest.approx(expected)


def test_a_tied_vote_does_not_go_to_the_first_label():
    first = voting_agreement([[1, 1], [0, 2]], [[2, 0], [0, 2]]).value
    turned = voting_agreement([[1, 1], [2, 0]], [[0, 2], [2, 0]]).value

    assert first == pytest.approx(turned)
    assert voting_agreement([[1, 0]], [[1, 0]]).undefined_reason == "only one value is used"
