"""Who judged, from a folder's annotators table or, without one, from the ids in its ratings."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from annotations.models import Annotator, Stratum, ValueProfile
from annotations.strata import WILDCARD_LABEL
from collector.models import Campaign
from collector.tabular import Problems
from exports.campaign_file import cell_label
from exports.columns import SCORE_PREFIX
from exports.folder import Folder, Record
from exports.row_checks import fits, is_fresh, store_batches

MAX_NAME = 100


class Seated(NamedTuple):
    """An annotator's key and the stratum their seats belong to."""

    key: int
    stratum: int


class _Person(NamedTuple):
    annotator: Annotator
    profile: ValueProfile


def import_annotators(source: Folder, campaign: Campaign) -> dict[str, Seated]:
    """Store annotators, profiles and strata; (key, stratum of their seats) by annotator_id."""
    people = (
        _read_people(source, campaign) if source.has("annotators") else _people_of_ratings(source, campaign)
    )
    placed = [(person, _labels(person, campaign)) for person in people]
    strata = _store_strata(campaign, [label for _person, label in placed if label])
    for person, label in placed:
        person.annotator.stratum = strata[label[0]] if label else None
    _store_levels(campaign, people)
    anyone = strata[WILDCARD_LABEL]
    seated: dict[str, Seated] = {}
    for batch in store_batches(Annotator, iter([person.annotator for person in people])):
        seated |= {each.external_id: Seated(each.pk, each.stratum_id or anyone.pk) for each in batch}
    for _batch in store_batches(ValueProfile, _with_keys(people)):
        pass
    return seated


def _read_people(source: Folder, campaign: Campaign) -> list[_Person]:
    seen: set[str] = set()
    limits = {"annotator_id": 200, "stratum": 200}
    return [
        _person(record, campaign, source.problems)
        for record in source.read("annotators")
        if is_fresh(record, "annotator_id", seen, source.problems) and fits(record, limits, source.problems)
    ]


def _person(record: Record, campaign: Campaign, problems: Problems) -> _Person:
    values = record.values
    attributes: dict[str, Any] = {}
    scores: dict[str, float] = {}
    for name, value in record.attributes.items():
        if len(name) > MAX_NAME:
            problems.add(record.file, record.line, name, _("is too long a name"))
        elif isinstance(value, list | dict):
            problems.add(record.file, record.line, name, _("is not one value"))
        elif name.startswith(SCORE_PREFIX):
            try:
                scores[name.removeprefix(SCORE_PREFIX)] = float(value)
            except ValueError:
                problems.add(record.file, record.line, name, _("is not a number"))
        else:
            attributes[name] = value
    annotator = Annotator(
        campaign=campaign,
        external_id=values["annotator_id"],
        state=Annotator.State.DONE,
        source=Annotator.Source.IMPORTED,
        weight=values.get("weight"),
        flags=values.get("flags") or [],
        extra=record.extra,
    )
    profile = ValueProfile(
        version=1, attributes=attributes, scores=scores, text=values.get("profile_text") or ""
    )
    # The stratum as the table says it, where it does: its attributes may have been withheld.
    annotator.stratum = Stratum(label=values["stratum"]) if values.get("stratum") else None
    return _Person(annotator, profile)


def _people_of_ratings(source: Folder, campaign: Campaign) -> list[_Person]:
    """One person per annotator_id met; the rows' own faults are found when they are read for good."""
    names: dict[str, None] = {}
    for table in ("ratings", "choices"):
        for record in source.read(table, Problems()):
            names[record.values["annotator_id"]] = None
    source_of = Annotator.Source.IMPORTED
    return [
        _Person(
            Annotator(
                campaign=campaign, external_id=name[:200], state=Annotator.State.DONE, source=source_of
            ),
            ValueProfile(version=1),
        )
        for name in names
    ]


def _labels(person: _Person, campaign: Campaign) -> tuple[str, dict[str, str]] | None:
    """The person's cell (label, attributes), or None where the table and the attributes name none."""
    wanted = [entry["attribute"] for entry in campaign.strata]
    levels = {
        name: str(person.profile.attributes[name]) for name in wanted if name in person.profile.attributes
    }
    is_whole = bool(wanted) and len(levels) == len(wanted)
    if person.annotator.stratum is not None:
        label = person.annotator.stratum.label
        return label, levels if is_whole and cell_label(list(levels.values())) == label else {}
    is_declared = all(
        levels.get(entry["attribute"]) in entry["levels"] for entry in campaign.strata if entry["levels"]
    )
    return (cell_label(list(levels.values())), levels) if is_whole and is_declared else None


def _store_strata(campaign: Campaign, cells: list[tuple[str, dict[str, str]]]) -> dict[str, Stratum]:
    """The cells somebody is in, in the order of their labels, and the wildcard, which holds everyone else."""
    by_label: dict[str, dict[str, str]] = {}
    for label, levels in cells:
        by_label[label] = by_label.get(label) or levels
    by_label.pop(WILDCARD_LABEL, None)
    strata = [
        Stratum(
            campaign=campaign,
            label=label,
            attributes=levels,
            seats=campaign.seats_per_stratum,
            position=position,
        )
        for position, (label, levels) in enumerate(sorted(by_label.items()))
    ]
    strata.append(
        Stratum(
            campaign=campaign,
            label=WILDCARD_LABEL,
            seats=campaign.wildcard_seats or 0,
            is_wildcard=True,
            position=len(strata),
        )
    )
    return {stratum.label: stratum for stratum in Stratum.objects.bulk_create(strata)}


def _store_levels(campaign: Campaign, people: list[_Person]) -> None:
    """Levels that campaign.json did not give are those that occur."""
    for entry in campaign.strata:
        if not entry["levels"]:
            name = entry["attribute"]
            found = {person.profile.attributes.get(name) for person in people}
            entry["levels"] = sorted(str(level) for level in found if level is not None)
    Campaign.objects.filter(pk=campaign.pk).update(strata=campaign.strata)


def _with_keys(people: list[_Person]) -> Iterator[ValueProfile]:
    for person in people:
        person.profile.annotator = person.annotator
        yield person.profile
