"""New tokens a second: one prompt at a time against Empanel's whole path, in one run, and what the path adds.

The plain way is what most scripts do, `model.generate` for one prompt after the other with the same settings;
half of it is measured before and half after, as machines get busier and calmer. Empanel's way claims, leases,
generates, renders and stores. `--engine llama_cpp` measures the other engine's whole path.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

from bench.study import Timed, make_run, question, set_up

MODEL = "smollm2-135m-instruct"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--batch", type=int, nargs="+", default=[16, 64, 128])
    parser.add_argument("--plain", type=int, default=24, help="responses made one at a time")
    parser.add_argument("--engines", nargs="+", default=["transformers_local", "llama_cpp"])
    options = parser.parse_args()
    set_up()
    print(
        f"{options.prompts} prompts x {options.samples} samples, up to {options.tokens} new tokens, "
        f"one at a time {options.plain} of them"
    )
    half = max(1, options.plain // 2)
    plain = [plain_speed(range(half), options.tokens)]
    speeds = [measure(engine, size, options) for engine in options.engines for size in options.batch]
    plain.append(plain_speed(range(half, 2 * half), options.tokens))
    base = sum(plain) / 2
    print(f"one prompt at a time: {base:.1f} tokens/s ({plain[0]:.1f} before, {plain[1]:.1f} after)")
    for words, speed in speeds:
        print(f"{words}, {speed / base:.1f} times as many")


def plain_speed(numbers: Sequence[int], tokens: int) -> float:
    """Tokens a second of transformers' own sampling, a prompt at a time, same weights and settings."""
    import torch

    from collector.providers.loaded_model import borrowed_model

    with borrowed_model(MODEL) as loaded:
        prompts = [loaded.tokenize([{"role": "user", "content": question(n)}]) for n in numbers]
        _generate(loaded, prompts[0], 4)  # the first call prepares things
        torch.manual_seed(1)
        started = time.perf_counter()
        written = sum(_generate(loaded, prompt, tokens) for prompt in prompts)
        return written / (time.perf_counter() - started)


def measure(engine: str, size: int, options: argparse.Namespace) -> tuple[str, float]:
    """The whole path of one campaign, in words and as tokens a second."""
    from django.conf import settings
    from django.db.models import Sum
    from django.utils import timezone

    from collector.generation import work_batch
    from collector.providers import PROVIDERS
    from collector.providers.base import Request

    settings.GENERATION_BATCH_SIZE = size
    slug = f"{engine.replace('_', '-')}-{size}"
    run = make_run(
        slug,
        prompts=options.prompts,
        provider=engine,
        model=MODEL,
        samples=options.samples,
        max_new_tokens=options.tokens,
    )
    provider = Timed(PROVIDERS[engine](MODEL))
    provider.provider.generate([Request([{"role": "user", "content": "Hello!"}], max_new_tokens=4)])
    started = time.perf_counter()
    while work_batch(run, provider, now=timezone.now()):  # type: ignore[arg-type]
        pass
    seconds = time.perf_counter() - started
    tokens = run.candidates.aggregate(sum=Sum("new_tokens"))["sum"] or 0
    added = 100 * (seconds / provider.seconds - 1)
    speed = tokens / seconds
    failed = run.candidates.filter(state="failed").count()
    note = f", {failed} FAILED" if failed else ""
    return f"{engine}, batches of {size}: {speed:.0f} tokens/s, the path adds {added:.1f}%{note}", speed


def _generate(loaded: Any, prompt: list[int], tokens: int) -> int:
    import torch

    inputs = torch.tensor([prompt], device=loaded.model.device)
    output = loaded.model.generate(
        inputs,
        attention_mask=torch.ones_like(inputs),
        do_sample=True,
        temperature=0.7,
        top_p=0.95,
        top_k=0,
        max_new_tokens=tokens,
        pad_token_id=loaded.tokenizer.pad_token_id,
    )
    return int(output.shape[1] - inputs.shape[1])


if __name__ == "__main__":
    main()
