"""Third and later attributes: each jury gets a like mix of them, as far as the strata's seats allow.

Seats for every combination of many attributes cannot be promised: one person would have to fit many margins
at once. Minimisation (Pocock and Simon 1975) sends each arrival where the fewest of their kind sit already.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from annotations.models import Seat
from collector.models import Campaign

ACTIVE = (Seat.State.HELD, Seat.State.FILLED)
Loads = Mapping[tuple[str, str], int]


class Balance(NamedTuple):
    """How evenly one level is spread over the juries."""

    attribute: str
    level: str
    seats: int  # over all juries
    share: float  # of all seats
    largest_deviation: float  # seats by which the worst jury is off that share


def loads_of(prompts: Collection[int]) -> dict[int, Loads]:
    """How often each (attribute, level) sits on each prompt's jury now; one query."""
    loads: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    seats = Seat.objects.filter(prompt__in=prompts, state__in=ACTIVE, repeat_index=0).order_by()
    for prompt, levels in seats.values_list("prompt", "annotator__soft_levels"):
        loads[prompt].update(levels.items())
    return dict(loads)


def soft_balance(campaign: Campaign) -> list[Balance]:
    """Every level of the soft targets: its share of the seats, and how far the worst jury is from it."""
    counts: Counter[tuple[int, str, str]] = Counter()
    sizes: Counter[int] = Counter()
    seats = Seat.objects.filter(campaign=campaign, state__in=ACTIVE, repeat_index=0).order_by()
    rows = seats.values_list("prompt", "annotator__soft_levels")
    for prompt, levels in rows.iterator(chunk_size=5000):
        sizes[prompt] += 1
        counts.update((prompt, *level) for level in levels.items())
    return [
        _balance(target["attribute"], level, counts, sizes)
        for target in campaign.soft_targets
        for level in target["levels"]
    ]


def _balance(
    attribute: str, level: str, counts: Counter[tuple[int, str, str]], sizes: Counter[int]
) -> Balance:
    total = sum(counts[prompt, attribute, level] for prompt in sizes)
    share = total / sizes.total() if sizes else 0.0
    deviations = (abs(counts[prompt, attribute, level] - share * size) for prompt, size in sizes.items())
    return Balance(attribute, level, total, share, max(deviations, default=0.0))
