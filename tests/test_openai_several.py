"""Tests of several responses in one call (`n`) to servers that do, refuse or ignore it."""

import json

import pytest

from collector.providers.base import ProviderError
from tests.answering import ask, completion, provider, serve

__all__ = ["serve"]  # a fixture


def several(texts, **fields):
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for index, text in enumerate(texts)
    ]
    return json.dumps({"id": "chatcmpl-9", "choices": choices} | fields).encode()


def obey(handler):
    """Gives as many responses as are asked for."""
    asked = handler.body.get("n", 1)
    usage = {"prompt_tokens": 9, "completion_tokens": 10 * asked}
    seed = handler.body["seed"]
    handler.reply(200, several([f"By {seed} + {n}." for n in range(asked)], usage=usage))


def test_requests_of_one_prompt_and_settings_are_one_call(serve):
    server = serve(obey)
    requests = [ask("Why?", seed=5), ask("How?", seed=1), ask("Why?", seed=6), ask("Why?", seed=7)]
    results = provider(server, n=True).generate([*requests, ask("Why?", seed=8, temperature=0.1)])

    assert [result.text for result in results] == [
        *("By 5 + 0.", "By 1 + 0.", "By 5 + 1.", "By 5 + 2.", "By 8 + 0."),
    ]
    assert sorted(handler.body.get("n", 1) for handler in server.asked) == [1, 1, 3]


def test_a_number_says_how_many_at_most(serve):
    server = serve(obey)
    results = provider(server, n=4).generate([ask(seed=seed) for seed in range(10)])

    assert [result.text for result in results[3:6]] == ["By 0 + 3.", "By 4 + 0.", "By 4 + 1."]
    assert sorted(handler.body["n"] for handler in server.asked) == [2, 4, 4]


@pytest.mark.parametrize("option", [{}, {"n": False}, {"n": 1}])
def test_without_the_option_each_is_a_call(serve, option):
    server = serve(obey)
    provider(server, **option).generate([ask(seed=1), ask(seed=2)])

    assert [handler.body.get("n") for handler in server.asked] == [None, None]


def test_provenance_says_which_choice_of_which_call_it_was(serve):
    requests = [ask(seed=2**31 + 5), ask(seed=6)]
    first, second = provider(serve(obey), n=True).generate(requests)

    assert first.provenance["choice_index"] == 0
    assert second.provenance == {
        "endpoint_host": "127.0.0.1",
        "request_id": "chatcmpl-9",
        "finish_reason": "stop",
        "seed_sent": 5,
        "choice_index": 1,
        "choices_in_call": 2,
        # 9 tokens of prompt are 4 + 5, as they were read and paid once; 20 new ones by length of text
        "prompt_tokens": 5,
        "new_tokens": 10,
        "call_prompt_tokens": 9,
        "call_new_tokens": 20,
    }


def test_shares_of_tokens_add_up_and_follow_the_length_of_the_texts(serve):
    body = several(["a" * 10, "", "a" * 20], usage={"prompt_tokens": 10, "completion_tokens": 31})
    results = provider(serve(lambda handler: handler.reply(200, body)), n=True).generate([ask()] * 3)

    assert [result.provenance["prompt_tokens"] for result in results] == [3, 4, 3]
    assert [result.provenance["new_tokens"] for result in results] == [10, 0, 21]


def test_of_a_server_that_counts_the_first_choice_only_the_others_are_reckoned(serve):
    body = several(["a" * 10, "a" * 25], usage={"prompt_tokens": 10, "completion_tokens": 4}, timings={})
    results = provider(serve(lambda handler: handler.reply(200, body)), n=True).generate([ask()] * 2)

    assert [result.provenance["new_tokens"] for result in results] == [4, 10]
    assert not any("call_new_tokens" in result.provenance for result in results)


def test_a_server_that_ignores_n_is_asked_for_the_rest_one_by_one(serve):
    def ignore(handler):
        handler.reply(200, completion(f"By {handler.body['seed']}."))

    server = serve(ignore)
    results = provider(server, n=True).generate([ask(seed=seed) for seed in (5, 6, 7)])

    assert [result.text for result in results] == ["By 5.", "By 6.", "By 7."]
    assert len(server.asked) == 3
    assert "choice_index" not in results[0].provenance


def test_a_server_that_refuses_n_is_asked_one_by_one(serve, settings):
    settings.OPENAI_CONCURRENCY = 1

    def refuse(handler):
        if "n" in handler.body:
            handler.reply(400, b"{}")
        else:
            handler.reply(200, completion(f"By {handler.body['seed']}."))

    server = serve(refuse)
    questions = [ask(question, seed=seed) for question in ("Why?", "How?") for seed in (5, 6)]
    results = provider(server, n=True).generate(questions)

    assert [result.text for result in results] == ["By 5.", "By 6.", "By 5.", "By 6."]
    assert [handler.body.get("n", 1) for handler in server.asked] == [2, 1, 1, 1, 1]  # n was tried once


def test_trouble_with_one_call_is_trouble_with_all_its_requests(serve, monkeypatch):
    monkeypatch.setattr("collector.providers.openai_compatible.FIRST_PAUSE", 0.01)
    results = provider(serve(lambda handler: handler.reply(500)), n=True).generate([ask(), ask()])

    assert [(type(result), result.permanent) for result in results] == [(ProviderError, False)] * 2


def test_more_choices_than_were_asked_for_are_left(serve):
    body = several(["One.", "Two.", "Three."])
    results = provider(serve(lambda handler: handler.reply(200, body)), n=True).generate([ask(), ask()])

    assert [result.text for result in results] == ["One.", "Two."]
