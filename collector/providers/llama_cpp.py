"""GGUF models in this process through llama.cpp, where the package xllamacpp is installed.

It computes in the file's own quantised numbers. Each request has its own seed; but which requests meet in one
step depends on the moment, and so does rounding: the same batch need not give the same texts again.
"""

import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from collector.providers.base import Provider, ProviderError, Request, Response
from collector.providers.gguf_files import GgufFile, find_gguf
from collector.providers.resident import RESIDENT

# Requests written side by side; more gain little on a CPU.
SLOTS = 16
# Tokens of prompts and responses that all slots share.
CACHE_TOKENS = 32 * 1024
# llama.cpp keeps a seed in 32 bits, and the highest means "any".
SEED_RANGE = 2**31


class LlamaCpp(Provider):
    label = _("a GGUF model on this machine (llama.cpp)")

    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        with _borrowed(self.model) as engine, ThreadPoolExecutor(SLOTS, "llama") as pool:
            started = time.monotonic()
            results = list(pool.map(engine.ask, requests))
            seconds = max(time.monotonic() - started, 1e-6)
        done = [result for result in results if isinstance(result, Response)]
        speed = round(sum(result.provenance["new_tokens"] for result in done) / seconds, 1)
        for result in done:
            result.provenance.update(batch_size=len(requests), tokens_per_second=speed)
        return results

    def stream(self, request: Request) -> Generator[str, None, Response]:
        with _borrowed(self.model) as engine:
            return (yield from engine.stream(request))


class Engine:
    """One GGUF model in memory."""

    def __init__(self, gguf: GgufFile) -> None:
        xllamacpp = _import()
        params = xllamacpp.CommonParams()
        params.model.path = str(gguf.path)
        params.n_parallel, params.n_ctx, params.kv_unified = SLOTS, CACHE_TOKENS, True
        threads = len(os.sched_getaffinity(0))
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.verbosity, params.warmup = 0, False
        # The server insists on listening; only this user can reach a socket in a folder of its own.
        self._folder = Path(tempfile.mkdtemp(prefix="empanel-llama-"))
        params.hostnames = [str(self._folder / "llama.sock")]
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            self.close()
            raise ProviderError(f'llama.cpp cannot load "{gguf.path.name}"', permanent=True) from error
        self._known = gguf.provenance | {
            "engine": "llama.cpp",
            "versions": {"xllamacpp": metadata.version("xllamacpp")},
            "device": "cpu",
        }

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def ask(self, request: Request) -> Response | ProviderError:
        answer = self._server.handle_chat_completions(_to_body(request))
        if refusal := _refusal(answer):
            return refusal
        choice, usage = answer["choices"][0], answer["usage"]
        return self._response(
            (choice["message"].get("content") or "").strip(), choice["finish_reason"], usage
        )

    def stream(self, request: Request) -> Generator[str, None, Response]:
        """Pieces as llama.cpp hands them over, from a thread that ends when nobody wants more."""
        pieces: queue.SimpleQueue[Any] = queue.SimpleQueue()
        unwanted = threading.Event()

        def hand_over(piece: Any) -> bool:
            pieces.put(piece)
            return unwanted.is_set()

        def work() -> None:
            body = _to_body(request) | {"stream": True, "stream_options": {"include_usage": True}}
            self._server.handle_chat_completions(body, hand_over)
            pieces.put(None)

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        try:
            return (yield from self._read(iter(pieces.get, None)))
        finally:
            unwanted.set()
            worker.join()

    def _read(self, pieces: Iterator[Any]) -> Generator[str, None, Response]:
        text, waiting, reason = "", "", "stop"
        usage: dict[str, Any] = {}
        for piece in pieces:
            for part in piece if isinstance(piece, list) else [piece]:
                if refusal := _refusal(part):
                    raise refusal
                usage = part.get("usage") or usage
                for choice in part.get("choices", []):
                    reason = choice.get("finish_reason") or reason
                    waiting += choice.get("delta", {}).get("content") or ""
            # Spaces wait for what follows them, as the response's text ends without.
            ready = (waiting if text else waiting.lstrip()).rstrip()
            if ready:
                waiting = waiting.lstrip() if not text else waiting
                waiting = waiting[len(ready) :]
                text += ready
                yield ready
        return self._response(text, reason, usage)

    def _response(self, text: str, reason: str, usage: dict[str, Any]) -> Response:
        counts = {
            "prompt_tokens": usage.get("prompt_tokens"),
            "new_tokens": usage.get("completion_tokens", 0),
            "finish_reason": reason,
        }
        return Response(text, self._known | counts)


@contextmanager
def _borrowed(model: str) -> Iterator[Engine]:
    with RESIDENT.borrowed(("llama_cpp", model), lambda: _load(model)) as engine:
        yield engine


def _load(model: str) -> Engine:
    _import()
    gguf = find_gguf(model)
    if gguf is None:
        raise ProviderError(f'there is no GGUF file "{model}" in MODELS_DIR', permanent=True)
    return Engine(gguf)


def _import() -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise ProviderError(
            "this worker has no llama.cpp: install the xllamacpp that requirements-dev.txt names",
            permanent=True,
        ) from error
    return xllamacpp


def _to_body(request: Request) -> dict[str, Any]:
    return {
        "messages": request.messages,
        "seed": request.seed % SEED_RANGE,
        "temperature": request.temperature,
        "top_p": request.top_p,
        # Off, so that settings mean what they mean elsewhere.
        "top_k": 0,
        "min_p": 0.0,
        "max_tokens": request.max_new_tokens,
        # What another request left in the slot would change the rounding.
        "cache_prompt": False,
    }


def _refusal(answer: Any) -> ProviderError | None:
    if not isinstance(answer, dict) or "error" not in answer:
        return None
    error = answer["error"]
    code = int(error.get("code", 500))
    return ProviderError(f"llama.cpp: {error.get('message', code)}", permanent=400 <= code < 500)
