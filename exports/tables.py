"""Database to Arrow: a campaign's tables as record batches of one explicit schema, in a fixed order.

Memory holds the ids of prompts, candidates and annotators; ratings pass through a chunk at a time.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from collector.flags import text_flags
from collector.models import Candidate, Criterion, Prompt
from exports.batches import ROWS, Batches, chunks, find_extras, from_rows
from exports.columns import ANNOTATORS, CANDIDATES, CRITERIA, PROMPTS
from exports.judged_rows import JudgedRows, Place
from exports.loose_columns import LooseColumns
from exports.models import Release
from exports.privacy import Juror, Jurors
from exports.splits import split_of


@contextmanager
def snapshot() -> Iterator[None]:
    """All reading inside sees the database as of one moment, and takes no lock that writers wait for."""
    if connection.in_atomic_block:  # the caller's own transaction
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Django would begin with IMMEDIATE, which keeps everyone else from writing.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


class CampaignTables:
    """The tables of one release, to be read in order: prompts and candidates before what refers to them."""

    def __init__(self, release: Release, jurors: Jurors) -> None:
        self.release = release
        self.campaign = release.campaign
        self.jurors = jurors
        self.prompts: dict[int, tuple[str, str]] = {}  # (prompt_id, split) by key, in order
        self.candidates: dict[int, Place] = {}
        self.criteria = list(Criterion.objects.filter(campaign=self.campaign))

    def read(self) -> Iterator[Batches]:
        """Every table, each to be read to its end before the next."""
        yield self._prompts()
        yield self._candidates()
        yield from_rows(
            CRITERIA, LooseColumns(()), [[_criterion_row(criterion) for criterion in self.criteria]]
        )
        yield self._annotators()
        judged = JudgedRows(self.release, self.jurors, self.prompts, self.candidates, self.criteria)
        yield judged.ratings()
        yield judged.choices()

    def _prompts(self) -> Batches:
        prompts = Prompt.objects.judged().filter(campaign=self.campaign)
        loose = find_extras(prompts)

        def rows(chunk: list[Prompt]) -> Iterator[dict[str, Any]]:
            for prompt in chunk:
                split = split_of(prompt.external_id, prompt.extra)
                self.prompts[prompt.pk] = prompt.external_id, split
                yield _prompt_row(prompt, split) | loose.cells(prompt.extra)

        ordered = prompts.order_by("position", "pk").iterator(chunk_size=ROWS)
        return from_rows(PROMPTS, loose, (list(rows(chunk)) for chunk in chunks(ordered, ROWS)))

    def _candidates(self) -> Batches:
        known = Q(generated_at__lte=self.release.cutoff) | Q(generated_at__isnull=True)
        done = Candidate.objects.done().filter(
            known, campaign=self.campaign, prompt__purpose=Prompt.Purpose.JUDGED
        )
        loose = find_extras(done)

        def rows(chunk: list[Candidate]) -> Iterator[dict[str, Any]]:
            for candidate in chunk:
                prompt_id, split = self.prompts[candidate.prompt_id]
                place = Place(len(self.candidates), candidate.external_id, prompt_id, split)
                self.candidates[candidate.pk] = place
                yield _candidate_row(candidate, place) | loose.cells(candidate.extra)

        ordered = done.select_related("generator").order_by("prompt__position", "prompt", "pk")
        return from_rows(
            CANDIDATES,
            loose,
            (list(rows(chunk)) for chunk in chunks(ordered.iterator(chunk_size=ROWS), ROWS)),
        )

    def _annotators(self) -> Batches:
        people = self.jurors.in_order
        loose = LooseColumns(juror.attributes | juror.extra for juror in people)
        rows = [_juror_row(juror) | loose.cells(juror.attributes | juror.extra) for juror in people]
        return from_rows(ANNOTATORS, loose, chunks(rows, ROWS))


def _prompt_row(prompt: Prompt, split: str) -> dict[str, Any]:
    return {
        "prompt_id": prompt.external_id,
        "text": prompt.text or None,
        "messages": prompt.messages,
        "language": prompt.language,
        "topic": prompt.topic or None,
        "source": prompt.source or None,
        "licence": prompt.licence or None,
        "split": split,
    }


def _candidate_row(candidate: Candidate, place: Place) -> dict[str, Any]:
    return {
        "candidate_id": candidate.external_id,
        "prompt_id": place.prompt_id,
        "text": candidate.text,
        "generator": candidate.generator.name,
        "sample_index": candidate.sample_index,
        "steering": candidate.steering or None,
        "temperature": candidate.temperature,
        "seed": candidate.seed,
        "provenance": _json(candidate.provenance),
        # From the text itself, not the marks: what is marked later must not change an earlier release.
        "flags": text_flags(candidate.text, candidate.provenance),
        "split": place.split,
    }


def _criterion_row(criterion: Criterion) -> dict[str, Any]:
    return {
        "criterion": criterion.name,
        "question": criterion.question,
        "kind": criterion.kind,
        "scale_min": criterion.scale_min,
        "scale_max": criterion.scale_max,
        "categories": criterion.categories,
        "ordered": criterion.ordered,
        "higher_is_better": criterion.higher_is_better,
        "label_min": criterion.label_min or None,
        "label_max": criterion.label_max or None,
        "required": criterion.required,
        "translations": _json(criterion.translations),
    }


def _juror_row(juror: Juror) -> dict[str, Any]:
    return {
        "annotator_id": juror.annotator_id,
        "stratum": juror.stratum,
        "weight": juror.weight,
        "flags": juror.flags,
        "profile_text": juror.text,
    }


def _json(value: dict[str, Any]) -> str | None:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else None
