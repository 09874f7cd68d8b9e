"""What a kind of benchmark is: the rows it makes of a release's tables, or why it cannot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.utils.functional import Promise

from exports.release_folder import ReleaseFolder


@dataclass(frozen=True)
class Benchmark:
    """One kind: `rows(folder, seed)` yields (split, row) in a fixed order; `why_not` says what data lack."""

    name: str
    meaning: str | Promise
    schema: pa.Schema
    rows: Callable[[ReleaseFolder, int], Iterator[tuple[str, dict[str, Any]]]]
    why_not: Callable[[ReleaseFolder], str | None]
