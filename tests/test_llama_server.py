"""Tests of the provider openai_compatible on a real server: llama.cpp's, with the packaged SmolLM2."""

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from collector.generation import start_generation, work_batch
from collector.models import Candidate
from collector.outbound import Channel
from collector.providers import PROVIDERS
from collector.providers.base import ProviderError, Response
from tests.answering import ask
from tests.builders import make_campaign, make_generator, make_prompt
from tests.llama_server import start_llama
from tests.test_streaming import read

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def llama():
    with start_llama() as (address, _process):
        yield address


def reach(address, settings, **options):
    settings.PROVIDER_HOSTS, settings.OPENAI_API_KEYS = [address], {}
    return PROVIDERS["openai_compatible"]("smollm2", {"endpoint": address, **options})


def plan(address, prompts, **fields):
    campaign = make_campaign()
    for number in range(prompts):
        make_prompt(campaign, text=f"Is rule {number} a good one?")
    make_generator(
        campaign,
        provider="openai_compatible",
        model="smollm2",
        temperature=1.0,
        **{"extra": {"endpoint": address}} | fields,
    )
    return start_generation(campaign, now=NOW, publish=False)[0]


@pytest.mark.django_db
def test_it_makes_a_campaigns_candidates(llama, settings):
    run = plan(llama, prompts=3, samples=2, max_new_tokens=8)
    work_batch(run, reach(llama, settings), now=NOW)

    candidates = list(run.candidates.all())
    assert [candidate.state for candidate in candidates] == ["done"] * 6
    assert len({candidate.text for candidate in candidates}) == 6
    known = candidates[0].provenance
    assert known["model_answered"] == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert (known["endpoint_host"], known["finish_reason"]) == ("127.0.0.1", "length")
    assert known["new_tokens"] == 8
    assert known["prompt_tokens"] > 5


def test_what_is_too_long_is_refused_for_good(llama, settings):
    reached = reach(llama + "/v1", settings)
    settings.PROVIDER_HOSTS = [llama]
    long, short = reached.generate([ask("word " * 9000), ask("Hello!", max_new_tokens=4)])

    assert isinstance(long, ProviderError)
    assert long.permanent
    assert "answered 400" in str(long)
    assert isinstance(short, Response)
    with pytest.raises(ProviderError, match="answered 400") as caught:
        list(reached.stream(ask("word " * 9000)))
    assert caught.value.permanent


def test_a_seed_gives_the_same_text_whole_and_streamed(llama, settings):
    request = ask("Why is the sky blue?", seed=5, temperature=1.0, max_new_tokens=16)
    [whole] = reach(llama, settings).generate([request])
    [other] = reach(llama, settings).generate([ask("Why is the sky blue?", seed=9, max_new_tokens=16)])
    pieces, streamed = read(reach(llama, settings).stream(request))

    assert "".join(pieces) == streamed.text == whole.text != other.text
    assert len(pieces) > 8
    same = ("model_answered", "finish_reason", "prompt_tokens", "new_tokens", "seed_sent")
    assert all(streamed.provenance[name] == whole.provenance[name] for name in same)


def test_of_several_responses_in_one_call_each_is_drawn_by_seed_and_index(llama, settings):
    requests = [ask(seed=seed, temperature=1.0, max_new_tokens=8) for seed in (5, 70, 800)]
    together = reach(llama, settings, n=True).generate(requests)
    alone = reach(llama, settings).generate(
        [ask(seed=seed, temperature=1.0, max_new_tokens=8) for seed in (5, 6, 7)]
    )

    assert [result.text for result in together] == [result.text for result in alone]
    assert [result.provenance["choice_index"] for result in together] == [0, 1, 2]
    assert len({result.provenance["request_id"] for result in together}) == 1
    prompt = alone[0].provenance["prompt_tokens"]
    assert sum(result.provenance["prompt_tokens"] for result in together) == prompt


def test_more_than_it_gives_at_once_are_asked_for_one_by_one(llama, settings):
    requests = [ask(seed=seed, max_new_tokens=4) for seed in range(6)]  # it has four slots
    results = reach(llama, settings, n=True).generate(requests)

    assert [result.provenance["seed_sent"] for result in results] == list(range(6))


def test_killed_in_the_middle_of_a_stream_it_is_an_error(settings):
    with start_llama() as (address, process):
        pieces = reach(address, settings).stream(ask("Tell me a long story.", max_new_tokens=2000))
        next(pieces)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(ProviderError, match=r"gave no answer|broke off") as caught:
            list(pieces)

    assert not caught.value.permanent


@pytest.fixture
def killing(monkeypatch):
    """Kills the process as soon as so many of its answers came in."""
    answer, lock = Channel.post, threading.Lock()

    def arm(process, after):
        def post(channel, *args, **kwargs):
            nonlocal after
            answered = answer(channel, *args, **kwargs)
            with lock:
                after -= 1
                if after == 0:
                    os.kill(process.pid, signal.SIGKILL)
            return answered

        monkeypatch.setattr(Channel, "post", post)
        monkeypatch.setattr("collector.providers.openai_compatible.FIRST_PAUSE", 0.05)

    return arm


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_of_a_batch_no_candidate_is_lost_or_doubled(settings, killing):
    with start_llama() as (address, process):
        run = plan(address, prompts=16, max_new_tokens=8)
        killing(process, after=3)
        work_batch(run, reach(address, settings), now=NOW)
    states = Candidate.objects.filter(run=run)
    done = set(states.done().values_list("pk", "text"))
    now = NOW + timedelta(minutes=2)
    assert 3 <= len(done) < 16
    assert len(done) + states.claimable(now).count() == 16

    with start_llama() as (address, _process):
        until = time.monotonic() + 60
        while states.unfinished().exists() and time.monotonic() < until:
            work_batch(run, reach(address, settings), now=now)
    assert states.done().count() == states.count() == 16
    assert done <= set(states.done().values_list("pk", "text"))  # what was done was not done again
