"""Generation on this machine's GPU, against the fastest other engine installed, written into the docs.

The other engine is vLLM where it can be imported, else transformers' own continuous batching. Each runs in
a process of its own with the same model, prompts and settings; how busy the GPU was is asked of nvidia-smi
twice a second. Without a GPU it says so and ends.
"""

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import util
from pathlib import Path
from typing import Any

from bench.study import question, set_up

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- gpu figures: begin -->", "<!-- gpu figures: end -->"
MODEL = "smollm2-135m-instruct"
TEMPERATURE, TOP_P = 0.7, 0.95


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--prompts", type=int, default=256)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--part", choices=PARTS, help="measure only this engine and print JSON")
    options = parser.parse_args()
    if options.part:
        set_up()
        print(json.dumps(PARTS[options.part](options)))
        return 0
    if (card := find_card()) is None:
        print("no GPU here: nothing measured, nothing written")
        return 0
    other = "vllm" if util.find_spec("vllm") else "transformers"
    figures = {part: _measure_apart(part) for part in ("empanel", other)}
    table = make_table(card, other, figures, options)
    print(table)
    write_between_markers(PAGE, table)
    return 0


def find_card() -> str | None:
    """The name of the GPU that torch sees."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def make_table(
    card: str, other: str, figures: dict[str, dict[str, float]], options: argparse.Namespace
) -> str:
    own, theirs = figures["empanel"], figures[other]
    lines = [
        f"{card}, {datetime.now(UTC):%Y-%m-%d}: {options.model}, {options.prompts} prompts x "
        f"{options.samples} samples, up to {options.tokens} new tokens.",
        "",
        "| engine | tokens/s | GPU busy (median) |",
        "|---|---|---|",
        f"| Empanel | {own['speed']:.0f} | {own['busy']:.0f}% |",
        f"| {other} | {theirs['speed']:.0f} | {theirs['busy']:.0f}% |",
        "",
        f"Empanel reaches {100 * own['speed'] / theirs['speed']:.0f}% of the other's speed (target: 80).",
    ]
    return "\n".join(lines)


def write_between_markers(page: Path, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _measure_apart(part: str) -> dict[str, float]:
    """In a process of its own, so that no engine finds the other's memory taken."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.gpu", *sys.argv[1:], "--part", part],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def _empanel(options: argparse.Namespace) -> dict[str, float]:
    from collector.providers.base import Request
    from collector.providers.transformers_local import TransformersLocal

    provider = TransformersLocal(options.model)
    requests = [
        Request([{"role": "user", "content": question(n)}], sample, TEMPERATURE, TOP_P, options.tokens)
        for n in range(options.prompts)
        for sample in range(options.samples)
    ]

    def work() -> int:
        answers: list[Any] = provider.generate(requests)
        return sum(answer.provenance["new_tokens"] for answer in answers)

    provider.generate(requests[:64])  # loads the model and captures graphs
    return _timed(work)


def _transformers(options: argparse.Namespace) -> dict[str, float]:
    from transformers import GenerationConfig

    from collector.providers.loaded_model import borrowed_model

    with borrowed_model(options.model) as loaded:
        prompts = _prompts(options, loaded)
        config = GenerationConfig(
            do_sample=True,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            max_new_tokens=options.tokens,
            eos_token_id=sorted(loaded.stops),
            pad_token_id=loaded.tokenizer.pad_token_id,
        )

        def work() -> int:
            outputs = loaded.model.generate_batch(prompts, generation_config=config, persistent_manager=True)
            return sum(len(output.generated_tokens) for output in outputs.values())

        work()
        return _timed(work)


def _vllm(options: argparse.Namespace) -> dict[str, float]:
    from vllm import LLM, SamplingParams  # type: ignore[import-not-found]

    from collector.providers.loaded_model import borrowed_model
    from collector.providers.resident import RESIDENT
    from collector.providers.weights import find_weights

    with borrowed_model(options.model) as loaded:
        prompts = [{"prompt_token_ids": tokens} for tokens in _prompts(options, loaded)]
    RESIDENT.unload()
    engine = LLM(model=find_weights(options.model).path, dtype="bfloat16")
    settings = [
        SamplingParams(temperature=TEMPERATURE, top_p=TOP_P, max_tokens=options.tokens, seed=n)
        for n in range(len(prompts))
    ]

    def work() -> int:
        outputs = engine.generate(prompts, settings, use_tqdm=False)
        return sum(len(output.outputs[0].token_ids) for output in outputs)

    work()
    return _timed(work)


def _prompts(options: argparse.Namespace, loaded: Any) -> list[list[int]]:
    tokens = [loaded.tokenize([{"role": "user", "content": question(n)}]) for n in range(options.prompts)]
    return [prompt for prompt in tokens for _sample in range(options.samples)]


def _timed(work: Callable[[], int]) -> dict[str, float]:
    """Tokens a second of one go, and the median of how busy the GPU was meanwhile, in per cent."""
    busy: list[float] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.5):
            busy.append(_gpu_busy())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    started = time.perf_counter()
    tokens = work()
    seconds = time.perf_counter() - started
    ended.set()
    watcher.join()
    return {"speed": tokens / seconds, "busy": statistics.median(busy) if busy else 0.0}


def _gpu_busy() -> float:
    asked = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "empanel": _empanel,
    "transformers": _transformers,
    "vllm": _vllm,
}

if __name__ == "__main__":
    raise SystemExit(main())
