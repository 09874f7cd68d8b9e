"""Models behind an OpenAI-compatible server: vLLM, TGI, llama.cpp's server, or a hosted service.

`collector.outbound` decides whether the address may be called, and the key comes from the environment. What
is temporary is tried again here for a while, and then left to the row's next attempt.
"""

import json
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from collector.outbound import Answer, Channel, Refused, Unreachable, parse_url, resolve
from collector.providers.base import Provider, ProviderError, Request, Response
from collector.providers.rate_limits import asked_wait

ANSWER_SECONDS = 300
TRIES = 5
FIRST_PAUSE = 0.5
# Covers limits per minute; longer waits are for the row's next attempt, as others wait for this worker.
PATIENCE = 65.0
TEMPORARY = {408, 409, 429} | set(range(500, 600))
LONGEST_WORD = 200
# Some servers keep a seed in 32 bits and refuse more.
SEED_RANGE = 2**31


class OpenAICompatible(Provider):
    """`{"endpoint": address}` is the server's address, with or without /v1."""

    label = _("a server with OpenAI's interface")
    has_endpoint = True

    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        try:
            target = resolve(parse_url(str(self.options.get("endpoint", ""))))
        except Refused as error:
            raise ProviderError(f"endpoint: {error}", permanent=True) from error
        except Unreachable as error:
            raise ProviderError(str(error), permanent=False) from error
        workers = max(1, min(settings.OPENAI_CONCURRENCY, len(requests)))
        with Channel(target, connections=workers) as channel:
            conversation = _Conversation(channel, self.model)
            pool = ThreadPoolExecutor(workers, thread_name_prefix="openai")
            try:
                return list(pool.map(conversation.ask, requests))
            finally:
                # Told to stop in the middle: what is under way may end by itself, nothing new begins.
                conversation.stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)


class _Conversation:
    """One batch's requests to one server; when it asks one of them to wait, all wait."""

    def __init__(self, channel: Channel, model: str) -> None:
        self.channel = channel
        self.model = model
        self.stopped = threading.Event()
        self._quiet_until = 0.0
        target = channel.target
        self._host = target.host
        self._path = (
            "/chat/completions" if target.path.rstrip("/").endswith("/v1") else "/v1/chat/completions"
        )
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key := settings.OPENAI_API_KEYS.get(target.host):
            self._headers["Authorization"] = f"Bearer {key}"

    def ask(self, request: Request) -> Response | ProviderError:
        body = json.dumps(_to_body(self.model, request)).encode()
        give_up = time.monotonic() + PATIENCE
        error = ProviderError("the worker was told to stop", permanent=False)
        for attempt in range(TRIES):
            pause = self._pause(attempt)
            if time.monotonic() + pause > give_up:
                return ProviderError(f"{self._host} asks to wait", permanent=False, retry_after=pause)
            if self.stopped.wait(pause):
                return error
            result = self._try_once(body, request)
            if isinstance(result, Response) or result.permanent:
                return result
            error = result
            if error.retry_after:
                self._quiet_until = max(self._quiet_until, time.monotonic() + error.retry_after)
        return error

    def _pause(self, attempt: int) -> float:
        """What the server asked for; before another try also a growing time, so that not all come at once."""
        asked = max(0.0, self._quiet_until - time.monotonic())
        growing = FIRST_PAUSE * 2 ** (attempt - 1) if attempt else 0.0
        return asked + growing * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def _try_once(self, body: bytes, request: Request) -> Response | ProviderError:
        try:
            answer = self.channel.post(self._path, body, self._headers, seconds=ANSWER_SECONDS)
        except Refused as error:
            return ProviderError(str(error), permanent=True)
        except Unreachable as error:
            return ProviderError(str(error), permanent=False)
        if answer.status != 200:
            return _refusal(self._host, answer)
        return _to_response(self._host, answer, request)


def _to_body(model: str, request: Request) -> dict[str, Any]:
    return {
        "model": model,
        "messages": request.messages,
        "seed": request.seed % SEED_RANGE,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_new_tokens,
        "stream": False,
    }


def _refusal(host: str, answer: Answer) -> ProviderError:
    """The status in words; never the body, which may repeat the prompt, the key or worse."""
    reasons = {
        401: "it wants another key: OPENAI_API_KEYS",
        403: "it forbids this to the key in OPENAI_API_KEYS",
        404: "it does not know the address or the model",
        413: "the prompt is too long for it",
        429: "it is asked too often",
    }
    permanent = answer.status not in TEMPORARY
    reason = reasons.get(answer.status, "it refuses the request" if permanent else "it has trouble")
    wait = asked_wait(answer.headers, now=datetime.now(UTC)) if not permanent else None
    return ProviderError(
        f"{host} answered {answer.status}: {reason}", permanent=permanent, retry_after=wait or 0
    )


def _to_response(host: str, answer: Answer, request: Request) -> Response | ProviderError:
    try:
        said = json.loads(answer.body)
        choice = said["choices"][0]
        text = choice["message"]["content"] or ""
    except (ValueError, LookupError, TypeError, RecursionError):
        return ProviderError(f"{host} answered without a response in it", permanent=False)
    if not isinstance(text, str):
        return ProviderError(f"{host} answered with something other than text", permanent=False)
    usage = said.get("usage") if isinstance(said.get("usage"), dict) else {}
    known = {
        "endpoint_host": host,
        "model_answered": _model(said.get("model")),
        "system_fingerprint": _word(said.get("system_fingerprint")),
        "finish_reason": _word(choice.get("finish_reason")),
        "request_id": _word(answer.headers.get("x-request-id") or said.get("id")),
        "prompt_tokens": _count(usage.get("prompt_tokens")),
        "new_tokens": _count(usage.get("completion_tokens")),
        "seed_sent": request.seed % SEED_RANGE,
    }
    return Response(text, {name: value for name, value in known.items() if value is not None})


def _model(value: object) -> str | None:
    """The model's name; of a path on the server only the end, as the rest is the operator's own affair."""
    name = _word(value)
    return name.rstrip("/").rpartition("/")[2] if name and name.startswith("/") else name


def _word(value: object) -> str | None:
    """A short text that any database stores: no NUL bytes, no lone surrogates."""
    if not isinstance(value, str) or not value:
        return None
    return value[:LONGEST_WORD].replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
