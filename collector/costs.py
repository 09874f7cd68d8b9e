"""What candidates cost: the tokens that providers counted, at the generator's prices."""

from typing import Any

from collector.models import Candidate, Generator
from collector.providers.base import Response

PER_TOKEN = 1e-6  # prices are for a million


def token_cost(generator: Generator, prompt_tokens: int | None, new_tokens: int | None) -> float | None:
    """US dollars for so many tokens; None without a price, or where tokens that have one were not counted."""
    priced = [
        (price, tokens)
        for price, tokens in (
            (generator.prompt_token_price, prompt_tokens),
            (generator.new_token_price, new_tokens),
        )
        if price is not None
    ]
    if not priced or any(tokens is None for _price, tokens in priced):
        return None
    return sum(price * (tokens or 0) * PER_TOKEN for price, tokens in priced)


def cost_changes(candidate: Candidate, response: Response) -> dict[str, Any]:
    """The response's tokens, and its cost on top of what earlier responses for this candidate cost."""
    counts = {name: response.provenance.get(name) for name in ("prompt_tokens", "new_tokens")}
    cost = token_cost(candidate.generator, **counts)
    spent = [each for each in (candidate.cost, cost) if each is not None]
    return {**counts, "cost": sum(spent) if spent else None}
