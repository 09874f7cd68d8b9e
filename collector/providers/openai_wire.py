"""What is said to an OpenAI-compatible server and how its answers are read; nothing here calls anyone."""

import json
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Any

from collector.outbound import Answer, Incoming
from collector.providers.base import ProviderError, Request, Response
from collector.providers.rate_limits import asked_wait
from collector.providers.server_events import BrokenEvents, read_events

TEMPORARY = {408, 409, 429} | set(range(500, 600))
# These ask for a wait even where they do not say how long.
BUSY = {429, 503}
BUSY_SECONDS = 2.0
LONGEST_WORD = 200
# Some servers keep a seed in 32 bits and refuse more.
SEED_RANGE = 2**31


def to_body(model: str, requests: Sequence[Request]) -> dict[str, Any]:
    """The call for these requests' responses, all of the same messages and settings; the first's seed."""
    first = requests[0]
    body = {
        "model": model,
        "messages": first.messages,
        "seed": first.seed % SEED_RANGE,
        "temperature": first.temperature,
        "top_p": first.top_p,
        "max_tokens": first.max_new_tokens,
        "stream": False,
    }
    if first.top_p >= 1:  # no limit; TGI refuses the number
        del body["top_p"]
    return body if len(requests) == 1 else {**body, "n": len(requests)}


def to_refusal(host: str, status: int, headers: Mapping[str, str]) -> ProviderError:
    """The status in words; never the body, which may repeat the prompt, the key or worse."""
    reasons = {
        401: "it wants another key: OPENAI_API_KEYS",
        403: "it forbids this to the key in OPENAI_API_KEYS",
        404: "it does not know the address or the model",
        413: "the prompt is too long for it",
        429: "it is asked too often",
        503: "it is busy, or still starting",
    }
    permanent = status not in TEMPORARY
    reason = reasons.get(status, "it refuses the request" if permanent else "it has trouble")
    wait = 0.0 if permanent else asked_wait(headers, now=datetime.now(UTC)) or 0.0
    if status in BUSY:
        wait = wait or BUSY_SECONDS
    return ProviderError(f"{host} answered {status}: {reason}", permanent=permanent, retry_after=wait)


def to_responses(host: str, answer: Answer, requests: Sequence[Request]) -> list[Response] | ProviderError:
    """A response for each request; for fewer where the server gave fewer."""
    try:
        said = json.loads(answer.body)
        choices = said["choices"][: len(requests)]
        texts = [choice["message"]["content"] or "" for choice in choices]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ProviderError(f"{host} answered without a response in it", permanent=False)
    if not texts:
        return ProviderError(f"{host} answered without a response in it", permanent=False)
    if not all(isinstance(text, str) for text in texts):
        return ProviderError(f"{host} answered with something other than text", permanent=False)
    known = _facts(host, said, answer.headers) | {"seed_sent": requests[0].seed % SEED_RANGE}
    counts = _counts(said, texts)
    return [
        Response(text, _without_none(known | {"finish_reason": _word(choice.get("finish_reason"))} | count))
        for text, choice, count in zip(texts, choices, counts, strict=True)
    ]


def read_response(host: str, incoming: Incoming, request: Request) -> Generator[str, None, Response]:
    """The pieces of a streamed response; returns it whole. Raises ProviderError."""
    if "text/event-stream" not in incoming.headers.get("content-type", "text/event-stream"):
        return (yield from _read_whole(host, incoming, request))
    said: dict[str, Any] = {}
    text: list[str] = []
    finish_reason, finished = None, False
    try:
        for data in read_events(incoming.pieces):
            if data == "[DONE]":
                finished = True
                break
            chunk = _to_chunk(host, data)
            said |= {name: value for name, value in chunk.items() if value}
            piece, reason = _piece(host, chunk)
            finish_reason = reason or finish_reason
            if piece:
                text.append(piece)
                yield piece
    except BrokenEvents as error:
        raise ProviderError(f"{host} answered with something other than events", permanent=False) from error
    if not said or not (finished or finish_reason):
        raise ProviderError(f"{host} broke off in the middle", permanent=False)
    known = _facts(host, said, incoming.headers) | {"seed_sent": request.seed % SEED_RANGE}
    counts = _usage(said) | {"finish_reason": finish_reason}
    return Response("".join(text), _without_none(known | counts))


def _read_whole(host: str, incoming: Incoming, request: Request) -> Generator[str, None, Response]:
    """The response of a server that does not stream."""
    answer = Answer(incoming.status, incoming.headers, b"".join(incoming.pieces))
    responses = to_responses(host, answer, [request])
    if isinstance(responses, ProviderError):
        raise responses
    text = _clean(responses[0].text)
    yield text
    return Response(text, responses[0].provenance)


def _to_chunk(host: str, data: str) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"{host} answered with something other than events", permanent=False) from error
    if not isinstance(chunk, dict) or chunk.get("error"):
        raise ProviderError(f"{host} reported trouble in the middle", permanent=False)
    return chunk


def _piece(host: str, chunk: Mapping[str, Any]) -> tuple[str, str | None]:
    """The text that the chunk adds, and why it is the last, if it is."""
    if not chunk.get("choices"):  # the last chunk may hold nothing but the usage
        return "", None
    try:
        choice = chunk["choices"][0]
        text = (choice.get("delta") or {}).get("content") or ""
    except (LookupError, TypeError, AttributeError) as error:
        raise ProviderError(f"{host} answered without a response in it", permanent=False) from error
    if not isinstance(text, str):
        raise ProviderError(f"{host} answered with something other than text", permanent=False)
    return _clean(text), _word(choice.get("finish_reason"))


def _facts(host: str, said: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "endpoint_host": host,
        "model_answered": _model(said.get("model")),
        "system_fingerprint": _word(said.get("system_fingerprint")),
        "request_id": _word(headers.get("x-request-id") or said.get("id")),
    }


def _usage(said: Mapping[str, Any]) -> dict[str, int | None]:
    usage = said.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return {
        "prompt_tokens": _count(counts.get("prompt_tokens")),
        "new_tokens": _count(counts.get("completion_tokens")),
    }


def _counts(said: Mapping[str, Any], texts: list[str]) -> list[dict[str, int | None]]:
    """The call's tokens shared out, so that the shares add up to what the server counted.

    A server counts the call, not its choices: the prompt is shared evenly, what is new by length of text.
    """
    usage = _usage(said)
    if len(texts) == 1:
        return [usage]
    prompt, new = usage["prompt_tokens"], usage["new_tokens"]
    lengths = [len(text) for text in texts]
    counts_first_only = "timings" in said  # llama.cpp
    if counts_first_only and new is not None:
        new = round(new * sum(lengths) / lengths[0]) if lengths[0] else None
    new_shares = _share(new, lengths)
    return [
        {
            "prompt_tokens": prompt_share,
            "new_tokens": new_share,
            "choice_index": index,
            "choices_in_call": len(texts),
            "call_prompt_tokens": prompt,
            "call_new_tokens": None if counts_first_only else new,
        }
        for index, (prompt_share, new_share) in enumerate(
            zip(_share(prompt, [1] * len(texts)), new_shares, strict=True)
        )
    ]


def _share(total: int | None, weights: list[int]) -> list[int | None]:
    """Whole shares in proportion to the weights that add up to the total.

    >>> _share(10, [1, 1, 1]), _share(None, [1, 2]), _share(3, [0, 0])
    ([3, 4, 3], [None, None], [2, 1])
    """
    if total is None:
        return [None] * len(weights)
    weights = weights if any(weights) else [1] * len(weights)
    ends = [round(total * end / sum(weights)) for end in accumulate(weights, initial=0)]
    return [end - start for start, end in pairwise(ends)]


def _without_none(known: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in known.items() if value is not None}


def _model(value: object) -> str | None:
    """The model's name; of a path on the server only the end, as the rest is the operator's own affair."""
    name = _word(value)
    return name.rstrip("/").rpartition("/")[2] if name and name.startswith("/") else name


def _word(value: object) -> str | None:
    return _clean(value[:LONGEST_WORD]) if isinstance(value, str) and value else None


def _clean(text: str) -> str:
    """Text that any database and connection takes: no NUL bytes, no lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
