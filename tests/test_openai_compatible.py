"""Tests of collector/providers/openai_compatible.py, on real servers."""

import json
import threading
import time
from datetime import UTC, datetime

import pytest

from collector.outbound import MAX_BODY
from collector.providers import PROVIDERS
from collector.providers.base import ProviderError, Response
from collector.providers.rate_limits import asked_wait
from tests.answering import ask, completion, provider, serve

__all__ = ["serve"]  # a fixture
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
KEY = "sk-a-key-that-nobody-may-see"


def refuse(status, **headers):
    """Answers with this status first, and with a response from then on."""

    def answer(handler):
        if len(handler.server.asked) == 1:
            handler.reply(
                status, json.dumps({"error": f"no {handler.headers['Authorization']}"}).encode(), **headers
            )
        else:
            handler.reply(200, completion())

    return answer


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr("collector.providers.openai_compatible.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("collector.providers.openai_wire.BUSY_SECONDS", 0.1)


@pytest.fixture(autouse=True)
def keys(settings):
    settings.OPENAI_API_KEYS = {"127.0.0.1": KEY, "other.example.org": "sk-other"}


def test_a_request_says_all_that_was_asked_for(serve):
    server = serve(lambda handler: handler.reply(200, completion()))
    request = ask("Why?", seed=2**40 + 7, temperature=0.3, top_p=0.8, max_new_tokens=11)

    [answer] = provider(server).generate([request])
    assert answer.text == "Because."
    assert server.asked[0].body == {
        "model": "some-model",
        "messages": [{"role": "user", "content": "Why?"}],
        "seed": 7,
        "temperature": 0.3,
        "top_p": 0.8,
        "max_tokens": 11,
        "stream": False,
    }
    assert server.asked[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_the_address_may_have_its_version_or_not(serve, path):
    server = serve(lambda handler: handler.reply(200, completion()))
    provider(server, path).generate([ask()])

    assert server.paths == ["/v1/chat/completions"]


def test_a_server_without_a_key_is_asked_without_one(serve, settings):
    settings.OPENAI_API_KEYS = {"other.example.org": "sk-other"}
    server = serve(lambda handler: handler.reply(200, completion()))
    provider(server).generate([ask()])

    assert server.asked[0].headers["Authorization"] is None


def test_provenance_says_who_answered(serve):
    body = completion(
        system_fingerprint="fp\0_1", usage={"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": "12"}
    )
    [answer] = provider(serve(lambda handler: handler.reply(200, body, X_Request_Id="req-5"))).generate(
        [ask()]
    )

    assert answer.provenance == {
        "endpoint_host": "127.0.0.1",
        "model_answered": "some-model-v2",
        "system_fingerprint": "fp_1",
        "finish_reason": "stop",
        "request_id": "req-5",
        "prompt_tokens": 9,
        "new_tokens": 3,
        "seed_sent": 0,
    }


def test_of_a_path_on_the_server_only_the_end_is_kept(serve):
    body = completion(model="/home/somebody/models/some-model.gguf")
    [answer] = provider(serve(lambda handler: handler.reply(200, body))).generate([ask()])

    assert answer.provenance["model_answered"] == "some-model.gguf"


def test_results_keep_their_order_and_no_more_are_asked_at_once_than_allowed(serve, settings):
    settings.OPENAI_CONCURRENCY = 3
    at_once, most, lock = 0, 0, threading.Lock()

    def answer(handler):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        question = handler.body["messages"][0]["content"]
        time.sleep(0.05 if int(question) % 2 else 0.1)
        with lock:
            at_once -= 1
        handler.reply(200, completion(f"On {question}"))

    results = provider(serve(answer)).generate([ask(str(n)) for n in range(12)])

    assert [result.text for result in results] == [f"On {n}" for n in range(12)]
    assert most == 3


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_what_is_temporary_is_tried_again(serve, status):
    server = serve(refuse(status))
    [result] = provider(server).generate([ask()])

    assert isinstance(result, Response)
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_is_permanent_is_not_tried_again_and_not_repeated_in_words(serve, status):
    server = serve(refuse(status))
    [result] = provider(server).generate([ask("A private question?")])

    assert isinstance(result, ProviderError)
    assert result.permanent
    assert str(result).startswith(f"127.0.0.1 answered {status}: ")
    assert not any(secret in str(result) for secret in (KEY, "Bearer", "private", "error"))
    assert len(server.asked) == 1


def test_a_short_wait_that_was_asked_for_is_waited_out_by_all(serve, settings):
    settings.OPENAI_CONCURRENCY = 1
    times = []
    refuse_once = refuse(429, Retry_After="1")

    def answer(handler):
        times.append(time.monotonic())
        refuse_once(handler)

    results = provider(serve(answer)).generate([ask("one"), ask("two")])

    assert all(isinstance(result, Response) for result in results)
    assert len(times) == 3
    assert times[1] - times[0] >= 1


def test_a_long_wait_is_left_to_the_rows_next_attempt(serve, settings):
    settings.OPENAI_CONCURRENCY = 1
    server = serve(lambda handler: handler.reply(503, b"", Retry_After="600"))
    started = time.monotonic()
    results = provider(server).generate([ask("one"), ask("two")])

    assert time.monotonic() - started < 5
    assert [result.permanent for result in results] == [False, False]
    assert all(590 < result.retry_after <= 601 for result in results)
    assert len(server.asked) == 1  # the second was not even asked


def test_a_server_that_stays_in_trouble_is_given_up_for_now(serve):
    server = serve(lambda handler: handler.reply(500, b"a trace with secrets"))
    [result] = provider(server).generate([ask()])

    assert (result.permanent, str(result)) == (False, "127.0.0.1 answered 500: it has trouble")
    assert len(server.asked) == 5


def test_a_connection_dropped_in_the_middle_is_tried_again(serve):
    def answer(handler):
        if len(handler.server.asked) == 1:
            handler.drop()
        else:
            handler.reply(200, completion())

    [result] = provider(serve(answer)).generate([ask()])

    assert isinstance(result, Response)


def test_an_answer_that_is_too_large_fails_for_good(serve):
    server = serve(lambda handler: handler.reply(200, b"x" * (MAX_BODY + 1)))
    [result] = provider(server).generate([ask()])

    assert (result.permanent, len(server.asked)) == (True, 1)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"not json", b"[]", b"{}", b"null", b'"text"', b'{"choices": null}', b'{"choices": [null]}'),
        *(b'{"choices": [{}]}', b'{"choices": [{"message": {"content": [1]}}]}', b"\xff\xfe", b"[" * 100_000),
        b'{"choices": []}',
        b"1" * 10_000,
    ],
)
def test_an_answer_without_a_response_is_temporary(serve, body):
    [result] = provider(serve(lambda handler: handler.reply(200, body))).generate([ask()])

    assert isinstance(result, ProviderError)
    assert not result.permanent
    assert str(result).startswith("127.0.0.1 answered with")


def test_strange_facts_about_an_answer_are_left_out(serve):
    body = completion("Yes.", model=7, usage=[1], id=None, system_fingerprint="x" * 999)
    [answer] = provider(serve(lambda handler: handler.reply(200, body))).generate([ask()])

    assert answer.text == "Yes."
    assert answer.provenance["system_fingerprint"] == "x" * 200
    assert {"model_answered", "prompt_tokens", "request_id"}.isdisjoint(answer.provenance)


@pytest.mark.parametrize(
    ("endpoint", "rule"),
    [("", "https"), ("http://169.254.169.254/latest", "host"), ("https://models.example.org", "not allowed")],
)
def test_a_forbidden_endpoint_fails_for_good_and_names_the_rule(endpoint, rule):
    with pytest.raises(ProviderError, match=f"^endpoint: .*{rule}") as caught:
        PROVIDERS["openai_compatible"]("m", {"endpoint": endpoint}).generate([ask()])

    assert caught.value.permanent


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "99999999"}, 3600),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Tue, 24 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "one day"}, None),
        ({"ratelimit-reset": "12"}, 12),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12),
    ],
)
def test_waits_are_read_from_headers(headers, seconds):
    assert asked_wait(headers, now=NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    "headers",
    [
        {"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "1s"},
        {"ratelimit_remaining": "0", "ratelimit_reset": "1"},
    ],
)
def test_a_spent_allowance_is_respected_before_the_server_has_to_refuse(serve, settings, headers):
    settings.OPENAI_CONCURRENCY = 1
    times = []

    def answer(handler):
        times.append(time.monotonic())
        handler.reply(200, completion(), **headers)

    provider(serve(answer)).generate([ask("one"), ask("two")])

    assert times[1] - times[0] >= 0.9


def test_a_server_that_is_too_busy_without_saying_how_long_is_waited_for(serve):
    server = serve(lambda handler: handler.reply(429, b""))
    [result] = provider(server).generate([ask()])

    assert (result.permanent, result.retry_after, len(server.asked)) == (False, 0.1, 5)


def test_a_server_that_is_not_there_is_waited_for(serve):
    server = serve(lambda handler: handler.reply(200))
    server.shutdown()
    server.server_close()
    [result] = provider(server).generate([ask()])

    assert (result.permanent, result.retry_after) == (False, 30)


def test_a_request_that_brought_its_server_down_is_not_waited_for(serve):
    def break_down(handler):
        handler.server.socket.close()
        handler.drop()

    [result] = provider(serve(break_down)).generate([ask()])

    assert (result.permanent, result.retry_after) == (False, 0)


def test_a_server_that_answers_slowly_is_given_up(serve, monkeypatch):
    monkeypatch.setattr("collector.providers.openai_compatible.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("collector.providers.openai_compatible.PATIENCE", 0.5)
    server = serve(lambda handler: time.sleep(1))
    [result] = provider(server).generate([ask()])

    assert str(result) == "127.0.0.1 gave no answer (ReadTimeoutError)"
    assert (result.permanent, result.retry_after) == (False, 0)


def test_a_redirect_fails_for_good_and_is_not_followed(serve):
    inner = serve(lambda handler: handler.reply(200, completion()))
    outer = serve(lambda handler: handler.reply(307, Location=f"http://127.0.0.1:{inner.server_port}/"))
    [result] = provider(outer).generate([ask()])

    assert (result.permanent, inner.asked) == (True, [])


def test_connections_are_kept_open(serve):
    server = serve(lambda handler: handler.reply(200, completion()))
    provider(server).generate([ask(str(n)) for n in range(20)])

    assert len({handler.client_address for handler in server.asked}) <= 8  # OPENAI_CONCURRENCY


def test_no_limit_on_probability_is_not_sent(serve):
    server = serve(lambda handler: handler.reply(200, completion()))
    provider(server).generate([ask(top_p=1.0)])

    assert "top_p" not in server.asked[0].body
