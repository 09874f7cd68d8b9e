"""Sampling in which every row of a batch has its own seed, temperature and nucleus.

Needs torch and transformers: only `transformers_local` imports it, and only once asked to generate.
"""

from collections.abc import Sequence
from random import Random

import torch
from transformers import LogitsProcessor

from collector.providers.base import ProviderError, Request


class SeededSampler(LogitsProcessor):
    """Draws the next token of every row of a batch.

    A token is drawn from the whole distribution, and again until it lies in the nucleus (Holtzman et al.
    2020): those tokens whose likelier ones together have less than top_p. That is the nucleus's own
    distribution, without sorting the vocabulary, which takes longer than the model itself. Each row draws
    from its own stream, so who else is in the batch changes a row only through the rounding of its logits.
    Temperature 0 takes the likeliest token.
    """

    def __init__(self, requests: Sequence[Request], device: torch.device) -> None:
        self._rngs = [Random(request.seed) for request in requests]  # noqa: S311 - meant to be reproducible
        self._temperature = _column([max(request.temperature, 1e-4) for request in requests], device)
        self._top_p = _column([max(request.top_p, 1e-6) for request in requests], device)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """For `generate`: leaves one token per row possible, so that a greedy search takes it."""
        chosen = self.sample(scores).unsqueeze(1)
        return torch.full_like(scores, -torch.inf).scatter_(-1, chosen, 0.0)

    @torch.inference_mode()
    def sample(self, scores: torch.Tensor) -> torch.Tensor:
        """One token per row, from logits of shape [rows, vocabulary]."""
        all_probabilities = probabilities = (scores.float() / self._temperature).softmax(dim=-1)
        all_cumulated = cumulated = probabilities.cumsum(dim=-1)
        if not torch.isfinite(cumulated[:, -1]).all():  # the loop below would never end
            raise ProviderError("the model computes no probabilities: another MODEL_DTYPE?", permanent=True)
        chosen = torch.zeros(len(scores), 1, dtype=torch.long, device=scores.device)
        rows = torch.arange(len(scores), device=scores.device)
        while len(rows):
            drawn = self._draw(rows, cumulated)
            chosen[rows] = drawn
            rows = rows[~self._in_nucleus(rows, probabilities, drawn)]
            if len(rows):  # the first round looks at all rows where they are, copying nothing
                probabilities, cumulated = all_probabilities[rows], all_cumulated[rows]
        return chosen.squeeze(1)

    def keep(self, index: torch.Tensor) -> None:
        """Only the rows of the index go on, each with its own stream."""
        self._rngs = [self._rngs[n] for n in index.tolist()]
        self._temperature, self._top_p = self._temperature[index], self._top_p[index]

    def _draw(self, rows: torch.Tensor, cumulated: torch.Tensor) -> torch.Tensor:
        draws = _column([self._rngs[row].random() for row in rows.tolist()], cumulated.device)
        places = torch.searchsorted(cumulated, draws * cumulated[:, -1:], right=True)
        return places.clamp(max=cumulated.shape[-1] - 1)

    def _in_nucleus(
        self, rows: torch.Tensor, probabilities: torch.Tensor, drawn: torch.Tensor
    ) -> torch.Tensor:
        own = probabilities.gather(-1, drawn)
        likelier = (probabilities * (probabilities > own)).sum(dim=-1, keepdim=True)
        return (likelier < self._top_p[rows]).squeeze(-1)


def _column(values: list[float], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device).unsqueeze(1)
