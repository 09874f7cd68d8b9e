"""LoRA adapters: small folders of safetensors that change how a model answers, named `model+adapter`."""

from pathlib import Path
from typing import Any

from collector.providers.base import ProviderError
from collector.providers.weights import find_folder, folder_sha256, require_safetensors


def split_name(model: str) -> tuple[str, str]:
    """The model's name and its adapter's, which is "" where there is none.

    >>> split_name("smollm2-135m-instruct+kinder")
    ('smollm2-135m-instruct', 'kinder')
    """
    if find_folder(model):
        return model, ""
    name, _plus, adapter = model.partition("+")
    return name, adapter


def apply_adapter(model: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """The model with the adapter's changes added into its weights, and what identifies the adapter.

    Added in, the adapter costs nothing per token. Raises ProviderError where it cannot be found or used.
    """
    folder = find_folder(name)
    if folder is None or not (folder / "adapter_config.json").is_file():
        raise ProviderError(f'there is no adapter "{name}": no such folder in MODELS_DIR', permanent=True)
    require_safetensors(folder, "adapter_model.safetensors")
    return _merged(model, folder), {"adapter": name, "adapter_sha256": folder_sha256(folder)}


def _merged(model: Any, folder: Path) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ProviderError(f"this worker cannot use adapters: {error}", permanent=True) from error
    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=False).merge_and_unload()
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ProviderError(
            f'the adapter "{folder.name}" does not fit the model: {error}', permanent=True
        ) from error
