"""Tests of collector/costs.py: tokens and dollars at each candidate."""

from datetime import UTC, datetime

import pytest

from collector.costs import token_cost
from collector.generation import make_provider, start_generation, work_batch
from collector.models import Generator
from collector.providers.base import Provider, ProviderError, Response
from tests.builders import make_campaign, make_generator, make_prompt

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


class Listed(Provider):
    """Answers each call with the next of a list."""

    def generate(self, requests):
        return [self.options["answers"].pop(0) for _request in requests]


def generate(*answers, **prices):
    campaign = make_campaign()
    make_prompt(campaign)
    make_generator(campaign, provider="scripted", **prices)
    [run] = start_generation(campaign, now=NOW, publish=False)
    provider = Listed("", {"answers": list(answers)})
    for _answer in answers:
        work_batch(run, provider, now=NOW)
    return run.candidates.get()


def answer(text="Because.", **counts):
    return Response(text, {"prompt_tokens": 1000, "new_tokens": 200} | counts)


@pytest.mark.parametrize(
    ("prices", "tokens", "cost"),
    [
        # 1000 * 2 / 1e6 + 200 * 10 / 1e6
        ((2.0, 10.0), (1000, 200), 0.004),
        ((None, 10.0), (1000, 200), 0.002),
        ((None, 10.0), (None, 200), 0.002),
        ((0.0, 0.0), (1000, 200), 0.0),
        ((None, None), (1000, 200), None),
        ((2.0, 10.0), (1000, None), None),
    ],
)
def test_cost_is_tokens_times_prices_and_unknown_where_either_is(prices, tokens, cost):
    generator = Generator(prompt_token_price=prices[0], new_token_price=prices[1])

    assert token_cost(generator, *tokens) == (cost if cost is None else pytest.approx(cost))


@pytest.mark.django_db
def test_a_candidate_knows_its_tokens_and_cost():
    candidate = generate(answer(), prompt_token_price=2.0, new_token_price=10.0)

    assert (candidate.prompt_tokens, candidate.new_tokens) == (1000, 200)
    assert candidate.cost == pytest.approx(0.004)


@pytest.mark.django_db
def test_without_prices_the_tokens_are_counted_all_the_same():
    candidate = generate(answer())

    assert (candidate.prompt_tokens, candidate.new_tokens, candidate.cost) == (1000, 200, None)


@pytest.mark.django_db
def test_an_empty_response_is_paid_for_too():
    prices = {"prompt_token_price": 2.0, "new_token_price": 10.0}
    candidate = generate(answer("", new_tokens=1), answer(), **prices)

    # 1000 * 2 / 1e6 + 1 * 10 / 1e6, then 0.004
    assert (candidate.state, candidate.new_tokens) == ("done", 200)
    assert candidate.cost == pytest.approx(0.00201 + 0.004)


@pytest.mark.django_db
def test_a_response_without_counts_leaves_them_unknown():
    candidate = generate(Response("Because."), prompt_token_price=2.0)

    assert (candidate.prompt_tokens, candidate.new_tokens, candidate.cost) == (None, None, None)


@pytest.mark.django_db
def test_an_error_costs_nothing():
    candidate = generate(ProviderError("no", permanent=True), prompt_token_price=2.0)

    assert (candidate.state, candidate.cost) == ("failed", None)


@pytest.mark.django_db
def test_scripted_counts_words():
    campaign = make_campaign()
    make_prompt(campaign, text="Is work a duty?")
    generator = make_generator(campaign, provider="scripted", prompt_token_price=1e6)
    [run] = start_generation(campaign, now=NOW, publish=False)
    work_batch(run, make_provider(generator), now=NOW)
    candidate = run.candidates.get()
    assert (candidate.prompt_tokens, candidate.cost) == (4, 4.0)
    assert candidate.new_tokens == len(candidate.text.split())
