"""Models on this machine's own CPU or GPU, through transformers; nothing is sent anywhere.

Batched in buckets of like length (`decoding.py`), on a GPU continuously (`continuous.py`). Every row samples
from its own seed, and the same batch on the same machine gives the same texts. Other batch mates change the
rounding of the logits, which in bfloat16 tips a choice every few dozen tokens (in float32 hardly ever:
MODEL_DTYPE), so the size of the batch is kept in the provenance.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import structlog
from django.utils.translation import gettext_lazy as _

from collector.providers.base import Provider, ProviderError, Request, Response
from collector.providers.loaded_model import LoadedModel, borrowed_model
from collector.providers.resident import empty_accelerator

if TYPE_CHECKING:
    from collector.providers.decoding import Row

# A piece of text whose last character is not complete yet decodes to this.
INCOMPLETE = "\N{REPLACEMENT CHARACTER}"

log = structlog.get_logger(__name__)


class TransformersLocal(Provider):
    label = _("a model on this machine")

    @classmethod
    def batch_size(cls) -> int:
        """A GPU takes many more rows in the time of one than a CPU does."""
        try:
            import torch
        except ImportError:
            return super().batch_size()
        return 512 if torch.cuda.is_available() else super().batch_size()

    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        with borrowed_model(self.model) as loaded:
            results: dict[int, Response | ProviderError] = {}
            rows = []
            for place, request in enumerate(requests):
                try:
                    rows.append(_to_row(loaded, place, request))
                except ProviderError as error:
                    results[place] = error
            for bucket in make_buckets(rows, loaded):
                results |= _complete(loaded, bucket)
        return [results[place] for place in range(len(requests))]

    def stream(self, request: Request) -> Generator[str, None, Response]:
        """Text as it is written, a word or less at a time."""
        with borrowed_model(self.model) as loaded:
            row = _to_row(loaded, 0, request)
            started = time.monotonic()
            said = ""
            for _step in _steps(loaded, [row]):
                text = loaded.text(row.new).lstrip()
                # Spaces wait for what follows them, as the response's text ends without.
                ready = text.rstrip() if not text.endswith(INCOMPLETE) else ""
                if len(ready) > len(said) and ready.startswith(said):
                    yield ready[len(said) :]
                    said = ready
            response = _response(loaded, row, _circumstances(loaded, [row], "batch", started))
            if rest := response.text[len(said) :]:
                yield rest
        return response


def make_buckets(rows: "list[Row]", loaded: LoadedModel) -> "Iterator[list[Row]]":
    """Rows of like length together, so that a long prompt does not make everyone else pay for its padding.

    None is larger than the free memory allows. On a GPU all rows are one bucket: its cache has no padding.
    """
    if _writes_continuously(loaded):
        if rows:
            yield rows
        return
    most = loaded.batch_tokens()
    bucket: list[Row] = []
    for row in sorted(rows, key=lambda row: (len(row.tokens), row.place)):
        width = len(row.tokens) + row.request.max_new_tokens
        if bucket and (len(row.tokens) > 2 * len(bucket[0].tokens) + 64 or width * (len(bucket) + 1) > most):
            yield bucket
            bucket = []
        bucket.append(row)
    if bucket:
        yield bucket


def _to_row(loaded: LoadedModel, place: int, request: Request) -> "Row":
    from collector.providers.decoding import Row

    tokens = loaded.tokenize(request.messages)
    if len(tokens) + request.max_new_tokens > loaded.context:
        raise ProviderError(
            f"{len(tokens)} prompt tokens and {request.max_new_tokens} new ones exceed the model's "
            f"{loaded.context}",
            permanent=True,
        )
    return Row(place, request, tokens)


def _complete(loaded: LoadedModel, rows: "list[Row]") -> dict[int, Response | ProviderError]:
    """The rows' responses; where the device has too little memory, halves them until it has enough."""
    import torch

    started = time.monotonic()
    try:
        engine = _write(loaded, rows)
    except torch.OutOfMemoryError:
        for row in rows:
            row.new, row.stopped = [], False
    else:
        known = _circumstances(loaded, rows, engine, started)
        return {row.place: _response(loaded, row, known) for row in rows}
    empty_accelerator()
    if len(rows) == 1:
        return {rows[0].place: ProviderError("the device has too little memory", permanent=True)}
    middle = len(rows) // 2
    return _complete(loaded, rows[:middle]) | _complete(loaded, rows[middle:])


def _write(loaded: LoadedModel, rows: "list[Row]") -> str:
    """Fills the rows' new tokens; returns the name of the engine that did it."""
    if _writes_continuously(loaded):
        try:
            loaded.continuous.write(rows)
        except (RuntimeError, ValueError, AttributeError) as error:
            # Not every model has a paged cache; what every model can is slower, not worse.
            log.warning("continuous batching failed", model=str(loaded.provenance), error=str(error))
            loaded.stop_continuous()
            for row in rows:
                row.new, row.stopped = [], False
        else:
            return "continuous"
    for _step in _steps(loaded, rows):
        pass
    return "batch"


def _steps(loaded: LoadedModel, rows: "list[Row]") -> Iterator[None]:
    from collector.providers.decoding import can_shrink, write, write_unshrinking

    pad = loaded.tokenizer.pad_token_id or 0
    if can_shrink(loaded.model):
        yield from write(loaded.model, rows, stops=loaded.stops, pad=pad)
    else:
        write_unshrinking(loaded.model, rows, stops=loaded.stops, pad=pad)
        yield


def _writes_continuously(loaded: LoadedModel) -> bool:
    return bool(loaded.model.device.type == "cuda" and loaded.can_continue)


def _circumstances(loaded: LoadedModel, rows: "list[Row]", engine: str, started: float) -> dict[str, Any]:
    """What the rows have in common: how many, how fast together, and the memory it took."""
    seconds = max(time.monotonic() - started, 1e-6)
    return {
        "engine": engine,
        "batch_size": len(rows),
        "tokens_per_second": round(sum(len(row.new) + row.stopped for row in rows) / seconds, 1),
        "peak_memory_bytes": loaded.peak_bytes(),
    }


def _response(loaded: LoadedModel, row: "Row", circumstances: dict[str, Any]) -> Response:
    known = {
        "prompt_tokens": len(row.tokens),
        "new_tokens": len(row.new) + row.stopped,
        "finish_reason": row.finish_reason,
    }
    return Response(loaded.text(row.new).strip(), loaded.provenance | circumstances | known)
