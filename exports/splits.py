"""Which split a prompt belongs to: decided by its id alone, so that it is the same in every release."""

import hashlib
from typing import Any

from exports.columns import SPLITS

TRAIN_PERCENT, VALIDATION_PERCENT = 80, 10
# Translations of one prompt stay together, or a model could be trained on what it is tested on.
ORIGINAL = "x_translation_of"


def split_of(prompt_id: str, extra: dict[str, Any] | None = None) -> str:
    """train, validation or test (80/10/10) from a hash of the prompt's id, or of the one it translates.

    >>> split_of("p1") == split_of("p1-es", {"x_translation_of": "p1"})
    True
    """
    original = str((extra or {}).get(ORIGINAL) or prompt_id)
    place = int.from_bytes(hashlib.sha256(f"split:{original}".encode()).digest()[:8], "big") % 100
    if place < TRAIN_PERCENT:
        return SPLITS[0]
    return SPLITS[1] if place < TRAIN_PERCENT + VALIDATION_PERCENT else SPLITS[2]
