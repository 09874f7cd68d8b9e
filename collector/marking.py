"""Marking a prompt's candidates once all are there: near-duplicates, flags, dispersion, what juries see.

A prompt is marked as a whole and may be marked again: the same candidates get the same marks, whatever the
order in which they were made. What is done and unmarked is found in the database: nothing stays unmarked.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import structlog
from django.db import transaction
from django.db.models import Q

from collector import sentence_encoder
from collector.distinct import plan_further_samples
from collector.flags import LENGTH_OUTLIER, REFUSAL_FLAG, RULES, SELF_IDENTIFYING_FLAG, text_flags
from collector.generation import finish_run, publish_runs
from collector.lengths import flag_lengths
from collector.models import Campaign, Candidate, Dispersion, GenerationRun, Generator, Prompt
from collector.similarity import Vectors, coverage, dispersion, find_repeats, shingle_vectors

PROMPTS_AT_ONCE = 50
LEASE = timedelta(minutes=10)
SHINGLES = "shingles"
# From what cosine on two candidates are near-duplicates, where the campaign does not say otherwise.
THRESHOLDS = {sentence_encoder.NAME: 0.95, SHINGLES: 0.8}
# What of a campaign and of its generators the marks depend on.
SETTINGS = {
    *("duplicate_threshold", "leaves_out_self_identifying", "leaves_out_refusals"),
    *("distinct_samples", "written_by_people"),
}
LeftOut = Candidate.LeftOut
MARKS = ("flags", "left_out", "marked_with", "marked_at")

log = structlog.get_logger(__name__)


class Compared(NamedTuple):
    """A prompt's candidates, those of a group together and in the order of their samples, as vectors."""

    candidates: list[Candidate]
    vectors: Vectors
    measure: str


def mark_candidates(now: datetime, *, campaign: Campaign | None = None, limit: int = PROMPTS_AT_ONCE) -> int:
    """Marks all candidates of up to `limit` prompts that have unmarked ones and await no more.

    Returns how many prompts that were. In the same transaction plans what sampling until enough are distinct
    takes, and then tells the workers.
    """
    prompts = _claim(now, campaign, limit)
    if not prompts:
        return 0
    compared = _compare(_read(prompts))
    with transaction.atomic():
        runs = _lock_runs(compared)
        _store(compared, now)
        further = _plan_further(prompts, runs) if runs else 0
        Prompt.objects.filter(pk__in=prompts).update(marking_until=None)
    going_on = [run for run in runs if not finish_run(run, now)]
    if further:
        publish_runs(going_on, now)
    log.info("candidates_marked", prompts=len(prompts), sampled_further=further)
    return len(prompts)


def mark_for(seconds: float, clock: Callable[[], datetime]) -> int:
    """Marks prompts until none is left or the time is up, then tends to what marks of all candidates say."""
    ends_at = clock() + timedelta(seconds=seconds)
    prompts = 0
    while some := mark_candidates(clock()):
        prompts += some
        if clock() >= ends_at:
            return prompts
    flag_lengths()
    return prompts


def remark(campaign: Campaign, changed: Iterable[str]) -> int:
    """Has the candidates marked anew where the changed settings say so; returns how many.

    Once a campaign has been opened, what was marked before stays in its juries' sight, or out of it.
    """
    if not SETTINGS.intersection(changed):
        return 0
    return campaign.candidates.done().update(marked_at=None)


def _claim(now: datetime, campaign: Campaign | None, limit: int) -> list[int]:
    """Keys of prompts that are now this caller's to mark, unless it falls silent for the lease's time."""
    with transaction.atomic():
        free = Prompt.objects.unmarked().filter(Q(marking_until__isnull=True) | Q(marking_until__lt=now))
        if campaign is not None:
            free = free.filter(campaign=campaign)
        ready = free.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
        claimed = list(ready.values_list("pk", flat=True)[:limit])
        Prompt.objects.filter(pk__in=claimed).update(marking_until=now + LEASE)
    return claimed


def _read(prompts: list[int]) -> list[list[Candidate]]:
    """The prompts' done candidates, a list a prompt."""
    done = (
        Candidate.objects.done()
        .filter(prompt__in=prompts)
        .select_related("prompt", "generator", "campaign")
        .defer("html", "extra", "prompt__text", "prompt__messages")
        .order_by("prompt", "generator", "steering", "sample_index", "pk")
    )
    return [list(rows) for _prompt, rows in groupby(done, key=lambda candidate: candidate.prompt_id)]


def _compare(prompts: list[list[Candidate]]) -> list[Compared]:
    """The prompts' candidates as vectors: of meaning where the encoder knows the language, or of letters."""
    encoded = [rows for rows in prompts if sentence_encoder.knows(rows[0].prompt.language)]
    others = [rows for rows in prompts if not sentence_encoder.knows(rows[0].prompt.language)]
    if not sentence_encoder.is_available():
        encoded, others = [], prompts
    texts = [candidate.text for rows in encoded for candidate in rows]
    vectors = sentence_encoder.encode(texts) if texts else shingle_vectors([])
    compared, start = [], 0
    for rows in encoded:
        compared.append(Compared(rows, vectors[start : start + len(rows)], sentence_encoder.NAME))
        start += len(rows)
    return compared + [Compared(rows, shingle_vectors([c.text for c in rows]), SHINGLES) for rows in others]


def _lock_runs(compared: list[Compared]) -> list[GenerationRun]:
    """The open runs that wait for these marks; locked, so that none ends in between."""
    waiting = {
        candidate.generator_id
        for prompt in compared
        for candidate in prompt.candidates
        if candidate.generator.distinct_samples is not None
    }
    if not waiting:
        return []
    still_open = GenerationRun.objects.open().filter(generator__in=waiting)
    return list(still_open.select_related("generator").select_for_update(of=("self",)).order_by("pk"))


def _plan_further(prompts: list[int], runs: list[GenerationRun]) -> int:
    """Plans what the prompts' groups still lack, as part of the runs; returns how many groups that were."""
    generators = [run.generator_id for run in runs]
    own = Candidate.objects.filter(prompt__in=prompts, generator__in=generators)
    further = plan_further_samples(own)
    if further:
        for run in runs:
            own.unfinished().filter(generator=run.generator_id, run__isnull=True).update(run=run)
    return further


def _store(compared: list[Compared], now: datetime) -> None:
    rows = [candidate for prompt in compared for candidate in _marked(prompt, now)]
    _store_marks(rows)
    Dispersion.objects.bulk_create(
        [figure for prompt in compared for figure in _dispersions(prompt, now)],
        update_conflicts=True,
        unique_fields=["prompt", "generator"],
        update_fields=[
            *("measure", "candidates", "distinct", "value"),
            *("people", "people_value", "coverage", "computed_at"),
        ],
    )
    Generator.objects.filter(pk__in={row.generator_id for row in rows}).update(lengths_due=True)


def _store_marks(rows: list[Candidate]) -> None:
    """One update for all that have the same marks, as most have: a bulk_update takes ten times as long."""
    alike: dict[str, list[Candidate]] = defaultdict(list)
    for row in rows:
        alike[json.dumps([row.flags, row.left_out, row.marked_with])].append(row)
    for group in alike.values():
        marks = {field: getattr(group[0], field) for field in MARKS}
        Candidate.objects.filter(pk__in=[row.pk for row in group]).update(**marks, duplicate_of=None)
    repeats = [row for row in rows if row.duplicate_of is not None]
    Candidate.objects.bulk_update(repeats, ["duplicate_of"], batch_size=500)


def _marked(prompt: Compared, now: datetime) -> list[Candidate]:
    candidates = prompt.candidates
    campaign = candidates[0].campaign
    threshold = campaign.duplicate_threshold or THRESHOLDS[prompt.measure]
    for candidate, original in zip(candidates, _find_originals(prompt, threshold), strict=True):
        candidate.duplicate_of = original
        known = [LENGTH_OUTLIER] if LENGTH_OUTLIER in candidate.flags else []
        candidate.flags = text_flags(candidate.text, candidate.provenance) + known
        # What a jury has begun to see stays as it was.
        if campaign.is_draft or not candidate.marked_with:
            candidate.left_out = _why_left_out(candidate)
        candidate.marked_with = {"flags": RULES, "measure": prompt.measure, "threshold": threshold}
        candidate.marked_at = now
    return candidates


def _find_originals(prompt: Compared, threshold: float) -> list[Candidate | None]:
    """What each candidate repeats: the earliest of its own group, or else of the groups before.

    Its own group comes first, so that how many of a generator's candidates are distinct does not depend on
    which other generators there are.
    """
    candidates, vectors = prompt.candidates, prompt.vectors
    found: list[Candidate | None] = [None] * len(candidates)
    firsts: list[int] = []
    for places in _groups(candidates):
        repeats = find_repeats([candidates[p].text for p in places], vectors[places], threshold)
        for place, repeated in zip(places, repeats, strict=True):
            if repeated is None:
                firsts.append(place)
            else:
                found[place] = candidates[places[repeated]]
    across = find_repeats([candidates[p].text for p in firsts], vectors[firsts], threshold)
    for place, repeated in zip(firsts, across, strict=True):
        if repeated is not None:
            found[place] = candidates[firsts[repeated]]
    return found


def _groups(candidates: Sequence[Candidate]) -> list[list[int]]:
    """Places of the candidates of one generator and steering, group by group."""
    places: dict[tuple[int, str], list[int]] = defaultdict(list)
    for place, candidate in enumerate(candidates):
        places[_group(candidate)].append(place)
    return list(places.values())


def _group(candidate: Candidate) -> tuple[int, str]:
    return candidate.generator_id, candidate.steering


def _repeats_its_own(candidate: Candidate) -> bool:
    original = candidate.duplicate_of
    return original is not None and _group(original) == _group(candidate)


def _why_left_out(candidate: Candidate) -> str:
    """Why juries do not see the candidate; empty where they do. The campaign and the generator say so."""
    campaign, generator = candidate.campaign, candidate.generator
    if campaign.leaves_out_self_identifying and SELF_IDENTIFYING_FLAG in candidate.flags:
        return LeftOut.SELF_IDENTIFYING
    if campaign.leaves_out_refusals and REFUSAL_FLAG in candidate.flags:
        return LeftOut.REFUSAL
    if generator.distinct_samples is not None and _repeats_its_own(candidate):
        return LeftOut.DUPLICATE
    return ""


def _dispersions(prompt: Compared, now: datetime) -> list[Dispersion]:
    """A figure for each generator, those of models held against what people wrote."""
    places: dict[Generator, list[int]] = defaultdict(list)
    for place, candidate in enumerate(prompt.candidates):
        places[candidate.generator].append(place)
    people = [p for generator, own in places.items() if generator.written_by_people for p in own]
    spread_of_people = dispersion(prompt.vectors[people])
    figures = []
    for generator, own in places.items():
        is_compared = bool(people) and not generator.written_by_people
        figures.append(
            Dispersion(
                prompt_id=prompt.candidates[0].prompt_id,
                generator=generator,
                measure=prompt.measure,
                candidates=len(own),
                distinct=sum(not _repeats_its_own(prompt.candidates[p]) for p in own),
                value=dispersion(prompt.vectors[own]),
                people=len(people) if is_compared else 0,
                people_value=spread_of_people if is_compared else None,
                coverage=coverage(prompt.vectors[people], prompt.vectors[own]) if is_compared else None,
                computed_at=now,
            )
        )
    return figures
