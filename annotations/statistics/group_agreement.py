"""Agreement inside groups of annotators and across them: IRR, XRR and GAI, with permutation tests (GRASP).

Prabhakaran et al. 2024, "GRASP: A Disagreement Analysis Framework to Assess Group Associations in
Perspectives", NAACL. A group is set against everybody else. Counts are items x categories.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from annotations.statistics.agreement import alpha_from_counts
from annotations.statistics.arrays import FloatArray, as_counts, as_labels, as_vector
from annotations.statistics.estimate import Estimate
from annotations.statistics.permutation import adjusted_p_values, permutation_p_value, permute_labels

GroupLevel = Literal["nominal", "ordinal", "interval"]
SMOOTHING = 0.5
# Cells of the items x categories tables of one block of permutations.
BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class CrossReplication:
    """`value` is kappa_x, beside observed and expected disagreement; None, with a reason, if undefined."""

    value: float | None
    observed: float | None = None
    expected: float | None = None
    n_items: int = 0
    undefined_reason: str | None = None


@dataclass(frozen=True)
class GroupAssociation:
    """One group against the rest. `gai` is the ratio, `gai_gap` the difference irr - xrr, to read together.

    The ratio explodes where xrr is near 0 and means nothing below it, so then it is None. p and q are of the
    gap.
    """

    group: str
    in_group_alpha: Estimate
    cross_group_xrr: CrossReplication
    gai: float | None
    gai_gap: float | None
    p_value: float | None = None
    q_value: float | None = None


def cross_replication_reliability(
    counts: npt.ArrayLike,
    other_counts: npt.ArrayLike,
    categories: npt.ArrayLike,
    level: GroupLevel = "nominal",
) -> CrossReplication:
    """kappa_x = 1 - d_o / d_e between two groups (Wong, Paritosh and Aroyo 2021).

    Over items that both rated, with R_i and S_i ratings, R and S in all: d_o = sum_i (R_i + S_i)/(R + S)
    times the mean distance of a pair of one rating of each; d_e = the mean distance over all such pairs of
    any items. Ordinal distance is between mid-ranks of all ratings taken together. Undefined when no item was
    rated by both, and when all their ratings are equal.
    """
    one, other = as_counts(counts, "counts"), as_counts(other_counts, "other_counts")
    if one.shape != other.shape or one.shape[1] != np.size(categories):
        raise ValueError("counts: the same items and categories for both groups")
    stack = one[np.newaxis], other[np.newaxis]
    observed, expected = (float(part[0]) for part in _cross_disagreement(*stack, _places(categories), level))
    n_items = int(((one.sum(axis=1) > 0) & (other.sum(axis=1) > 0)).sum())
    if n_items == 0:
        return CrossReplication(None, undefined_reason="no item was rated by both groups")
    if not expected > 0:
        return CrossReplication(None, observed, expected, n_items, "only one value is used")
    return CrossReplication(1 - observed / expected, observed, expected, n_items)


def normalised_cross_replication(kappa_x: float, irr: float, other_irr: float) -> float | None:
    """kappa_x / sqrt(IRR_x IRR_y): what is left when each group's own unreliability is taken out.

    None unless both reliabilities are above 0 (a product of two negative ones would look like a number).
    """
    return kappa_x / float(np.sqrt(irr * other_irr)) if irr > 0 and other_irr > 0 else None


def group_associations(
    items: npt.ArrayLike,
    annotators: npt.ArrayLike,
    groups: npt.ArrayLike,
    values: npt.ArrayLike,
    level: GroupLevel = "nominal",
    *,
    permutations: int = 1000,
    seed: int = 0,
) -> list[GroupAssociation]:
    """IRR, XRR and GAI of every group, from long form (one row per rating, NaN values left out).

    GAI = IRR in the group / XRR with the rest: above 1 (gap above 0) the group agrees with itself more than
    with others. p is two-sided, from shuffling groups over annotators with their whole rows; q is adjusted
    over the groups (Benjamini and Hochberg). An annotator is in the group of their first rating. Fewer than
    two groups: an empty list.
    """
    ratings = as_vector(values, "values")
    given = ~np.isnan(ratings)
    group_of_row = np.asarray(groups)[given]
    item, annotator = (
        as_labels(np.asarray(labels)[given], name, int(given.sum()))
        for labels, name in [(items, "items"), (annotators, "annotators")]
    )
    categories, code = np.unique(ratings[given], return_inverse=True)
    names, group = np.unique(group_of_row[np.unique(annotator, return_index=True)[1]], return_inverse=True)
    if names.size < 2:
        return []
    n_items = int(item.max()) + 1
    rows = csr_matrix(
        (np.ones(item.size), (annotator, item * categories.size + code)),
        shape=(group.size, n_items * categories.size),
    )
    shuffled = (
        permute_labels(group, permutations, seed) if permutations else np.empty((0, group.size), np.int64)
    )
    found = [
        _association(str(name), group == index, shuffled == index, rows, categories, level)
        for index, name in enumerate(names)
    ]
    q_values = adjusted_p_values([np.nan if one.p_value is None else one.p_value for one in found])
    return [
        replace(one, q_value=None if np.isnan(q) else float(q))
        for one, q in zip(found, q_values, strict=True)
    ]


def plurality_size(counts: npt.ArrayLike) -> float | None:
    """Mean over rated items of the most frequent answer's share: up is agreement. No rating: None."""
    shares = _rated_shares(counts)
    return float(shares.max(axis=1).mean()) if shares.size else None


def negentropy(counts: npt.ArrayLike) -> float | None:
    """Mean over rated items of ln K - H_i, in nats: 0 even .. ln K one answer. No rating: None."""
    shares = _rated_shares(counts)
    if not shares.size:
        return None
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return float((np.log(shares.shape[1]) + (shares * logs).sum(axis=1)).mean())


def cross_negentropy(counts: npt.ArrayLike, other_counts: npt.ArrayLike) -> float | None:
    """Mean over items rated by both of ln K - CE_i, CE_i = -sum p ln q, with q the other group's shares.

    q is smoothed, (c + 0.5) / (n + 0.5 K): an answer the others never gave then costs much, where leaving it
    out would hide the largest differences. May be below 0. No item rated by both: None.
    """
    one, other = as_counts(counts, "counts"), as_counts(other_counts, "other_counts")
    both = (one.sum(axis=1) > 0) & (other.sum(axis=1) > 0)
    if not both.any():
        return None
    k = one.shape[1]
    p = _rated_shares(one[both])
    q = (other[both] + SMOOTHING) / (other[both].sum(axis=1, keepdims=True) + SMOOTHING * k)
    return float((np.log(k) + (p * np.log(q)).sum(axis=1)).mean())


def voting_agreement(counts: npt.ArrayLike, other_counts: npt.ArrayLike) -> Estimate:
    """Nominal alpha between two groups' plurality votes. Items that only one rated are left out.

    A group that ties casts its vote in equal parts, so that no label wins for coming first.
    """
    one, other = as_counts(counts, "counts"), as_counts(other_counts, "other_counts")
    both = (one.sum(axis=1) > 0) & (other.sum(axis=1) > 0)
    votes, others = _plurality_votes(one[both]), _plurality_votes(other[both])
    n_items = int(both.sum())
    if n_items == 0:
        return Estimate.undefined("no item was rated by both groups", n_items=0)
    totals, n = (votes + others).sum(axis=0), 2 * n_items
    expected = (n**2 - float(totals @ totals)) / (n * (n - 1))
    if expected == 0:
        return Estimate.undefined("only one value is used", n_items=n_items)
    observed = 1 - float((votes * others).sum(axis=1).mean())
    # With divided votes, D_e still counts a group's vote against itself: n^2 - sum n_c^2 - (its division).
    divided = float((1 - (votes**2).sum(axis=1)).sum() + (1 - (others**2).sum(axis=1)).sum())
    expected -= divided / (n * (n - 1))
    if expected <= 0:
        return Estimate.undefined("only one value is used", n_items=n_items)
    return Estimate(1 - observed / expected, n_items=n_items)


def _association(
    name: str,
    members: npt.NDArray[np.bool_],
    shuffled: npt.NDArray[np.bool_],
    rows: csr_matrix,
    categories: FloatArray,
    level: GroupLevel,
) -> GroupAssociation:
    everybody = np.asarray(rows.sum(axis=0)).reshape(-1, categories.size)
    inside = np.asarray(rows[members].sum(axis=0)).reshape(-1, categories.size)
    irr = alpha_from_counts(inside, categories, level, n_annotators=int(members.sum()))
    xrr = cross_replication_reliability(inside, everybody - inside, categories, level)
    if irr.value is None or xrr.value is None:
        return GroupAssociation(name, irr, xrr, None, None)
    gap = irr.value - xrr.value
    ratio = irr.value / xrr.value if xrr.value > 0 else None
    null = _gaps(shuffled, rows, everybody, categories, level)
    p_value = permutation_p_value(gap, null) if null.size else None
    return GroupAssociation(name, irr, xrr, ratio, gap, p_value)


def _gaps(
    shuffled: npt.NDArray[np.bool_],
    rows: csr_matrix,
    everybody: FloatArray,
    categories: FloatArray,
    level: GroupLevel,
) -> FloatArray:
    """IRR - XRR under each row of shuffled membership, NaN where undefined."""
    block = max(1, BLOCK_CELLS // everybody.size)
    gaps = []
    for start in range(0, shuffled.shape[0], block):
        members = shuffled[start : start + block].astype(np.float64)
        inside = np.asarray(members @ rows).reshape(members.shape[0], *everybody.shape)
        observed, expected = _cross_disagreement(inside, everybody - inside, categories, level)
        gaps.append(_alphas(inside, categories, level) - (1 - _divide(observed, expected)))
    return np.concatenate(gaps) if gaps else np.empty(0)


# Below, tables are stacked: groupings x items x categories. Interval and ordinal distance is (place -
# place)^2, so sums over pairs come from sums and sums of squares of places.


def _alphas(counts: FloatArray, categories: FloatArray, level: GroupLevel) -> FloatArray:
    """Krippendorff's alpha of each table, NaN where undefined (as `alpha_from_counts`, many at once)."""
    sizes = counts.sum(axis=2)
    used = np.where((sizes >= 2)[:, :, np.newaxis], counts, 0)
    sizes = np.where(sizes >= 2, sizes, 0)
    totals = used.sum(axis=1)
    n = totals.sum(axis=1)
    pairs = _pair_distances(used, used, totals, categories, level)
    observed = np.divide(pairs, sizes - 1, out=np.zeros_like(pairs), where=sizes > 1).sum(axis=1)
    one_table = totals[:, np.newaxis]
    expected = _pair_distances(one_table, one_table, totals, categories, level)[:, 0]
    return 1 - _divide((n - 1) * observed, expected)


def _cross_disagreement(
    counts: FloatArray, others: FloatArray, categories: FloatArray, level: GroupLevel
) -> tuple[FloatArray, FloatArray]:
    """d_o and d_e of each pair of tables, NaN where no item was rated by both."""
    sizes, other_sizes = counts.sum(axis=2), others.sum(axis=2)
    both = ((sizes > 0) & (other_sizes > 0))[:, :, np.newaxis]
    one, other = np.where(both, counts, 0), np.where(both, others, 0)
    sizes, other_sizes = one.sum(axis=2), other.sum(axis=2)
    totals = (one + other).sum(axis=1)
    distances = _pair_distances(one, other, totals, categories, level)
    means = np.divide(distances, sizes * other_sizes, out=np.zeros_like(distances), where=both[:, :, 0])
    observed = _divide(((sizes + other_sizes) * means).sum(axis=1), totals.sum(axis=1))
    sums = one.sum(axis=1, keepdims=True), other.sum(axis=1, keepdims=True)
    pairs = sizes.sum(axis=1) * other_sizes.sum(axis=1)
    return observed, _divide(_pair_distances(*sums, totals, categories, level)[:, 0], pairs)


def _pair_distances(
    one: FloatArray, other: FloatArray, totals: FloatArray, categories: FloatArray, level: GroupLevel
) -> FloatArray:
    """Sum over pairs of one rating each of the distance, per table and item."""
    if level == "nominal":
        return one.sum(axis=2) * other.sum(axis=2) - (one * other).sum(axis=2)
    places = np.broadcast_to(categories, totals.shape)
    if level == "ordinal":
        places = np.cumsum(totals, axis=1) - totals / 2
    # Centred on the middle place, which takes nothing from differences and leaves fewer digits to lose.
    places = (places - places.mean(axis=1, keepdims=True))[:, :, np.newaxis]
    first, second = (one @ places)[:, :, 0], (other @ places)[:, :, 0]
    squares, other_squares = (one @ places**2)[:, :, 0], (other @ places**2)[:, :, 0]
    distances = squares * other.sum(axis=2) + other_squares * one.sum(axis=2) - 2 * first * second
    # One and the same answer on both sides leaves exactly 0, whatever rounding says.
    single = ((one + other) > 0).sum(axis=2) < 2
    return np.where(single, 0.0, np.maximum(distances, 0))


def _divide(above: FloatArray, below: FloatArray) -> FloatArray:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _places(categories: npt.ArrayLike) -> FloatArray:
    places = as_vector(categories, "categories")
    if not np.all(np.diff(places) > 0):
        raise ValueError("categories: must be in ascending order")
    return places


def _rated_shares(counts: npt.ArrayLike) -> FloatArray:
    matrix = as_counts(counts, "counts")
    rated = matrix[matrix.sum(axis=1) > 0]
    return rated / rated.sum(axis=1, keepdims=True)


def _plurality_votes(counts: FloatArray) -> FloatArray:
    first = counts == counts.max(axis=1, keepdims=True)
    return first / first.sum(axis=1, keepdims=True)
