"""Flagging candidates whose length is far from what is usual for their generator in their language."""

from collections import defaultdict

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Length

from collector.flags import LENGTH_OUTLIER, Lengths, usual_lengths
from collector.models import Candidate, GenerationRun, Generator

GENERATORS_AT_ONCE = 20
ROWS_AT_ONCE = 2000


def flag_lengths() -> int:
    """Counts anew for up to 20 generators whose candidates changed and are all marked; returns how many."""
    candidates = Candidate.objects.filter(generator=OuterRef("pk"))
    still_to_come = candidates.unfinished().filter(run__state__in=GenerationRun.ACTIVE)
    due = Generator.objects.filter(
        ~Exists(still_to_come), ~Exists(candidates.unmarked()), lengths_due=True
    ).order_by("pk")
    generators = list(due.values_list("pk", flat=True)[:GENERATORS_AT_ONCE])
    for generator in generators:
        _flag_lengths_of(generator)
    return len(generators)


def _flag_lengths_of(generator: int) -> None:
    """In one transaction: a worker that dies in it leaves the count due."""
    with transaction.atomic():
        if not Generator.objects.filter(pk=generator, lengths_due=True).update(lengths_due=False):
            return
        done = Candidate.objects.done().filter(generator=generator).order_by("pk")
        rows = list(done.annotate(length=Length("text")).values_list("pk", "prompt__language", "length"))
        by_language: dict[str, list[int]] = defaultdict(list)
        for _key, language, length in rows:
            by_language[language].append(length)
        usual = {language: usual_lengths(lengths) for language, lengths in by_language.items()}
        outliers = {key for key, language, length in rows if not _is_usual(length, usual[language])}
        flags = dict(done.exclude(flags=[]).values_list("pk", "flags"))
        flagged = {key for key, own in flags.items() if LENGTH_OUTLIER in own}
        changed = [
            Candidate(pk=key, flags=_changed(flags.get(key, []), key in outliers))
            for key in sorted(outliers ^ flagged)
        ]
        Candidate.objects.bulk_update(changed, ["flags"], batch_size=ROWS_AT_ONCE)


def _is_usual(length: int, usual: Lengths | None) -> bool:
    return usual is None or usual.shortest <= length <= usual.longest


def _changed(flags: list[str], is_outlier: bool) -> list[str]:
    others = [flag for flag in flags if flag != LENGTH_OUTLIER]
    return [*others, LENGTH_OUTLIER] if is_outlier else others
