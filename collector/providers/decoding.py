"""Writing many responses at once, one token of each a step: prompts are read once, finished rows leave.

Needs torch and transformers: only `transformers_local` imports it, and only once asked to generate.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from collector.providers.base import Request
from collector.providers.sampling import SeededSampler


@dataclass
class Row:
    """One request: its place in the list it came in, its prompt's tokens, and those written so far."""

    place: int
    request: Request
    tokens: list[int]
    new: list[int] = field(default_factory=list)
    stopped: bool = False

    def take(self, token: int, stops: set[int]) -> None:
        if token in stops:
            self.stopped = True
        else:
            self.new.append(token)

    @property
    def is_over(self) -> bool:
        return self.stopped or len(self.new) >= self.request.max_new_tokens

    @property
    def finish_reason(self) -> str:
        return "stop" if self.stopped else "length"


def write(model: Any, rows: list[Row], *, stops: set[int], pad: int) -> Iterator[None]:
    """Adds to every row's new tokens, one a step, until each has stopped or reached its limit.

    Rows with the same prompt share its reading. A row that is over leaves the batch, as it would otherwise
    go on costing as much as the others.
    """
    state = _State(model, rows, pad)
    sampler = SeededSampler([row.request for row in rows], model.device)
    live = rows
    while True:
        chosen = sampler.sample(state.logits)
        for row, token in zip(live, chosen.tolist(), strict=True):
            row.take(token, stops)
        yield
        going = [n for n, row in enumerate(live) if not row.is_over]
        if not going:
            return
        if len(going) < len(live):
            live = [live[n] for n in going]
            index = torch.tensor(going, device=model.device)
            chosen = chosen[index]
            sampler.keep(index)
            state.keep(index)
        state.advance(chosen)


def can_shrink(model: Any) -> bool:
    """Whether rows can leave the model's cache: not where it is a running state, no keys and values."""
    if getattr(model, "_is_stateful", False):
        return False
    return all(hasattr(layer, "batch_select_indices") for layer in DynamicCache(config=model.config).layers)


class _State:
    """What the model has read: keys and values, padding, positions, and the logits of the next token."""

    logits: torch.Tensor

    def __init__(self, model: Any, rows: list[Row], pad: int) -> None:
        self._model = model
        self._accepted = set(inspect.signature(model.forward).parameters)
        self._cache = DynamicCache(config=model.config)
        prompts = list(dict.fromkeys(tuple(row.tokens) for row in rows))
        width = max(len(prompt) for prompt in prompts)
        tokens = [[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        self._mask = torch.tensor(mask, device=model.device)
        self._read(torch.tensor(tokens, device=model.device), (self._mask.cumsum(-1) - 1).clamp(min=0))
        if len(prompts) < len(rows):
            places = {prompt: n for n, prompt in enumerate(prompts)}
            index = torch.tensor([places[tuple(row.tokens)] for row in rows], device=model.device)
            self.logits = self.logits[index]
            self.keep(index)

    def keep(self, index: torch.Tensor) -> None:
        """Only the rows of the index, in its order; one may be named several times."""
        self._cache.batch_select_indices(index)
        self._mask = self._mask[index]

    def advance(self, chosen: torch.Tensor) -> None:
        """Reads one more token of each row."""
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._mask), 1)], dim=1)
        self._read(chosen.unsqueeze(1), self._mask.sum(-1, keepdim=True) - 1)

    @torch.inference_mode()
    def _read(self, tokens: torch.Tensor, positions: torch.Tensor) -> None:
        optional = {"position_ids": positions, "logits_to_keep": 1}
        output = self._model(
            input_ids=tokens,
            attention_mask=self._mask,
            past_key_values=self._cache,
            use_cache=True,
            **{name: value for name, value in optional.items() if name in self._accepted},
        )
        self.logits = output.logits[:, -1]


def write_unshrinking(model: Any, rows: list[Row], *, stops: set[int], pad: int) -> None:
    """The same by the model's own `generate`, for models whose rows cannot leave: all wait for the last."""
    from transformers import GenerationConfig, LogitsProcessorList

    width = max(len(row.tokens) for row in rows)
    tokens = [[pad] * (width - len(row.tokens)) + row.tokens for row in rows]
    mask = [[0] * (width - len(row.tokens)) + [1] * len(row.tokens) for row in rows]
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=max(row.request.max_new_tokens for row in rows),
        eos_token_id=sorted(stops) or None,
        pad_token_id=pad,
    )
    sampler = SeededSampler([row.request for row in rows], model.device)
    with torch.inference_mode():
        output = model.generate(
            torch.tensor(tokens, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            generation_config=config,
            logits_processor=LogitsProcessorList([sampler]),
        )
    for row, written in zip(rows, output[:, width:].tolist(), strict=True):
        for token in written:
            if row.is_over:
                break
            row.take(token, stops)
