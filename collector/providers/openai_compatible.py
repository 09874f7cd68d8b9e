"""Models behind an OpenAI-compatible server: vLLM, TGI, llama.cpp's server, or a hosted service.

`collector.outbound` decides whether the address may be called, and the key comes from the environment. What
is temporary is tried again here for a while, and then left to the row's next attempt.
"""

import json
import random
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from collector.outbound import Channel, NotConnected, Refused, Target, Unreachable, parse_url, resolve
from collector.providers.base import Provider, ProviderError, Request, Response
from collector.providers.openai_wire import read_response, to_body, to_refusal, to_responses
from collector.providers.rate_limits import wait_when_spent

ANSWER_SECONDS = 300
TRIES = 5
FIRST_PAUSE = 0.5
# Covers limits per minute; longer waits are for the row's next attempt, as others wait for this worker.
PATIENCE = 65.0
# A server that is not there may be loading its model.
ABSENT_SECONDS = 30.0
# For someone who waits: the first piece comes once the server has read the prompt.
SILENCE_SECONDS = 60
# Each piece of text comes wrapped in some 300 bytes.
MOST_STREAMED = 16 * 1024 * 1024


class OpenAICompatible(Provider):
    """`{"endpoint": address}` is the server's address, with or without /v1.

    With `{"n": true}`, requests of the same messages and settings are one call for several responses, or
    calls for so many at most with `{"n": 4}`. A call has one seed, its first request's: of its choices
    provenance keeps `seed_sent` and `choice_index`; vLLM and llama.cpp draw each by the sum of both.
    """

    label = _("a server with OpenAI's interface")
    has_endpoint = True

    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        target = self._target()
        workers = max(1, min(settings.OPENAI_CONCURRENCY, len(requests)))
        with Channel(target, connections=workers) as channel:
            conversation = _Conversation(channel, self.model)
            pool = ThreadPoolExecutor(workers, thread_name_prefix="openai")
            results: dict[int, Response | ProviderError] = {}
            try:
                for calls in (self._groups(requests), [[index] for index in range(len(requests))]):
                    open_calls = [call for call in calls if call[0] not in results]
                    asked = [[requests[index] for index in call] for call in open_calls]
                    for call, answers in zip(open_calls, pool.map(conversation.ask, asked), strict=True):
                        results |= zip(call, answers, strict=False)  # fewer where the server gave fewer
                return [results[index] for index in range(len(requests))]
            finally:
                # Told to stop in the middle: what is under way may end by itself, nothing new begins.
                conversation.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def stream(self, request: Request) -> Generator[str, None, Response]:
        """Tried once: whoever waits for it decides whether to ask again."""
        with Channel(self._target()) as channel:
            return (yield from _Conversation(channel, self.model).stream(request))

    def _target(self) -> Target:
        try:
            return resolve(parse_url(str(self.options.get("endpoint", ""))))
        except Refused as error:
            raise ProviderError(f"endpoint: {error}", permanent=True) from error
        except Unreachable as error:
            raise ProviderError(str(error), permanent=False, retry_after=ABSENT_SECONDS) from error

    def _groups(self, requests: Sequence[Request]) -> list[list[int]]:
        """Which requests may be one call, by their places; none where they are to be single calls."""
        option = self.options.get("n", False)
        most = len(requests) if option is True else max(1, int(option))
        alike: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            alike.setdefault(json.dumps(to_body("", [request]) | {"seed": 0}), []).append(index)
        groups = [
            places[start : start + most] for places in alike.values() for start in range(0, len(places), most)
        ]
        return [group for group in groups if len(group) > 1]


class _Conversation:
    """One batch's requests to one server; when it asks one of them to wait, all wait."""

    def __init__(self, channel: Channel, model: str) -> None:
        self.channel = channel
        self.model = model
        self.stopped = threading.Event()
        self._refuses_several = threading.Event()
        self._quiet_until = 0.0
        target = channel.target
        self._host = target.host
        self._path = (
            "/chat/completions" if target.path.rstrip("/").endswith("/v1") else "/v1/chat/completions"
        )
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := settings.OPENAI_API_KEYS.get(target.host):
            self._headers["Authorization"] = f"Bearer {key}"

    def ask(self, requests: Sequence[Request]) -> Sequence[Response | ProviderError]:
        """One call for the requests; no results where the server does not take several at once."""
        if len(requests) > 1 and self._refuses_several.is_set():
            return []
        result = self._ask_patiently(requests)
        if not isinstance(result, ProviderError):
            return result
        if len(requests) > 1 and result.permanent:
            self._refuses_several.set()
            return []
        return [result for _request in requests]

    def stream(self, request: Request) -> Generator[str, None, Response]:
        body = to_body(self.model, [request]) | {"stream": True}
        usage = {"stream_options": {"include_usage": True}}
        for options in (usage, {}):  # some servers refuse options that they do not know
            try:
                with self.channel.receive(
                    self._path,
                    json.dumps(body | options).encode(),
                    self._headers | {"Accept": "text/event-stream, application/json"},
                    seconds=ANSWER_SECONDS,
                    idle=SILENCE_SECONDS,
                    most=MOST_STREAMED,
                ) as incoming:
                    if incoming.status == 200:
                        return (yield from read_response(self._host, incoming, request))
            except (Refused, Unreachable) as error:
                raise _to_error(error) from error
            refusal = to_refusal(self._host, incoming.status, incoming.headers)
            if incoming.status not in (400, 422):
                break
        raise refusal

    def _ask_patiently(self, requests: Sequence[Request]) -> list[Response] | ProviderError:
        """Tries again what is temporary. Where a try failed by more than a wait, that is the error."""
        body = json.dumps(to_body(self.model, requests)).encode()
        give_up = time.monotonic() + PATIENCE
        errors: list[ProviderError] = []
        for attempt in range(TRIES):
            pause = self._asked_pause() + _growing_pause(attempt)
            if time.monotonic() + pause > give_up:
                errors += self._still_asked_to_wait()
                break
            if self.stopped.wait(pause):
                break
            result = self._try_once(body, requests)
            if not isinstance(result, ProviderError) or result.permanent:
                return result
            errors.append(result)
        return _worst(errors) if errors else ProviderError("the worker was told to stop", permanent=False)

    def _still_asked_to_wait(self) -> Iterable[ProviderError]:
        if wait := self._asked_pause():
            yield ProviderError(f"{self._host} asks to wait", permanent=False, retry_after=wait)

    def _asked_pause(self) -> float:
        return max(0.0, self._quiet_until - time.monotonic())

    def _be_quiet(self, seconds: float) -> None:
        self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)

    def _try_once(self, body: bytes, requests: Sequence[Request]) -> list[Response] | ProviderError:
        try:
            answer = self.channel.post(self._path, body, self._headers, seconds=ANSWER_SECONDS)
        except (Refused, Unreachable) as error:
            return _to_error(error)
        if answer.status != 200:
            refusal = to_refusal(self._host, answer.status, answer.headers)
            self._be_quiet(refusal.retry_after)
            return refusal
        self._be_quiet(wait_when_spent(answer.headers) or 0.0)
        return to_responses(self._host, answer, requests)


def _to_error(error: Refused | Unreachable) -> ProviderError:
    wait = ABSENT_SECONDS if isinstance(error, NotConnected) else 0.0
    return ProviderError(str(error), permanent=isinstance(error, Refused), retry_after=wait)


def _growing_pause(attempt: int) -> float:
    """Before another try a growing time, so that not all come at once."""
    growing = FIRST_PAUSE * 2 ** (attempt - 1) if attempt else 0.0
    return growing * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def _worst(errors: Sequence[ProviderError]) -> ProviderError:
    """The last that is more than a wait, so that a request which breaks its server is not asked for ever."""
    return next((error for error in reversed(errors) if not error.retry_after), errors[-1])
