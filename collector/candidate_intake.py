"""Ready-made candidates from a file, kept under generators whose provider is "imported"."""

from collections import Counter
from pathlib import Path
from typing import BinaryIO

from django.utils import timezone
from django.utils.translation import gettext as _

from collector.intake import BATCH, Intake, Reader, refuse_double, refuse_empty, refuse_state, store
from collector.models import ID_LENGTH, SLUG_LENGTH, Campaign, Candidate, Generator, Prompt
from collector.planning import candidate_id
from collector.rendering import render_markdown
from collector.tabular import Row

IMPORTED = "imported"
COLUMNS = (
    *("candidate_id", "prompt_id", "text", "generator", "sample_index"),
    *("steering", "temperature", "seed"),
)
HIGHEST_SAMPLE = 32767

Place = tuple[str, str, str, int]  # prompt, generator, steering, sample


class _Known:
    """What a campaign has already, so that every row can be checked without a query of its own."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.prompts = {prompt.external_id: prompt for prompt in campaign.prompts.all()}
        self.generators = {generator.name: generator for generator in campaign.generators.all()}
        self.ids: set[str] = set()
        self.places: set[Place] = set()
        self.judged: set[str] = set()  # prompts whose candidates people may be looking at
        for name, prompt, generator, steering, sample in campaign.candidates.values_list(
            "external_id", "prompt__external_id", "generator__name", "steering", "sample_index"
        ):
            self.ids.add(name)
            self.places.add((prompt, generator, steering, sample))
            if not campaign.is_draft:
                self.judged.add(prompt)


def load_candidates(
    campaign: Campaign, source: Path | BinaryIO, name: str | None = None, *, dry_run: bool = False
) -> Intake:
    """Add the file's candidates; in an open campaign only to prompts that have none yet.

    Raises IntakeError, or WrongState, and then nothing is stored.
    """
    refuse_state(campaign)
    reader, known = Reader(source, name, COLUMNS), _Known(campaign)
    seen: dict[str, int] = {}
    candidates = []
    for row in reader.rows():
        if candidate := _read_candidate(reader, row, known):
            refuse_double(reader, row, "candidate_id", candidate.external_id, seen, known.ids)
            candidates.append(candidate)
    refuse_empty(reader, candidates)
    if not dry_run:
        store(campaign, reader.file, "candidate_id", lambda: _insert(known, candidates))
    counts = {"generator": Counter(candidate.generator.name for candidate in candidates)}
    return Intake(len(candidates), counts, dry_run)


def _read_candidate(reader: Reader, row: Row, known: _Known) -> Candidate | None:
    before = reader.problems.total
    prompt = _find_prompt(reader, row, known)
    generator = _find_generator(reader, row, known)
    text = reader.text(row, "text", longest=2**16, required=True)
    given = reader.text(row, "candidate_id", longest=ID_LENGTH, required="candidate_id" in row.values)
    steering = reader.text(row, "steering", longest=200)
    sample = _find_sample(reader, row, known, prompt, generator, steering)
    temperature, seed = reader.number(row, "temperature", float), reader.number(row, "seed", int)
    if prompt is None or generator is None or reader.problems.total > before:
        return None
    return Candidate(
        campaign=known.campaign,
        prompt=prompt,
        generator=generator,
        external_id=given or candidate_id(prompt, generator, sample, steering),
        sample_index=sample,
        state=Candidate.State.DONE,
        text=text,
        html=render_markdown(text),
        steering=steering,
        temperature=temperature,
        seed=seed,
        extra=reader.x_columns(row),
        generated_at=None,
        provenance={"file": reader.file, "line": row.line},
    )


def _find_prompt(reader: Reader, row: Row, known: _Known) -> Prompt | None:
    name = reader.text(row, "prompt_id", longest=ID_LENGTH, required=True)
    prompt = known.prompts.get(name)
    if name and prompt is None:
        reader.fault(row, "prompt_id", _('"%(id)s" is no prompt of this campaign') % {"id": name[:100]})
    elif name in known.judged:
        said = _('"%(id)s" has candidates already, and this campaign has been opened') % {"id": name[:100]}
        reader.fault(row, "prompt_id", said)
    return prompt


def _find_generator(reader: Reader, row: Row, known: _Known) -> Generator | None:
    name = reader.text(row, "generator", longest=SLUG_LENGTH) or IMPORTED
    generator = known.generators.get(name)
    if generator is None:
        generator = Generator(campaign=known.campaign, name=name, provider=IMPORTED, model=name)
        known.generators[name] = generator
    elif generator.provider != IMPORTED:
        said = _('"%(name)s" makes its own candidates; name another generator') % {"name": name}
        reader.fault(row, "generator", said)
        return None
    return generator


def _find_sample(
    reader: Reader,
    row: Row,
    known: _Known,
    prompt: Prompt | None,
    generator: Generator | None,
    steering: str,
) -> int:
    """The row's sample_index, or the next free one; noted as taken."""
    sample: int | None = reader.number(row, "sample_index", int)
    if prompt is None or generator is None:
        return 0
    if sample is None:
        sample = 0
        while (prompt.external_id, generator.name, steering, sample) in known.places:
            sample += 1
    place = (prompt.external_id, generator.name, steering, sample)
    if sample > HIGHEST_SAMPLE:
        reader.fault(row, "sample_index", _("is out of range"))
    if place in known.places:
        reader.fault(row, "sample_index", _("is taken for this prompt and generator"))
    known.places.add(place)
    return sample


def _insert(known: _Known, candidates: list[Candidate]) -> None:
    highest = Counter[str]()
    for candidate in candidates:
        name = candidate.generator.name
        highest[name] = max(highest[name], candidate.sample_index + 1)
    for name, samples in highest.items():
        generator = known.generators[name]
        generator.samples = max(generator.samples or 1, samples)
        generator.save()
    now = timezone.now()
    for candidate in candidates:
        candidate.generator = known.generators[candidate.generator.name]
        candidate.generated_at = now
    Candidate.objects.bulk_create(candidates, batch_size=BATCH)
