"""What metrics.json says of a release: agreement, means, shares and welfare, with seeded intervals."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotations.statistics.agreement import (
    Level,
    UnitCounts,
    alpha_from_counts,
    raw_agreement_from_counts,
    unit_counts,
)
from annotations.statistics.distribution import category_share, entropy
from annotations.statistics.estimate import Estimate
from annotations.statistics.uncertainty import bootstrap_mean
from exports.release_folder import ReleaseFolder

RESAMPLES = 1000
MAX_VALUES = 2000  # of a continuous slider, before counts of them outgrow memory
LEVELS: dict[str, tuple[Level, ...]] = {
    "likert": ("nominal", "ordinal", "interval"),
    "slider": ("nominal", "ordinal", "interval"),
    "binary": ("nominal",),
    "categorical": ("nominal",),
}
UNDEFINED_WELFARE = {"utilitarian": "there are no utilities", "maximin_strata": "no juror has a stratum"}
Record = dict[str, Any]
Codes = npt.NDArray[np.int64]


def compute_metrics(folder: ReleaseFolder, seed: int) -> list[Record]:
    """One record per number; an undefined one is null with its reason. Marked repeats are left out."""
    ratings = _Ratings(folder)
    records: list[Record] = []
    for criterion in folder.table("criteria").to_pylist():
        rated = ratings.of(criterion["criterion"])
        if criterion["kind"] in LEVELS:
            records += _agreement(criterion, rated, seed)
            records += _means(criterion, rated, seed)
            records += _shares(criterion, rated, seed)
            records += _welfare(folder, criterion["criterion"], rated, seed)
    return records


class _Rated:
    """The values of one criterion in long form, each with its candidate, annotator, generator and stratum."""

    def __init__(self, table: pa.Table) -> None:
        self.values = table["value"].to_numpy().astype(np.float64)
        self.names: dict[str, list[str]] = {}
        self.codes: dict[str, Codes] = {}
        for column in ("candidate_id", "annotator_id", "generator", "stratum"):
            encoded = table[column].combine_chunks().dictionary_encode("encode")
            self.names[column] = encoded.dictionary.to_pylist()
            self.codes[column] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)

    def counts(self) -> UnitCounts:
        return unit_counts(self.codes["candidate_id"], self.values)

    def groups(self, column: str) -> Iterator[tuple[str | None, npt.NDArray[np.bool_]]]:
        """(group, its rows), by name; rows of no group (null) are in none."""
        codes = self.codes[column]
        named = [(name, code) for code, name in enumerate(self.names[column]) if name is not None]
        return ((name, codes == code) for name, code in sorted(named))

    def item_means(
        self, rows: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """(mean, number of ratings) of each candidate among the rows."""
        _items, code = np.unique(self.codes["candidate_id"][rows], return_inverse=True)
        sizes = np.bincount(code).astype(np.float64)
        return np.bincount(code, self.values[rows]) / sizes if sizes.size else sizes, sizes

    def sizes(self, rows: npt.NDArray[np.bool_] | None = None) -> dict[str, int]:
        chosen = np.ones(self.values.size, bool) if rows is None else rows
        return {
            "n_items": int(np.unique(self.codes["candidate_id"][chosen]).size),
            "n_annotators": int(np.unique(self.codes["annotator_id"][chosen]).size),
            "n_ratings": int(chosen.sum()),
        }


class _Ratings:
    """The release's ratings with their candidates' generators."""

    def __init__(self, folder: ReleaseFolder) -> None:
        columns = ["annotator_id", "candidate_id", "criterion", "value", "stratum", "repeat_index"]
        table = folder.table("ratings", columns)
        generators = folder.table("candidates", ["candidate_id", "generator"])
        by_candidate = dict(
            zip(*(generators[name].to_pylist() for name in generators.column_names), strict=True)
        )
        encoded = table["candidate_id"].combine_chunks().dictionary_encode()
        names = pa.array([by_candidate[name] for name in encoded.dictionary.to_pylist()], pa.string())
        self.table = table.append_column("generator", names.take(encoded.indices))

    def of(self, criterion: str) -> _Rated:
        column = pc.equal
        kept = pc.and_(
            pc.and_(column(self.table["criterion"], criterion), column(self.table["repeat_index"], 0)),
            pc.is_valid(self.table["value"]),
        )
        return _Rated(self.table.filter(kept))


def _agreement(criterion: Record, rated: _Rated, seed: int) -> Iterator[Record]:
    if np.unique(rated.values).size > MAX_VALUES:
        too_many = Estimate.undefined(f"more than {MAX_VALUES} different values")
        yield _record("krippendorff_alpha", criterion["criterion"], too_many, sizes=rated.sizes())
        return
    counts = rated.counts()
    levels = LEVELS[criterion["kind"]]
    if criterion["kind"] == "categorical" and criterion["ordered"]:
        levels = ("nominal", "ordinal")
    people = rated.sizes()["n_annotators"]
    for level in levels:
        alpha = alpha_from_counts(*counts, level, n_annotators=people, resamples=RESAMPLES, seed=seed)
        yield _record("krippendorff_alpha", criterion["criterion"], alpha, level=level)
    agreement = raw_agreement_from_counts(counts.counts, n_annotators=people, resamples=RESAMPLES, seed=seed)
    yield _record("raw_agreement", criterion["criterion"], agreement)


def _means(criterion: Record, rated: _Rated, seed: int) -> Iterator[Record]:
    """Mean rating on the criterion's own scale: overall, by generator, by stratum."""
    if criterion["kind"] == "categorical" and not criterion["ordered"]:
        return
    everything = np.ones(rated.values.size, bool)
    groups: list[tuple[str | None, str | None, npt.NDArray[np.bool_]]] = [(None, None, everything)]
    groups += [("generator", name, rows) for name, rows in rated.groups("generator")]
    groups += [("stratum", name, rows) for name, rows in rated.groups("stratum")]
    for group_by, group, rows in groups:
        means, sizes = rated.item_means(rows)
        estimate = bootstrap_mean(means, weights=sizes, resamples=RESAMPLES, seed=seed)
        yield _record(
            "mean", criterion["criterion"], estimate, group_by=group_by, group=group, sizes=rated.sizes(rows)
        )


def _shares(criterion: Record, rated: _Rated, seed: int) -> Iterator[Record]:
    """Share of each category among all ratings, and the mean over candidates of their ratings' entropy."""
    if criterion["kind"] not in ("categorical", "binary"):
        return
    name, labels = criterion["criterion"], criterion["categories"] or ["no", "yes"]
    shares = category_share(rated.values, list(range(len(labels))))
    for position, label in enumerate(labels):
        if shares is None:
            estimate = Estimate.undefined("there are no ratings")
        else:
            estimate = Estimate(float(shares[position]))
        yield _record("category_share", name, estimate, group_by="category", group=label, sizes=rated.sizes())
    bits = [entropy(row) for row in rated.counts().counts if row.sum()]
    mean = bootstrap_mean([bit for bit in bits if bit is not None], resamples=RESAMPLES, seed=seed)
    yield _record("entropy", name, mean, base=2, sizes=rated.sizes())


def _welfare(folder: ReleaseFolder, criterion: str, rated: _Rated, seed: int) -> Iterator[Record]:
    """Mean over candidates of each one's welfare: overall and by generator."""
    if not folder.has_benchmark("jury"):
        return
    table = folder.benchmark("jury", ["candidate_id", "criterion", "welfare"])
    table = table.filter(pc.equal(table["criterion"], criterion)).sort_by("candidate_id")
    if not table.num_rows:
        return
    place = {name: code for code, name in enumerate(rated.names["candidate_id"])}
    first_row = np.full(len(place), -1)
    first_row[rated.codes["candidate_id"][::-1]] = np.arange(rated.values.size)[::-1]
    rows_of = np.array([first_row[place[name]] for name in table["candidate_id"].to_pylist()])
    generator_of = rated.codes["generator"][rows_of]
    groups: list[tuple[str | None, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]] = [
        (None, np.ones(table.num_rows, bool), np.ones(rated.values.size, bool))
    ]
    for name, rows in rated.groups("generator"):
        groups.append((name, generator_of == rated.names["generator"].index(str(name)), rows))
    for function in UNDEFINED_WELFARE:
        values = pc.struct_field(table["welfare"], function).to_numpy().astype(np.float64)
        for group, chosen, rows in groups:
            estimate = bootstrap_mean(values[chosen], resamples=RESAMPLES, seed=seed)
            if estimate.value is None:
                estimate = Estimate.undefined(UNDEFINED_WELFARE[function])
            by = "generator" if group else None
            sizes = rated.sizes(rows)
            yield _record(f"welfare.{function}", criterion, estimate, group_by=by, group=group, sizes=sizes)


def _record(
    metric: str,
    criterion: str,
    estimate: Estimate,
    *,
    level: str | None = None,
    group_by: str | None = None,
    group: str | None = None,
    base: int | None = None,
    sizes: dict[str, int] | None = None,
) -> Record:
    found = asdict(estimate) | (sizes or {})
    return {
        "metric": metric,
        "criterion": criterion,
        "level": level,
        "group_by": group_by,
        "group": group,
        "other_group": None,
        "value": found["value"],
        "low": found["low"],
        "high": found["high"],
        "ci_method": found["ci_method"],
        "n_items": found["n_items"],
        "n_annotators": found["n_annotators"],
        "n_ratings": found["n_ratings"],
        "seed": found["seed"],
        "base": base,
        "undefined_reason": found["undefined_reason"],
    }
