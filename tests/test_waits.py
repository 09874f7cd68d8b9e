"""Tests of collector/waits.py: a server that asks to wait costs no candidate its attempts, nor for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from collector.generation import start_generation, work_batch
from collector.providers import PROVIDERS
from collector.providers.base import ProviderError
from collector.waits import LONGEST_WAIT
from tests.answering import completion, serve
from tests.builders import make_campaign, make_generator, make_prompt

__all__ = ["serve"]  # a fixture
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


class Waiting(PROVIDERS["scripted"]):
    """Asks to wait for so many seconds each time."""

    def generate(self, requests):
        wait = self.options["seconds"]
        return [ProviderError("later", permanent=False, retry_after=wait) for _request in requests]


@pytest.fixture
def run():
    campaign = make_campaign()
    make_prompt(campaign)
    make_generator(campaign, provider="scripted")
    return start_generation(campaign, now=NOW, publish=False)[0]


def test_a_wait_uses_up_no_attempt_and_is_kept(run):
    for minute in range(0, 50, 5):  # more often than there are attempts
        now = NOW + timedelta(minutes=minute)
        assert work_batch(run, Waiting("", {"seconds": 240}), now=now) == 1
        candidate = run.candidates.get()
        assert (candidate.state, candidate.attempts, candidate.error) == ("planned", 0, "later")
        assert work_batch(run, Waiting("", {"seconds": 240}), now=now + timedelta(minutes=3)) == 0

    work_batch(run, PROVIDERS["scripted"](), now=NOW + timedelta(hours=1))
    candidate = run.candidates.get()
    assert (candidate.state, candidate.provenance["attempt"]) == ("done", 1)
    assert "waiting_since" not in candidate.provenance


def test_nothing_waits_for_ever(run):
    hours = 0
    while run.candidates.unfinished().exists():
        work_batch(run, Waiting("", {"seconds": 60}), now=NOW + timedelta(hours=hours))
        hours += 1

    candidate = run.candidates.get()
    assert (candidate.state, candidate.error, candidate.provenance) == ("failed", "later", {})
    # Three times: at worst two steps of the loop beyond.
    assert timedelta(hours=hours) <= 3 * (LONGEST_WAIT + timedelta(hours=2))


def test_other_trouble_still_counts_between_waits(run):
    class Broken(Waiting):
        def generate(self, requests):
            return [ProviderError("broken", permanent=False) for _request in requests]

    for minute in range(6):
        provider = (Waiting, Broken)[minute % 2]("", {"seconds": 30})
        work_batch(run, provider, now=NOW + timedelta(minutes=minute))

    assert (run.candidates.get().state, run.candidates.get().error) == ("failed", "broken")


def test_a_server_that_is_over_its_limit_for_an_hour_loses_no_candidate(serve, monkeypatch):
    """As in life: Retry-After longer than a worker waits, four times over."""
    refusals = 4

    def answer(handler):
        if len(handler.server.asked) <= refusals:
            handler.reply(429, b"{}", Retry_After="900")
        else:
            handler.reply(200, completion())

    server = serve(answer)
    campaign = make_campaign()
    make_prompt(campaign)
    endpoint = f"http://127.0.0.1:{server.server_port}"
    make_generator(campaign, provider="openai_compatible", model="m", extra={"endpoint": endpoint})
    [run] = start_generation(campaign, now=NOW, publish=False)
    for hour in range(refusals + 1):
        provider = PROVIDERS["openai_compatible"]("m", {"endpoint": endpoint})
        assert work_batch(run, provider, now=NOW + timedelta(hours=hour)) == 1

    assert run.candidates.get().state == "done"
    assert len(server.asked) == refusals + 1
