"""Continuous batching by transformers, for GPUs: a finished row's place is taken by the next row at once.

Its own sampling draws all rows from one stream; here every row draws from its own. On a CPU `decoding.py` is
several times faster (docs/decisions/0008), so this is only used on a GPU.
"""

import logging
import queue
from collections.abc import Sequence
from random import Random
from typing import Any

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
)

from collector.providers.decoding import Row

# Below this a temperature is taken for 0: the likeliest token.
LEAST_TEMPERATURE = 1e-4
LEAST_TOP_P = 1e-6


class ContinuousWriter:
    """Writes lists of rows with one paged cache, which takes the free memory and is kept between lists."""

    def __init__(self, model: Any, *, stops: set[int], pad: int, blocks: int | None = None) -> None:
        """`blocks` of 256 tokens make up the cache; None takes what memory there is."""
        logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)
        self._model = model
        self._draw = SeededDraw()
        config = GenerationConfig(
            do_sample=True,
            # Each request brings its own; these only make transformers apply them.
            temperature=0.5,
            top_p=0.5,
            top_k=0,
            eos_token_id=sorted(stops) or [-1],
            pad_token_id=pad,
            max_new_tokens=1,
        )
        self._stops = sorted(stops) or [-1]
        self._settings = ContinuousBatchingConfig(
            per_request_processors=True, auto_switch_to_flash=False, num_blocks=blocks
        )
        self._manager = model.init_continuous_batching(config, self._settings)
        processors = self._manager.logit_processor
        processors.logits_processor.append(self._draw)
        processors.tensors_required += 1

    def write(self, rows: Sequence[Row]) -> None:
        """Adds to every row's new tokens until it has stopped or reached its limit; raises RuntimeError.

        All rows are there before the first step, so that the same rows always meet the same batch mates.
        """
        manager = self._manager
        manager.switch_to_cb_friendly_attn(self._model, self._settings.auto_switch_to_flash)
        manager.background_thread_status.clear()
        self._draw.start({str(row.place): row.request.seed for row in rows})
        for row in sorted(rows, key=lambda row: row.tokens):
            manager.add_request(
                row.tokens,
                request_id=str(row.place),
                max_new_tokens=row.request.max_new_tokens,
                eos_token_id=self._stops,
                temperature=max(row.request.temperature, LEAST_TEMPERATURE),
                top_p=max(row.request.top_p, LEAST_TOP_P),
            )
        if not manager.warmed_up and self._model.device.type == "cuda":
            manager.warmup()
        manager.start()
        try:
            manager.stop(block=True, keep_for_next_session=True)  # stops when nothing is left to do
        except BaseException:  # told to stop in the middle
            manager.stop(block=True, hard_stop=True)
            raise
        self._collect({str(row.place): row for row in rows})

    def close(self) -> None:
        self._model.destroy_cached_continuous_batching_manager()

    def _collect(self, rows: dict[str, Row]) -> None:
        missing = dict(rows)
        while missing:
            try:
                result = self._manager.output_router.output_queue.get_nowait()
            except queue.Empty:
                raise RuntimeError(f"{len(missing)} responses did not come") from None
            if result.error is not None:
                raise RuntimeError(result.error)
            row = missing.pop(result.request_id)
            for token in result.generated_tokens:
                if not row.is_over:
                    row.take(token, set(self._stops))


class SeededDraw(ContinuousBatchingLogitsProcessor):
    """The last processor: leaves of each row's tokens the one that its own next random number points at.

    The numbers are drawn here, on the host; the device's part has fixed shapes, so that CUDA graphs hold it.
    """

    supported_kwargs: dict[str, type] = {}
    ignored_kwargs: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._streams: dict[str, Random] = {}

    def start(self, seeds: dict[str, int]) -> None:
        """New streams by request id."""
        self._streams = {name: Random(seed) for name, seed in seeds.items()}  # noqa: S311 - reproducible

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        draws = [self._next(request.state.request_id) for request in requests_with_new_token]
        return torch.tensor(draws, dtype=torch.float32).view(dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        draws = tensor_arg[: scores.size(0)].view(dtype=torch.float32).unsqueeze(-1)
        cumulated = scores.softmax(dim=-1).cumsum(dim=-1)
        chosen = torch.searchsorted(cumulated, draws * cumulated[:, -1:], right=True)
        chosen = chosen.clamp(max=scores.size(-1) - 1)
        return torch.full_like(scores, -torch.inf).scatter(-1, chosen, 0.0)

    def _next(self, request_id: str) -> float:
        stream = self._streams.get(request_id)
        return stream.random() if stream else 0.0
