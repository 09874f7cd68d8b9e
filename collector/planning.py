"""Planning candidates: one row for each response that a generator still owes a campaign."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

from collector.models import ID_LENGTH, Candidate, Generator, Prompt
from collector.providers import PROVIDERS
from collector.providers.base import Provider

PROMPTS_AT_ONCE = 500


class UnknownProvider(Exception):
    """The generator names a provider that does not exist."""


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
    """Adds a planned candidate for every prompt and sample that has none; returns how many were added.

    Planning twice, or twice at once, adds nothing.
    """
    if not provider_class(generator).generates:
        return 0
    before = generator.candidates.count()
    prompts = generator.campaign.prompts.order_by("position", "pk").only("pk", "external_id")
    for some in _chunks(prompts.iterator(chunk_size=PROMPTS_AT_ONCE)):
        # A candidate whose id is taken by another pair of prompt and generator is given a longer one.
        for make_id in (candidate_id, _longer_candidate_id):
            Candidate.objects.bulk_create(
                [
                    Candidate(
                        campaign_id=generator.campaign_id,
                        prompt=prompt,
                        generator=generator,
                        sample_index=index,
                        external_id=make_id(prompt, generator, index),
                        steering=generator.steering_label,
                        temperature=generator.temperature,
                        seed=candidate_seed(prompt, generator, index),
                    )
                    for prompt, index in _missing(generator, some)
                ],
                ignore_conflicts=True,
            )
    return generator.candidates.count() - before


def candidate_id(prompt: Prompt, generator: Generator, index: int) -> str:
    """`prompt-generator-index`, or a shortened form of it where that is longer than an id may be."""
    plain = f"{prompt.external_id}-{generator.name}-{index}"
    return plain if len(plain) <= ID_LENGTH else _longer_candidate_id(prompt, generator, index)


def candidate_seed(prompt: Prompt, generator: Generator, index: int) -> int:
    """From nothing but the campaign's and generator's seeds and the names; exact in JSON and float64."""
    parts = (generator.campaign.seed, generator.name, str(generator.seed), prompt.external_id, str(index))
    return int.from_bytes(_digest(parts)[:6])


def _longer_candidate_id(prompt: Prompt, generator: Generator, index: int) -> str:
    tail = f"-{generator.name}-{index}~{_digest((prompt.external_id, generator.name, str(index))).hex()[:12]}"
    return prompt.external_id[: ID_LENGTH - len(tail)] + tail


def _missing(generator: Generator, prompts: list[Prompt]) -> list[tuple[Prompt, int]]:
    planned = set(generator.candidates.filter(prompt__in=prompts).values_list("prompt_id", "sample_index"))
    wanted = [(prompt, index) for prompt in prompts for index in range(generator.samples)]
    return [(prompt, index) for prompt, index in wanted if (prompt.pk, index) not in planned]


def _chunks(prompts: Iterable[Prompt]) -> Iterator[list[Prompt]]:
    rest = iter(prompts)
    while some := list(islice(rest, PROMPTS_AT_ONCE)):
        yield some


def _digest(parts: Iterable[str]) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
