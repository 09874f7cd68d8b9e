"""A local model in memory, with its tokenizer and what identifies both, set up for the device it runs on."""

import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings

from collector.providers.adapters import apply_adapter, split_name
from collector.providers.base import Messages, ProviderError
from collector.providers.resident import RESIDENT
from collector.providers.weights import find_weights

if TYPE_CHECKING:
    from collector.providers.continuous import ContinuousWriter

# The part of the free memory that the key-value cache of one batch may take.
MEMORY_SHARE = 0.5
# Where the free memory is unknown.
FALLBACK_TOKENS = 64 * 1024
# What follows when a model without a chat template writes the next turn itself.
NEXT_TURN = "\nUser:"


@dataclass
class LoadedModel:
    """A model and tokenizer in memory, and what identifies them."""

    model: Any
    tokenizer: Any
    provenance: dict[str, Any]
    # Until it has failed once.
    can_continue: bool = True

    @property
    def context(self) -> int:
        config = self.model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", 0) or 2**31)

    @cached_property
    def stops(self) -> set[int]:
        """The tokens that end a response."""
        found = self.model.generation_config.eos_token_id or self.tokenizer.eos_token_id
        return set(found) if isinstance(found, list) else {found} - {None}

    @cached_property
    def continuous(self) -> "ContinuousWriter":
        from collector.providers.continuous import ContinuousWriter

        return ContinuousWriter(self.model, stops=self.stops, pad=self.tokenizer.pad_token_id or 0)

    def stop_continuous(self) -> None:
        self.can_continue = False
        self.close()

    def close(self) -> None:
        """Ends what the model has running in the background."""
        if writer := self.__dict__.pop("continuous", None):
            writer.close()

    def tokenize(self, messages: Messages) -> list[int]:
        """The conversation as the model reads it; raises ProviderError where its template refuses it."""
        from jinja2 import TemplateError

        if not self.tokenizer.chat_template:
            return list(self.tokenizer(plain_layout(messages))["input_ids"])
        try:
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            raise ProviderError(
                f"the chat template refuses these messages: {error}", permanent=True
            ) from error
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def text(self, tokens: list[int]) -> str:
        """What the tokens say; without a chat template only up to where the model speaks for the user."""
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return str(text if self.tokenizer.chat_template else text.partition(NEXT_TURN)[0])

    def batch_tokens(self) -> int:
        """How many tokens of all rows together fit into the memory that is free now."""
        per_token = _cache_bytes(self.model)
        free = _free_bytes(self.model.device)
        return max(1024, int(free * MEMORY_SHARE / per_token)) if free and per_token else FALLBACK_TOKENS

    def peak_bytes(self) -> int:
        """The most memory in use so far: the device's, or on a CPU this process's."""
        import torch

        if self.model.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.model.device))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def borrowed_model(name: str) -> Iterator[LoadedModel]:
    """The model from memory, or loaded in the place of the one that was there. Raises ProviderError."""
    with RESIDENT.borrowed(("transformers", name), lambda: load_model(name)) as loaded:
        yield loaded


def load_model(name: str) -> LoadedModel:
    """The model called `name`, with its adapter added, on the GPU where there is one."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ProviderError(f"this worker cannot run models: {error}", permanent=True) from error

    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    base, adapter = split_name(name)
    weights = find_weights(base)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = settings.MODEL_DTYPE or fitting_dtype(device)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(weights.path, trust_remote_code=False)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            weights.path,
            dtype=getattr(torch, dtype),
            attn_implementation=settings.MODEL_ATTENTION or fitting_attention(device),
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ProviderError(f'cannot load the model "{name}": {error}', permanent=True) from error
    known: dict[str, Any] = {}
    if adapter:
        model, known = apply_adapter(model, adapter)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = model.to(device).eval()
    return LoadedModel(
        model, tokenizer, weights.provenance | known | _identify(model, tokenizer, torch, transformers)
    )


def fitting_dtype(device: str) -> str:
    """bfloat16 halves memory and doubles speed; GPUs before 2020 compute it only in float16."""
    import torch

    return "float16" if device == "cuda" and not torch.cuda.is_bf16_supported() else "bfloat16"


def fitting_attention(device: str) -> str | None:
    """Flash attention on a GPU that has its package; elsewhere what transformers chooses, mostly SDPA."""
    from transformers.utils import is_flash_attn_2_available

    return "flash_attention_2" if device == "cuda" and is_flash_attn_2_available() else None


def plain_layout(messages: Messages) -> str:
    """How a model without a chat template is asked: turns by name, an empty line between, the answer's begun.

    >>> plain_layout([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}])
    'Be brief.\\n\\nUser: Why?\\n\\nAssistant:'
    """
    speaker = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    turns = [f"{speaker.get(m['role'], 'User: ')}{m['content']}" for m in messages]
    return "\n\n".join([*turns, "Assistant:"])


def _identify(model: Any, tokenizer: Any, torch: Any, transformers: Any) -> dict[str, Any]:
    template = tokenizer.chat_template
    on_gpu = model.device.type == "cuda"
    return {
        "prompt_layout": "chat template" if template else "plain",
        "chat_template_sha256": hashlib.sha256(str(template).encode()).hexdigest() if template else None,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "device": torch.cuda.get_device_name(model.device) if on_gpu else "cpu",
        "dtype": str(model.dtype).removeprefix("torch."),
        "attention": model.config._attn_implementation,
    }


def _cache_bytes(model: Any) -> int:
    """Of keys and values for one token; 0 where the configuration does not say."""
    config = model.config.get_text_config()
    heads = int(getattr(config, "num_attention_heads", 0) or 0)
    layers = int(getattr(config, "num_hidden_layers", 0) or 0)
    if not heads or not layers:
        return 0
    width = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    groups = int(getattr(config, "num_key_value_heads", None) or heads)
    return int(2 * layers * groups * width * model.dtype.itemsize)


def _free_bytes(device: Any) -> int:
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0
