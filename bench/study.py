"""What the measurements of generation share: Django on an empty database, a campaign, a timed provider."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

QUESTIONS = (
    "Should a doctor tell a dying patient the whole truth? Case {n}.",
    "Is it right to eat animals when other food is at hand? Case {n}.",
    "May parents read the letters of a daughter who is {n}?",
    "What does one owe to a neighbour who never helped? Case {n}.",
)


def set_up() -> None:
    """Django on the database that DATABASE_URL names, or on SQLite in DATA_DIR."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def make_run(slug: str, *, prompts: int, **generator: Any) -> Any:
    """A run with all its candidates planned, for a new campaign with one generator."""
    from django.utils import timezone

    from collector.generation import start_generation
    from collector.models import Campaign, Generator, Prompt

    campaign = Campaign.objects.create(slug=slug, title=slug, seed="bench")
    Prompt.objects.bulk_create(
        Prompt(campaign=campaign, external_id=f"p{n}", text=question(n), position=n) for n in range(prompts)
    )
    Generator.objects.create(campaign=campaign, name="bench", **generator)
    [run] = start_generation(campaign, now=timezone.now(), publish=False)
    return run


def question(n: int) -> str:
    return QUESTIONS[n % len(QUESTIONS)].format(n=n)


class Timed:
    """A provider that adds up the seconds spent in it."""

    def __init__(self, provider: Any) -> None:
        self.provider, self.seconds = provider, 0.0

    def generate(self, requests: Sequence[Any]) -> list[Any]:
        started = time.perf_counter()
        try:
            return list(self.provider.generate(requests))
        finally:
            self.seconds += time.perf_counter() - started
