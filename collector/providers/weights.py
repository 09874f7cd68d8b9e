"""Where a local model's weights come from: a package that carries them, a folder, a GGUF file, or the hub.

Whatever the name says, the outcome is a folder of safetensors; pickled weights are never opened.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from collector.providers.base import ProviderError
from collector.providers.gguf_files import PACKAGED, find_gguf, to_safetensors
from collector.providers.hub import HUB_NAME, download

SHAPING = {".safetensors", ".json", ".jinja", ".model", ".txt"}
PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}


@dataclass(frozen=True)
class Weights:
    """The folder to hand to `from_pretrained`, and what identifies its content for good."""

    path: str
    provenance: dict[str, Any] = field(default_factory=dict)


def find_weights(model: str) -> Weights:
    """The weights called `model`; raises ProviderError, saying what is wrong with the name or the folder.

    A name is one of `PACKAGED`, a folder (absolute or in MODELS_DIR), a GGUF file in MODELS_DIR, or
    `org/name@commit` of the hub, which is taken from the hub's cache where it is there.
    """
    if folder := _folder(model):
        return _checked(folder, {"sha256": folder_sha256(folder)})
    if gguf := find_gguf(model):
        return Weights(str(to_safetensors(gguf)), gguf.provenance)
    if named := HUB_NAME.fullmatch(model):
        name, commit = named["name"], named["commit"]
        if commit is None:
            raise _permanent(
                f'"{model}" is not pinned: name the commit as well, {name}@ and 40 hexadecimal digits'
            )
        folder = download(name, commit)
        return _checked(folder, {"revision": commit, "sha256": folder_sha256(folder)})
    known = ", ".join(PACKAGED)
    raise _permanent(
        f'there is no model "{model}": not a folder or GGUF file in MODELS_DIR, '
        f"nor org/name@commit, nor one of {known}"
    )


def find_folder(name: str) -> Path | None:
    """The folder called `name`: absolute, or in MODELS_DIR."""
    folder = settings.MODELS_DIR / name
    return folder if name and folder.is_dir() else None


def require_safetensors(folder: Path, pattern: str = "*.safetensors") -> None:
    """Raises ProviderError where the folder has no such file; unpickling another would run what is in it."""
    if any(folder.glob(pattern)):
        return
    if pickled := sorted(file.name for file in folder.iterdir() if file.suffix in PICKLED):
        raise _permanent(
            f'"{folder.name}" holds only pickled weights ({pickled[0]}), which may run code when they are '
            "opened: convert them to safetensors"
        )
    raise _permanent(f'"{folder.name}" holds no weights: no {pattern}')


def folder_sha256(folder: Path) -> str:
    """Of the names and checksums of everything in the folder that shapes the output."""
    files = sorted(file for file in folder.iterdir() if file.suffix in SHAPING)
    listing = "".join(f"{file_sha256(file)}  {file.name}\n" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def file_sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _folder(model: str) -> Path | None:
    folder = find_folder(model)
    return folder if folder and (folder / "config.json").is_file() else None


def _checked(folder: Path, provenance: dict[str, Any]) -> Weights:
    require_safetensors(folder)
    return Weights(str(folder), provenance)


def _permanent(message: str) -> ProviderError:
    return ProviderError(message, permanent=True)
