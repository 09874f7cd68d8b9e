"""What was asked and answered, from a folder's tables: criteria, prompts, candidates and their generators."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from collector.models import Campaign, Candidate, Criterion, Generator, Prompt
from collector.rendering import render_markdown
from collector.steering_spec import label_of
from collector.tabular import Problems
from exports.campaign_file import CampaignFile, make_criterion
from exports.folder import SETTINGS, Folder, Record
from exports.row_checks import MAX_SMALL, fits, is_fresh, refuse_reference, store_batches

DEFAULT_GENERATOR = "imported"


def import_criteria(source: Folder, settings: CampaignFile, campaign: Campaign) -> dict[str, Criterion]:
    criteria: dict[str, Criterion] = {}
    file = source.name_of("criteria") if source.has("criteria") else SETTINGS
    rows: Iterable[tuple[int | None, dict[str, Any]]]
    if source.has("criteria"):
        rows = ((record.line, record.values) for record in source.read("criteria"))
    else:
        rows = ((None, row) for row in settings.criteria_rows())
    for line, row in rows:
        fault = _fault_of_criterion(row)
        if fault:
            source.problems.add(file, line, *fault)
        elif row["criterion"] in criteria:
            source.problems.add(
                file, line, "criterion", _("%(id)s is there twice") % {"id": row["criterion"]}
            )
        else:
            criteria[row["criterion"]] = make_criterion(campaign, row, len(criteria))
    Criterion.objects.bulk_create(criteria.values())
    return criteria


def _fault_of_criterion(row: dict[str, Any]) -> tuple[str, str] | None:
    """The column at fault and what is wrong with it."""
    name, kind = row.get("criterion"), row.get("kind")
    if not name or not kind:
        return ("criterion" if not name else "kind"), _("is empty")
    limits = {"criterion": 64, "question": 500, "label_min": 100, "label_max": 100}
    for column, limit in limits.items():
        if len(row.get(column) or "") > limit:
            return column, _("is longer than %(limit)s characters") % {"limit": limit}
    if kind not in Criterion.Kind.values:
        return "kind", _("is none of %(kinds)s") % {"kinds": ", ".join(Criterion.Kind.values)}
    low, high = row.get("scale_min"), row.get("scale_max")
    if kind in ("likert", "slider") and (low is None) != (high is None):
        return "scale_min", _("is given without scale_max, or the other way round")
    if kind in ("likert", "slider") and low is not None and high is not None and low >= high:
        return "scale_max", _("is not above scale_min")
    categories = row.get("categories") or []
    if kind == "categorical" and len(categories) < 2:
        return "categories", _("needs at least two")
    if len(set(categories)) < len(categories):
        return "categories", _("has a label twice")
    return None


def import_prompts(source: Folder, campaign: Campaign) -> tuple[dict[str, int], list[str]]:
    """Prompt keys by prompt_id, and the languages in the order met."""
    keys: dict[str, int] = {}
    languages: dict[str, None] = {}
    limits = {"prompt_id": 200, "language": 16, "topic": 100, "source": 200, "licence": 64}

    def rows() -> Iterator[Prompt]:
        seen: set[str] = set()
        for record in source.read("prompts"):
            if not is_fresh(record, "prompt_id", seen, source.problems) or not fits(
                record, limits, source.problems
            ):
                continue
            values = record.values
            if not values.get("text") and not values.get("messages"):
                source.problems.add(record.file, record.line, "text", _("is empty"))
                continue
            languages[values.get("language") or "en"] = None
            yield Prompt(
                campaign=campaign,
                external_id=values["prompt_id"],
                text=values.get("text") or "",
                messages=values.get("messages"),
                language=values.get("language") or "en",
                topic=values.get("topic") or "",
                source=values.get("source") or "",
                licence=values.get("licence") or "",
                position=len(seen),
                extra=record.extra,
            )

    for batch in store_batches(Prompt, rows()):
        keys |= {prompt.external_id: prompt.pk for prompt in batch}
    if not keys and not source.problems.total:
        source.problems.add(source.name_of("prompts"), None, None, _("the table has no rows"))
    return keys, list(languages)


def import_candidates(
    source: Folder, settings: CampaignFile, campaign: Campaign, prompts: dict[str, int]
) -> dict[str, tuple[int, str]]:
    """(key, prompt_id) by candidate_id."""
    keys: dict[str, tuple[int, str]] = {}
    generators = _Generators(campaign, settings, source.problems)
    limits = {"candidate_id": 200, "generator": 64, "steering": 200}
    prompt_ids = {key: name for name, key in prompts.items()}

    def rows() -> Iterator[Candidate]:
        seen: set[str] = set()
        for record in source.read("candidates"):
            values = record.values
            if not is_fresh(record, "candidate_id", seen, source.problems) or not fits(
                record, limits, source.problems
            ):
                continue
            if values["prompt_id"] not in prompts:
                refuse_reference(record, "prompt_id", source.name_of("prompts"), source.problems)
                continue
            place = generators.place(record)
            if place is None:
                continue
            yield Candidate(
                campaign=campaign,
                prompt_id=prompts[values["prompt_id"]],
                generator=place.generator,
                external_id=values["candidate_id"],
                sample_index=place.sample,
                state=Candidate.State.DONE,
                text=values["text"],
                html=render_markdown(values["text"]),
                steering=place.label,
                temperature=values.get("temperature"),
                seed=values.get("seed"),
                provenance=values.get("provenance") or {},
                extra=record.extra,
            )

    for batch in store_batches(Candidate, rows()):
        keys |= {each.external_id: (each.pk, prompt_ids[each.prompt_id]) for each in batch}
    return keys


class Place(NamedTuple):
    """Where a candidate belongs among those of its prompt."""

    generator: Generator
    label: str  # of the steering
    sample: int


class _Generators:
    """The campaign's generators, declared or first met in a candidate, and their samples so far."""

    def __init__(self, campaign: Campaign, settings: CampaignFile, problems: Problems) -> None:
        self.campaign = campaign
        self.problems = problems
        self.known: dict[str, Generator] = {}
        self.used: dict[tuple[str, str, str], set[int]] = defaultdict(set)
        for generator in settings.generators:
            if generator.name in self.known:
                settings.refuse("generators", _("%(name)s is there twice") % {"name": generator.name})
            elif generator.name and generator.samples:
                self._keep(generator)

    def place(self, record: Record) -> Place | None:
        """The candidate's generator, its steering, and its sample number, given or the next free one."""
        values = record.values
        generator = self._find(values.get("generator") or DEFAULT_GENERATOR)
        label = values.get("steering") or ""
        if "steering" not in values and len(generator.steerings) == 1:
            label = label_of(generator.steerings[0])
        used = self.used[values["prompt_id"], generator.name, label]
        index = values.get("sample_index")
        if index is None:
            index = next(number for number in range(len(used) + 1) if number not in used)
        if index in used:
            said = _("%(index)s is there twice for this prompt and generator") % {"index": index}
            self.problems.add(record.file, record.line, "sample_index", said)
            return None
        if not 0 <= index <= MAX_SMALL:
            self.problems.add(record.file, record.line, "sample_index", _("is out of range"))
            return None
        used.add(index)
        return Place(generator, label, index)

    def _find(self, name: str) -> Generator:
        if name not in self.known:
            self._keep(Generator(name=name, provider=DEFAULT_GENERATOR))
        return self.known[name]

    def _keep(self, generator: Generator) -> None:
        generator.campaign = self.campaign
        generator.save()
        self.known[generator.name] = generator
