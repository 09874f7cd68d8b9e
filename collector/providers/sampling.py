"""Sampling in which every row of a batch has its own seed, temperature and nucleus.

Needs torch and transformers: only `transformers_local` imports it, and only once asked to generate.
"""

from collections.abc import Sequence
from random import Random

import torch
from transformers import LogitsProcessor

from collector.providers.base import Request


class SeededSampler(LogitsProcessor):
    """Leaves one token per row possible, so that a greedy search continues with the one sampled here.

    Each row draws one uniform number a step from its own stream and takes the token at that place of its
    cumulated nucleus (Holtzman et al. 2020). Rows therefore never share chance: who else is in the batch
    changes a row only through the rounding of its logits. Temperature 0 takes the likeliest token.
    """

    def __init__(self, requests: Sequence[Request], device: torch.device) -> None:
        self._rngs = [Random(request.seed) for request in requests]  # noqa: S311 - meant to be reproducible
        self._temperature = _column([max(request.temperature, 1e-4) for request in requests], device)
        self._top_p = _column([request.top_p for request in requests], device)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        ordered, tokens = (scores.float() / self._temperature).sort(dim=-1, descending=True, stable=True)
        cumulated = ordered.softmax(dim=-1).cumsum(dim=-1)
        draws = _column([rng.random() for rng in self._rngs], scores.device)
        # The nucleus ends with the first token at which the sum reaches top_p.
        last = (cumulated < self._top_p).sum(dim=-1, keepdim=True).clamp(max=scores.shape[-1] - 1)
        place = (cumulated <= draws * cumulated.gather(-1, last)).sum(dim=-1, keepdim=True)
        chosen = tokens.gather(-1, torch.minimum(place, last))
        return torch.full_like(scores, -torch.inf).scatter_(-1, chosen, 0.0)


def _column(values: list[float], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device).unsqueeze(1)
