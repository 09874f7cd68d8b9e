"""Tests of streams from an OpenAI-compatible server: pieces as they come, and no part taken for the whole."""

import json
import time

import pytest

from collector.providers.base import ProviderError, Response
from collector.providers.server_events import LONGEST_EVENT, BrokenEvents, read_events
from tests.answering import ask, completion, provider, serve
from tests.test_streaming import read

__all__ = ["serve"]  # a fixture


def chunk(text=None, finish_reason=None, **fields):
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish_reason}
    return {"id": "chatcmpl-7", "model": "some-model-v2", "choices": [choice]} | fields


def pour(*events, end=True, wait=0.0):
    """Streams these events, in chunks as servers do; without `end` the connection breaks after the last."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream; charset=utf-8")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for event in events:
            data = event if isinstance(event, bytes) else f"data: {json.dumps(event)}\n\n".encode()
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            time.sleep(wait)
        if end:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    return answer


DONE = b"data: [DONE]\n\n"
GOOD = [chunk("Be"), chunk("cause."), chunk(finish_reason="stop")]


def stream(server):
    return provider(server).stream(ask("Why?", seed=2**31 + 3))


def test_pieces_come_as_they_are_sent(serve):
    pieces = stream(serve(pour(*GOOD, DONE, wait=0.3)))
    started = time.monotonic()

    assert next(pieces) == "Be"
    assert time.monotonic() - started < 0.3
    assert list(pieces) == ["cause."]


def test_at_the_end_it_is_known_how_the_response_came_about(serve):
    usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}
    server = serve(pour(b": be patient\n\n", chunk(), *GOOD, usage, DONE))
    pieces, response = read(stream(server))

    assert pieces == ["Be", "cause."]
    assert response == Response(
        "Because.",
        {
            "endpoint_host": "127.0.0.1",
            "model_answered": "some-model-v2",
            "request_id": "chatcmpl-7",
            "finish_reason": "stop",
            "prompt_tokens": 9,
            "new_tokens": 2,
            "seed_sent": 3,
        },
    )
    asked = server.asked[0].body
    assert (asked["stream"], asked["stream_options"]) == (True, {"include_usage": True})


def test_a_response_whose_end_was_said_needs_no_mark_of_the_end(serve):
    assert read(stream(serve(pour(*GOOD))))[1].text == "Because."


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (pour(*GOOD[:2]), "broke off"),
        (pour(*GOOD[:2], end=False), "gave no answer"),
        (pour(), "broke off"),
        (pour(DONE), "broke off"),
        (pour(chunk("Be"), {"error": {"message": "a secret"}}), "trouble in the middle"),
        (pour(chunk("Be"), b"data: {not json\n\n"), "other than events"),
        (pour(b"data: " + b"[" * 100_000 + b"\n\n"), "other than events"),
        (pour(b"data: [1, 2]\n\n"), "trouble"),
        (pour({"choices": [None]}), "without a response"),
        (pour({"choices": {"a": 1}}), "without a response"),
        (pour({"choices": [{"delta": {"content": [1]}}]}), "other than text"),
        (pour(b"data: " + b"x" * (LONGEST_EVENT + 1)), "other than events"),
        (lambda handler: handler.reply(200, b"garbage", Content_Type="text/html"), "without a response"),
        (lambda handler: handler.reply(500, b"a secret"), "answered 500: it has trouble"),
    ],
)
def test_what_is_no_whole_response_is_an_error(serve, events, words):
    with pytest.raises(ProviderError, match=words) as caught:
        list(stream(serve(events)))

    assert not caught.value.permanent
    assert "secret" not in str(caught.value)


def test_a_wait_that_is_asked_for_is_told(serve):
    with pytest.raises(ProviderError, match="too often") as caught:
        list(stream(serve(lambda handler: handler.reply(429, b"", Retry_After="7"))))

    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [302, 401, 404])
def test_what_is_permanent_says_so(serve, status):
    server = serve(lambda handler: handler.reply(status, b"", Location="http://127.0.0.1:1/"))
    with pytest.raises(ProviderError) as caught:
        list(stream(server))

    assert (caught.value.permanent, len(server.asked)) == (True, 1)


def test_a_server_that_knows_no_stream_options_is_asked_without(serve):
    def answer(handler):
        if "stream_options" in handler.body:
            handler.reply(422, b"{}")
        else:
            pour(*GOOD, DONE)(handler)

    assert "".join(stream(serve(answer))) == "Because."


def test_a_server_that_does_not_stream_answers_at_once(serve):
    server = serve(lambda handler: handler.reply(200, completion(), Content_Type="application/json"))
    pieces, response = read(stream(server))

    assert (pieces, response.provenance["finish_reason"]) == (["Because."], "stop")


def test_silence_ends_the_stream(serve, monkeypatch):
    monkeypatch.setattr("collector.providers.openai_compatible.SILENCE_SECONDS", 0.2)

    with pytest.raises(ProviderError, match="Timeout"):
        list(stream(serve(pour(*GOOD, wait=0.6))))


def test_a_stream_without_end_is_given_up(serve, monkeypatch):
    monkeypatch.setattr("collector.providers.openai_compatible.ANSWER_SECONDS", 0.3)
    with pytest.raises(ProviderError, match="took too long"):
        list(stream(serve(pour(*[chunk("and ")] * 100, wait=0.02))))

    monkeypatch.setattr("collector.providers.openai_compatible.MOST_STREAMED", 2000)
    with pytest.raises(ProviderError, match="longer than 2000 bytes"):
        list(stream(serve(pour(*[chunk("and ")] * 100))))


def test_whoever_stops_early_ends_the_call(serve):
    gone = []

    def answer(handler):
        try:
            pour(*[chunk("and ")] * 200, wait=0.02)(handler)
        except OSError:
            gone.append(True)

    pieces = stream(serve(answer))
    next(pieces)
    pieces.close()
    until = time.monotonic() + 3
    while not gone and time.monotonic() < until:
        time.sleep(0.02)

    assert gone


def test_pieces_hold_nothing_that_cannot_be_passed_on(serve):
    pieces, response = read(stream(serve(pour(chunk("a\0\ud800"), *GOOD, DONE))))

    assert response.text == "a?Because." == "".join(pieces)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_the_bytes_are_cut(size):
    sent = (
        "event: x\r\ndata: ü1\r\n\r\n: no\n\nid: 3\ndata:two\ndata: lines\n\ndata\n\ndata: cut off".encode()
    )
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]

    assert list(read_events(pieces)) == ["ü1", "two\nlines", ""]


def test_an_event_without_end_is_refused():
    for endless in ([b"x" * 1000] * 300, [b"data: y\n" * 100] * 400):
        with pytest.raises(BrokenEvents, match="longer than"):
            list(read_events(endless))
