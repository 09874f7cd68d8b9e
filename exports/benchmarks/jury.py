"""The jury benchmark: every candidate with its jurors' utilities, and welfare functions of them."""

import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext_lazy as _

from annotations.statistics.arrays import FloatArray
from annotations.statistics.welfare import WELFARE, leximin_ranks
from exports.benchmarks.benchmark import Benchmark
from exports.release_folder import ReleaseFolder

DRAWS = 200
READ = [
    "prompt_id",
    "candidate_id",
    "criterion",
    "annotator_id",
    "stratum",
    "utility",
    "repeat_index",
    "split",
]
FIELDS = (
    "utilitarian", "maximin_strata", "maximin", "leximin_rank", "nash", "gini", "atkinson_0_5", "power_m1",
    "median", "cvar_20", "approval",
)  # fmt: skip
LOW_HIGH = (
    "of the 95 % interval of welfare.utilitarian over juries of the same size, drawn from this one's jurors "
    "with replacement inside their strata (inside the whole jury where a stratum has one juror); "
    "null for one juror"
)
MEANINGS = {
    "prompt_id": "the prompt",
    "candidate_id": "the candidate judged",
    "criterion": "the question asked about it",
    "n_jurors": "jurors with a value",
    "jurors": "each juror's utility, 0..1 on the declared scale, higher is better",
    "by_stratum": "jurors and mean utility by stratum; jurors whose stratum is withheld are in none",
    "welfare": "welfare functions of the utilities; leximin_rank is 1 for the prompt's best candidate",
    "jury_low": f"low end {LOW_HIGH}",
    "jury_high": f"high end {LOW_HIGH}",
}
TYPES = {
    "prompt_id": pa.string(),
    "candidate_id": pa.string(),
    "criterion": pa.string(),
    "n_jurors": pa.int64(),
    "jurors": pa.list_(
        pa.struct([("annotator_id", pa.string()), ("stratum", pa.string()), ("utility", pa.float64())])
    ),
    "by_stratum": pa.list_(pa.struct([("stratum", pa.string()), ("n", pa.int64()), ("mean", pa.float64())])),
    "welfare": pa.struct([(name, pa.int64() if name == "leximin_rank" else pa.float64()) for name in FIELDS]),
    "jury_low": pa.float64(),
    "jury_high": pa.float64(),
}
SCHEMA = pa.schema(
    [pa.field(name, kind, metadata={"description": MEANINGS[name]}) for name, kind in TYPES.items()]
)

Judged = dict[str, Any]
Strata = Sequence[str | None]


def jury_rows(folder: ReleaseFolder, seed: int) -> Iterator[tuple[str, Judged]]:
    """One row per candidate and criterion with at least one utility, prompts in their order."""
    ratings = (
        row for row in folder.rows("ratings", READ) if row["utility"] is not None and not row["repeat_index"]
    )
    for prompt_id, rows in groupby(ratings, key=lambda row: row["prompt_id"]):
        juries = [
            list(jury) for _key, jury in groupby(rows, lambda row: (row["candidate_id"], row["criterion"]))
        ]
        judged = _judge(juries, zlib.crc32(f"{seed}:{prompt_id}".encode()))
        _rank(judged)
        yield from ((row.pop("split"), row) for row in judged)


def why_no_jury(folder: ReleaseFolder) -> str | None:
    """A jury needs utilities: ratings on a scale that says what is better."""
    if any(row["utility"] is not None for row in folder.rows("ratings", ["utility"])):
        return None
    return "no rating is on a scale, so there are no utilities"


def resample_juries(juries: FloatArray, strata: Strata, seed: int) -> list[tuple[float, float] | None]:
    """Where the mean utility of another jury of this size might lie: 2.5 and 97.5 percentile of 200 juries.

    One interval per row of `juries` (juries x jurors), all from the same draws. Jurors are drawn with
    replacement inside their strata, which keeps the composition; where some stratum has one juror, inside the
    whole jury, because drawing one from one would claim that there is nothing to vary. Fewer than two: None.
    """
    size = juries.shape[1]
    if size < 2:
        return [None] * juries.shape[0]
    labels = np.array([label or "" for label in strata])
    pools = [np.flatnonzero(labels == label) for label in sorted(set(labels.tolist()))]
    if min(pool.size for pool in pools) < 2:
        pools = [np.arange(size)]
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([rng.choice(pool, size=(DRAWS, pool.size)) for pool in pools], axis=1)
    low, high = np.quantile(juries[:, drawn].mean(axis=2), [0.025, 0.975], axis=1)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _judge(juries: list[list[dict[str, Any]]], seed: int) -> list[Judged]:
    """The rows of one prompt; juries of the same people are computed together, which is far faster."""
    judged: list[Judged] = [{} for _jury in juries]
    same: dict[tuple[str, ...], list[int]] = {}
    for index, jury in enumerate(juries):
        same.setdefault(tuple(row["annotator_id"] for row in jury), []).append(index)
    for indices in same.values():
        strata = [row["stratum"] for row in juries[indices[0]]]
        utilities = np.array([[row["utility"] for row in juries[index]] for index in indices])
        welfare = {name: WELFARE[name].of_juries(utilities, strata) for name in FIELDS if name in WELFARE}
        means = _stratum_means(utilities, strata)
        intervals = resample_juries(utilities, strata, seed)
        for position, index in enumerate(indices):
            low, high = intervals[position] or (None, None)
            judged[index] = _first_cells(juries[index]) | {
                "by_stratum": [
                    {"stratum": name, "n": n, "mean": float(column[position])} for name, n, column in means
                ],
                "welfare": {name: _plain(column[position]) for name, column in welfare.items()},
                "jury_low": low,
                "jury_high": high,
            }
    return judged


def _first_cells(jury: list[dict[str, Any]]) -> Judged:
    first = jury[0]
    return {name: first[name] for name in ("split", "prompt_id", "candidate_id", "criterion")} | {
        "n_jurors": len(jury),
        "jurors": [{name: row[name] for name in ("annotator_id", "stratum", "utility")} for row in jury],
    }


def _stratum_means(utilities: FloatArray, strata: Strata) -> list[tuple[str, int, FloatArray]]:
    """(stratum, jurors, mean of each jury's part in it), by name."""
    means = []
    for name in sorted({label for label in strata if label is not None}):
        part = utilities[:, [label == name for label in strata]]
        means.append((name, part.shape[1], WELFARE["utilitarian"].of_juries(part)))
    return means


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _rank(judged: list[Judged]) -> None:
    """Leximin ranks of a prompt's candidates, by each criterion, among jurors who rated all of them."""
    for criterion in {row["criterion"] for row in judged}:
        rows = [row for row in judged if row["criterion"] == criterion]
        by_juror = [{juror["annotator_id"]: juror["utility"] for juror in row["jurors"]} for row in rows]
        common = sorted(set.intersection(*(set(each) for each in by_juror)))
        ranks = leximin_ranks([[each[name] for name in common] for each in by_juror])
        for row, rank in zip(rows, ranks, strict=True):
            row["welfare"]["leximin_rank"] = rank


JURY = Benchmark(
    "jury",
    _("each prompt's candidates with the utilities of its jury and welfare functions of them"),
    SCHEMA,
    jury_rows,
    why_no_jury,
)
