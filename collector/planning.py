"""Planning candidates: one row for each response that a generator still owes a campaign.

A plan is prompts x steerings x samples. Planning adds what is missing and takes nothing away.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.text import slugify

from collector.models import ID_LENGTH, Candidate, Generator, Prompt
from collector.providers import PROVIDERS
from collector.providers.base import Provider
from collector.steering import unlike_labels
from collector.steering_spec import label_of

# Memory holds the plan of so many candidates at a time, or of one prompt where that has more.
ROWS_AT_ONCE = 5000
PROMPTS_AT_ONCE = 500


class UnknownProvider(Exception):
    """The generator names a provider that does not exist."""


class Place(NamedTuple):
    """One cell of the plan."""

    prompt: Prompt
    label: str  # the steering's
    sample: int


def provider_class(generator: Generator) -> type[Provider]:
    """The generator's provider; raises UnknownProvider."""
    try:
        return PROVIDERS[generator.provider]
    except KeyError:
        raise UnknownProvider(
            f'generator "{generator.name}": there is no provider "{generator.provider}"; '
            f"there are {', '.join(sorted(PROVIDERS))}"
        ) from None


def plan_candidates(generator: Generator) -> int:
    """Adds a planned candidate for every prompt, steering and sample that has none; returns how many.

    Planning twice, or twice at once, adds nothing; samples and steerings that are no longer wanted keep
    theirs. Works through the prompts a few at a time, each few with as many queries, and stored at once.
    """
    if not provider_class(generator).generates:
        return 0
    before = generator.candidates.count()
    labels = [label_of(entry) for entry in generator.steering_plan]
    for prompts in _some_prompts(generator):
        plan_places(
            generator, [Place(*place) for place in product(prompts, labels, range(generator.samples))]
        )
    return generator.candidates.count() - before


def plan_places(generator: Generator, places: list[Place]) -> None:
    """Plans a candidate for each of these places that has none; one insert ignores what is there by then."""
    chained = unlike_labels(generator)
    # A candidate whose id is taken by another place is given a longer one.
    for make_id in (candidate_id, _longer_candidate_id):
        Candidate.objects.bulk_create(
            [
                Candidate(
                    campaign_id=generator.campaign_id,
                    prompt=place.prompt,
                    generator=generator,
                    steering=place.label,
                    sample_index=place.sample,
                    follows_earlier=place.label in chained and place.sample > 0,
                    external_id=make_id(place.prompt, generator, place.sample, place.label),
                    temperature=generator.temperature,
                    seed=candidate_seed(place.prompt, generator, place.sample, place.label),
                )
                for place in _missing(generator, places)
            ],
            ignore_conflicts=True,
        )


def candidate_id(prompt: Prompt, generator: Generator, index: int, label: str = "") -> str:
    """`prompt-generator-label-index`, or a shortened form of it where that is longer than an id may be."""
    plain = prompt.external_id + _tail(generator, index, label)
    return plain if len(plain) <= ID_LENGTH else _longer_candidate_id(prompt, generator, index, label)


def candidate_seed(prompt: Prompt, generator: Generator, index: int, label: str = "") -> int:
    """From nothing but the campaign's and generator's seeds and the names; exact in JSON and float64."""
    names = (generator.name, str(generator.seed), prompt.external_id, *_steered(label), str(index))
    return int.from_bytes(_digest((generator.campaign.seed, *names))[:6])


def _longer_candidate_id(prompt: Prompt, generator: Generator, index: int, label: str = "") -> str:
    digest = _digest((prompt.external_id, generator.name, *_steered(label), str(index)))
    tail = f"{_tail(generator, index, label)}~{digest.hex()[:12]}"
    return prompt.external_id[: ID_LENGTH - len(tail)] + tail


def _tail(generator: Generator, index: int, label: str) -> str:
    slug = slugify(label, allow_unicode=True)[:64]
    return f"-{generator.name}-{slug}-{index}" if slug else f"-{generator.name}-{index}"


def _steered(label: str) -> tuple[str, ...]:
    """What a label adds to a digest; nothing where there is none, as before there were labels."""
    return (f"steering {label}",) if label else ()


def _missing(generator: Generator, places: list[Place]) -> list[Place]:
    prompts = {place.prompt.pk for place in places}
    planned: set[tuple[Any, ...]] = set(
        generator.candidates.filter(prompt__in=prompts).values_list("prompt_id", "steering", "sample_index")
    )
    return [place for place in places if (place.prompt.pk, place.label, place.sample) not in planned]


def _some_prompts(generator: Generator) -> Iterator[list[Prompt]]:
    """The campaign's prompts in order, a few to a query: no cursor stays open beside the writing."""
    each = generator.samples * len(generator.steering_plan)
    size = max(1, min(PROMPTS_AT_ONCE, ROWS_AT_ONCE // each))
    rest = (
        generator.campaign.prompts.judged()
        .order_by("position", "pk")
        .only("campaign", "external_id", "position")
    )
    some = list(rest[:size])
    while some:
        yield some
        last = some[-1]
        after = Q(position__gt=last.position) | Q(position=last.position, pk__gt=last.pk)
        some = list(rest.filter(after, position__gte=last.position)[:size])


def _digest(parts: Iterable[str]) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
