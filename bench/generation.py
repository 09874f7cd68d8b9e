"""How much batching is worth: new tokens a second in batches against one prompt at a time.

Run it from the repository: `.venv/bin/python bench/generation.py [--rows 16] [--tokens 32]`.
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import django

django.setup()

from collector.providers.base import Provider, Request, Response  # noqa: E402
from collector.providers.transformers_local import TransformersLocal  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=32)
    options = parser.parse_args()
    provider = TransformersLocal(options.model)
    requests = [
        Request([{"role": "user", "content": f"Tell me story {n}."}], seed=n, max_new_tokens=options.tokens)
        for n in range(options.rows)
    ]
    tokens_per_second(provider, [requests[:1]])  # loads the model
    alone = tokens_per_second(provider, [[request] for request in requests])
    batched = tokens_per_second(provider, [requests])
    print(f"{options.rows} prompts, up to {options.tokens} new tokens each")
    print(f"one at a time {alone:.0f} tokens/s, batched {batched:.0f}: {batched / alone:.1f} times as many")


def tokens_per_second(provider: Provider, batches: list[list[Request]]) -> float:
    started = time.perf_counter()
    answers = [answer for batch in batches for answer in provider.generate(batch)]
    tokens = sum(answer.provenance["new_tokens"] for answer in answers if isinstance(answer, Response))
    return tokens / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
