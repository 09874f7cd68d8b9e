"""Tests of Provider.stream for live conversations; servers' streams: test_openai_compatible.py."""

import pytest

from collector.providers import PROVIDERS
from collector.providers.base import Provider, ProviderError, Request, Response

REQUEST = Request([{"role": "user", "content": "Why do you think so?"}], seed=3)


class Whole(Provider):
    """A provider that only knows whole responses."""

    def generate(self, requests):
        known = self.options.get("error") or Response("All of it.", {"new_tokens": 3})
        return [known for _request in requests]


def read(stream):
    """The pieces, and what the stream returned."""
    pieces = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return pieces, end.value


def test_a_provider_that_cannot_stream_yields_the_whole_text():
    assert read(Whole().stream(REQUEST)) == (["All of it."], Response("All of it.", {"new_tokens": 3}))


def test_an_error_in_place_of_a_response_is_raised():
    with pytest.raises(ProviderError, match="no such model"):
        list(Whole("", {"error": ProviderError("no such model", permanent=True)}).stream(REQUEST))


def test_scripted_streams_word_by_word_what_it_generates():
    pieces, response = read(PROVIDERS["scripted"]().stream(REQUEST))

    assert [response] == PROVIDERS["scripted"]().generate([REQUEST])
    assert "".join(pieces) == response.text
    assert len(pieces) == len(response.text.split()) > 5


def test_imported_has_nothing_to_stream():
    with pytest.raises(ProviderError, match="cannot be generated"):
        list(PROVIDERS["imported"]().stream(REQUEST))
