"""Models on this machine's own CPU or GPU, through transformers; nothing is sent anywhere.

Batched with padding on the left, in buckets of like length. Every row samples from its own seed
(`sampling.py`), and the same batch on the same machine gives the same texts. Other batch mates change the
rounding of the logits, which in bfloat16 tips a choice every few dozen tokens (in float32 hardly ever:
MODEL_DTYPE), so the size of the batch is kept in the provenance.
"""

import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from collector.providers.base import Provider, ProviderError, Request, Response
from collector.providers.weights import find_weights

# Prompt and new tokens that one bucket may hold: bounds the memory of its key-value cache.
MAX_BUCKET_TOKENS = 64 * 1024

_loaded: dict[str, "LoadedModel"] = {}  # at most one: a second would double the memory
_lock = threading.Lock()


@dataclass(frozen=True)
class LoadedModel:
    """A model and tokenizer in memory, and what identifies them."""

    model: Any
    tokenizer: Any
    provenance: dict[str, Any]

    @property
    def context(self) -> int:
        return int(getattr(self.model.config, "max_position_embeddings", 0) or 2**31)


@dataclass(frozen=True)
class _Row:
    """One request, its place in the list it came in, and its tokens."""

    place: int
    request: Request
    tokens: list[int]


class TransformersLocal(Provider):
    label = _("a model on this machine")

    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        loaded = load_model(self.model)
        results: dict[int, Response | ProviderError] = {}
        rows = []
        for place, request in enumerate(requests):
            row = _tokenize(loaded, place, request)
            if isinstance(row, ProviderError):
                results[place] = row
            else:
                rows.append(row)
        for bucket in _buckets(rows):
            results |= _complete(loaded, bucket)
        return [results[place] for place in range(len(requests))]


def load_model(name: str) -> LoadedModel:
    """The model from memory, or loaded in the place of the one that was there."""
    with _lock:
        if name not in _loaded:
            _loaded.clear()
            _loaded[name] = _load(name)
        return _loaded[name]


def _load(name: str) -> LoadedModel:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ProviderError(f"this worker cannot run models: {error}", permanent=True) from error

    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    weights = find_weights(name)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(weights.path, trust_remote_code=False)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            weights.path,
            dtype=getattr(torch, settings.MODEL_DTYPE),
            attn_implementation="sdpa",
            trust_remote_code=False,
        )
    except (OSError, ValueError) as error:
        raise ProviderError(f'cannot load the model "{name}": {error}', permanent=True) from error
    if not tokenizer.chat_template:
        raise ProviderError(f'the model "{name}" has no chat template', permanent=True)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    provenance = weights.provenance | {
        "revision": getattr(model.config, "_commit_hash", None),
        "chat_template_sha256": hashlib.sha256(str(tokenizer.chat_template).encode()).hexdigest(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "dtype": settings.MODEL_DTYPE,
    }
    return LoadedModel(model.to(device).eval(), tokenizer, provenance)


def _tokenize(loaded: LoadedModel, place: int, request: Request) -> _Row | ProviderError:
    from jinja2 import TemplateError

    try:
        text = loaded.tokenizer.apply_chat_template(
            request.messages, tokenize=False, add_generation_prompt=True
        )
    except TemplateError as error:
        return ProviderError(f"the chat template refuses these messages: {error}", permanent=True)
    tokens = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    if len(tokens) + request.max_new_tokens > loaded.context:
        return ProviderError(
            f"{len(tokens)} prompt tokens and {request.max_new_tokens} new ones exceed the model's "
            f"{loaded.context}",
            permanent=True,
        )
    return _Row(place, request, tokens)


def _buckets(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Rows of like length together, so that a long prompt does not make everyone else pay for its padding."""
    bucket: list[_Row] = []
    for row in sorted(rows, key=lambda row: (len(row.tokens), row.place)):
        width = len(row.tokens) + row.request.max_new_tokens
        if bucket and (
            len(row.tokens) > 2 * len(bucket[0].tokens) + 64 or width * (len(bucket) + 1) > MAX_BUCKET_TOKENS
        ):
            yield bucket
            bucket = []
        bucket.append(row)
    if bucket:
        yield bucket


def _complete(loaded: LoadedModel, rows: list[_Row]) -> dict[int, Response | ProviderError]:
    """The rows' responses; where the device has too little memory, halves them until it has enough."""
    import torch

    try:
        return _complete_at_once(loaded, rows)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
    if len(rows) == 1:
        return {rows[0].place: ProviderError("the device has too little memory", permanent=True)}
    middle = len(rows) // 2
    return _complete(loaded, rows[:middle]) | _complete(loaded, rows[middle:])


def _complete_at_once(loaded: LoadedModel, rows: list[_Row]) -> dict[int, Response | ProviderError]:
    import torch
    from transformers import GenerationConfig, LogitsProcessorList

    from collector.providers.sampling import SeededSampler

    model, tokenizer = loaded.model, loaded.tokenizer
    inputs = tokenizer.pad({"input_ids": [row.tokens for row in rows]}, return_tensors="pt").to(model.device)
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=max(row.request.max_new_tokens for row in rows),
        eos_token_id=model.generation_config.eos_token_id or tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    sampler = SeededSampler([row.request for row in rows], model.device)
    with torch.inference_mode():
        output = model.generate(
            **inputs, generation_config=config, logits_processor=LogitsProcessorList([sampler])
        )
    new = output[:, inputs["input_ids"].shape[1] :].tolist()
    return {
        row.place: _response(loaded, row, tokens, config.eos_token_id, len(rows))
        for row, tokens in zip(rows, new, strict=True)
    }


def _response(
    loaded: LoadedModel, row: _Row, tokens: list[int], eos: int | list[int], batch_size: int
) -> Response:
    ends = set(eos) if isinstance(eos, list) else {eos}
    length = next((n for n, token in enumerate(tokens) if token in ends), len(tokens))
    length = min(length, row.request.max_new_tokens)
    stopped = length < len(tokens) and tokens[length] in ends
    text = loaded.tokenizer.decode(tokens[:length], skip_special_tokens=True).strip()
    return Response(
        text,
        loaded.provenance
        | {
            "prompt_tokens": len(row.tokens),
            "new_tokens": length + stopped,
            "finish_reason": "stop" if stopped else "length",
            "batch_size": batch_size,
        },
    )
