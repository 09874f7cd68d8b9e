"""What it costs to compare and flag candidates: a candidate's share of time, queries and memory."""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PROMPTS, SAMPLES = 100, 8


def main() -> None:
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="empanel-bench-"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collector.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    make_candidates()
    for encoder in ("none", "minilm"):
        settings.SENTENCE_ENCODER = encoder
        measure(encoder)


def make_candidates() -> None:
    """As many as `PROMPTS` by `SAMPLES`, of about 50 words, written by the scripted provider."""
    from collector.models import Campaign, Candidate, Generator, Prompt
    from collector.providers.base import Request
    from collector.providers.scripted import Scripted

    campaign = Campaign.objects.create(slug="bench", title="Bench", languages=["en"])
    generator = Generator.objects.create(campaign=campaign, name="scripted", provider="scripted")
    provider = Scripted()
    for number in range(PROMPTS):
        prompt = Prompt.objects.create(campaign=campaign, external_id=f"p{number}", text="?", position=number)
        asked = [
            Request([{"role": "user", "content": f"Question {number}"}], seed) for seed in range(SAMPLES)
        ]
        Candidate.objects.bulk_create(
            Candidate(
                campaign=campaign,
                prompt=prompt,
                generator=generator,
                external_id=f"p{number}-{index}",
                sample_index=index,
                state=Candidate.State.DONE,
                text=response.text,  # type: ignore[union-attr]
            )
            for index, response in enumerate(provider.generate(asked))
        )


def measure(encoder: str) -> None:
    """Marks everything once to warm up what is loaded, and once on the clock."""
    from django.db import connection, reset_queries
    from django.utils import timezone

    from collector.flags import text_flags
    from collector.lengths import flag_lengths
    from collector.marking import mark_candidates
    from collector.models import Candidate

    candidates = PROMPTS * SAMPLES
    Candidate.objects.update(marked_at=None)
    mark_candidates(timezone.now(), limit=1)
    Candidate.objects.update(marked_at=None)
    begun = time.perf_counter()
    while mark_candidates(timezone.now()):
        pass
    flag_lengths()
    seconds = time.perf_counter() - begun
    Candidate.objects.update(marked_at=None)
    connection.force_debug_cursor = True
    reset_queries()
    mark_candidates(timezone.now())
    database = sum(float(query["time"]) for query in connection.queries)
    queries = len(connection.queries)
    connection.force_debug_cursor = False
    texts = list(Candidate.objects.values_list("text", flat=True))
    begun = time.perf_counter()
    for text in texts:
        text_flags(text, {})
    flagging = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    each = 1000 / candidates
    stored = 1000 * database / (50 * SAMPLES)
    print(
        f"{encoder:>7}: {each * seconds:6.2f} ms a candidate ({candidates / seconds:,.0f} a second), "
        f"of which {each * flagging:.3f} for flags and {stored:.3f} in the database; "
        f"{queries} queries for 50 prompts; {memory:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
