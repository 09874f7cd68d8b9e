"""How many of the viewpoints on a prompt a response covers, by what the people who hold them say."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from annotations.statistics.arrays import as_labels, as_vector

REPRESENTED_FROM = 4.0


@dataclass(frozen=True)
class Coverage:
    """Share of viewpoints covered, and `weighted` of people whose viewpoint is; None with a reason."""

    share: float | None
    weighted: float | None
    n_clusters: int = 0
    undefined_reason: str | None = None


def overton_coverage(
    clusters: npt.ArrayLike,
    represented: npt.ArrayLike,
    *,
    threshold: float = REPRESENTED_FROM,
    least: int = 1,
) -> Coverage:
    """Coverage of one prompt's viewpoint clusters by one response (Poole-Dayan et al. 2025, OvertonBench).

    One entry per person: the cluster they are in and how far they find their view represented, NaN for no
    answer. A cluster is covered if its mean is at least `threshold`; clusters of fewer than `least` answers
    are left out. The weighted variant counts clusters by their size. Clusters must come from people's
    opinions and be frozen before a model is scored.
    """
    answers = as_vector(represented, "represented")
    given = ~np.isnan(answers)
    cluster = as_labels(np.asarray(clusters)[given], "clusters", int(given.sum()))
    sizes = np.bincount(cluster)
    kept = sizes >= max(1, least)
    if not kept.any():
        return Coverage(None, None, undefined_reason="no viewpoint has enough answers")
    means = np.bincount(cluster, answers[given])[kept] / sizes[kept]
    covered = means >= threshold
    return Coverage(float(covered.mean()), float(np.average(covered, weights=sizes[kept])), int(kept.sum()))
