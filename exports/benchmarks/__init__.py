"""The kinds of pluralistic benchmark a release can hold, one file each."""

from exports.benchmarks.benchmark import Benchmark
from exports.benchmarks.jury import JURY

# Kinds without an entry in BENCHMARKS are named in MANIFEST.json, with the reason.
KINDS = ("jury", "multi_objective", "trade_off", "overton", "steerable", "distributional")
BENCHMARKS: dict[str, Benchmark] = {JURY.name: JURY}

__all__ = ["BENCHMARKS", "KINDS", "Benchmark"]
