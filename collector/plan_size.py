"""How much a plan asks for, known before anything is generated: candidates, and the most tokens and money."""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from django.db.models import Count, Func, IntegerField, Sum, TextField
from django.db.models.functions import Cast, Coalesce

from collector.models import Campaign, Candidate, Criterion, Generator, Prompt
from collector.providers import PROVIDERS
from collector.steering import MOST_EARLIER, to_messages
from collector.steering_spec import Kind, kind_of, label_of

# What a chat template adds to a conversation, generously.
TEMPLATE_TOKENS = 64
MILLION = 1_000_000


class PlanSize(NamedTuple):
    """One generator's plan; `cost` is in US dollars, None without a price."""

    generator: Generator
    prompts: int
    steerings: int
    samples: int  # where so many are to be distinct, the most that may be drawn
    candidates: int
    new_tokens: int  # at most
    prompt_tokens: int  # at most
    cost: float | None  # at most


class Totals(NamedTuple):
    """The sizes of all plans of a campaign together."""

    candidates: int
    new_tokens: int
    cost: float | None


class _Bytes(Func):
    """The length of a text in UTF-8 bytes: no tokenizer makes more tokens than that."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler, connection, **context):  # type: ignore[no-untyped-def]
        # OCTET_LENGTH came to SQLite in 3.43 only.
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)


def plan_sizes(campaign: Campaign) -> list[PlanSize]:
    """The whole plan of every generator that makes candidates, whether or not some are there already."""
    prompts = campaign.prompts.order_by().aggregate(
        n=Count("pk"),
        text=Coalesce(Sum(_Bytes("text")), 0),
        messages=Coalesce(Sum(_Bytes(Cast("messages", TextField()))), 0),
    )
    languages = list(campaign.prompts.order_by("language").values_list("language", flat=True).distinct())
    criteria = list(campaign.criteria.all())
    prompt_bytes = prompts["text"] + prompts["messages"]
    return [
        _size(generator, prompts["n"], prompt_bytes, languages, criteria)
        for generator in campaign.generators.order_by("pk")
        if (provider := PROVIDERS.get(generator.provider)) and provider.generates
    ]


def count_unplanned(campaign: Campaign) -> dict[int, int]:
    """By generator, how many candidates of its plan are not even planned yet; 0 where it makes none."""
    generators = {generator.pk: generator for generator in campaign.generators.all()}
    planned = Candidate.objects.filter(generator__in=generators).order_by()
    # Counted in the index `candidate_plan`, which a condition on the generator's samples would leave.
    rows = planned.values_list("generator_id", "steering", "sample_index").annotate(n=Count("*"))
    there: Counter[tuple[int, str]] = Counter()
    for generator_id, label, index, n in rows:
        if index < generators[generator_id].samples:
            there[generator_id, label] += n
    prompts = campaign.prompts.count()
    return {
        generator.pk: sum(
            prompts * generator.samples - there[generator.pk, label_of(entry)]
            for entry in generator.steering_plan
        )
        if (provider := PROVIDERS.get(generator.provider)) and provider.generates
        else 0
        for generator in generators.values()
    }


def total_size(sizes: Sequence[PlanSize]) -> Totals:
    costs = [size.cost for size in sizes if size.cost is not None]
    return Totals(
        sum(size.candidates for size in sizes),
        sum(size.new_tokens for size in sizes),
        sum(costs) if costs else None,
    )


def _size(
    generator: Generator,
    prompts: int,
    prompt_bytes: int,
    languages: Sequence[str],
    criteria: Sequence[Criterion],
) -> PlanSize:
    plan = generator.steering_plan
    samples = most_samples(generator)
    candidates = prompts * samples * len(plan)
    said = sum(_most_said(entry, languages, criteria) for entry in plan)
    chains = sum(kind_of(entry) == Kind.UNLIKE for entry in plan)
    earlier = sum(min(index, MOST_EARLIER) for index in range(samples)) * generator.max_new_tokens
    prompt_tokens = (
        candidates * TEMPLATE_TOKENS
        + samples * (len(plan) * prompt_bytes + prompts * said)
        + prompts * chains * earlier
    )
    new_tokens = candidates * generator.max_new_tokens
    return PlanSize(
        generator,
        prompts,
        len(plan),
        samples,
        candidates,
        new_tokens,
        prompt_tokens,
        _cost(generator, prompt_tokens, new_tokens),
    )


def most_samples(generator: Generator) -> int:
    """How often each prompt is asked under each steering, at most."""
    if generator.distinct_samples is None:
        return generator.samples
    return max(generator.samples, generator.max_samples or 0, generator.distinct_samples)


def _most_said(entry: dict[str, object], languages: Sequence[str], criteria: Sequence[Criterion]) -> int:
    """The bytes of what the steering says, in the language in which that takes most."""
    openings = [
        to_messages(Prompt(language=code), entry, earlier=[""], criteria=criteria) for code in languages
    ]
    return max((len(opening[0]["content"].encode()) for opening in openings if len(opening) > 1), default=0)


def _cost(generator: Generator, prompt_tokens: int, new_tokens: int) -> float | None:
    """Rounded up to a cent; an unnamed price counts as nothing where the other is named."""
    prices = generator.prompt_token_price, generator.new_token_price
    if prices == (None, None):
        return None
    dollars = (prompt_tokens * (prices[0] or 0) + new_tokens * (prices[1] or 0)) / MILLION
    return ceil(round(dollars * 100, 6)) / 100
