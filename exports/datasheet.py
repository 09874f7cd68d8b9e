"""DATASHEET.md of a release: the sections of "Datasheets for Datasets" (Gebru et al. 2021), from the data."""

from typing import Any

from exports.privacy_words import privacy_in_words
from exports.release_folder import ReleaseFolder


def write_datasheet(folder: ReleaseFolder, facts: dict[str, Any]) -> str:
    """The datasheet's text; what the campaign does not say is said to be unsaid."""
    rows = facts["rows"]
    criteria = folder.table("criteria").to_pylist()
    people = folder.table("annotators")
    strata = people["stratum"].value_counts().to_pylist()
    sections = [
        f"# Datasheet: {facts['title']}, release {facts['version']}",
        "## Motivation",
        facts["description"] or "The campaign states no purpose.",
        "## Composition",
        f"{rows['prompts']} prompts, {rows['candidates']} candidates, {rows['annotators']} annotators, "
        f"{rows['ratings']} ratings and {rows['choices']} choices. "
        f"Languages: {', '.join(facts['languages'])}.",
        _list("Each rating answers one of these questions:", [_question(each) for each in criteria]),
        _list(
            "Annotators by stratum of the jury:",
            sorted(f"{each['values'] or 'none stated'}: {each['counts']}" for each in strata),
        ),
        _list(
            "Generators of the candidates:",
            [f"{each['name']}: {each['provider']} {each['model']}".strip() for each in facts["generators"]],
        ),
        "## Collection process",
        collection_in_words(facts),
        "## Preprocessing",
        "Every rating is kept apart and as given, no votes are merged, and nobody is left out for "
        "disagreeing. "
        "`utility` is `value` on the declared scale as 0 to 1. Times are given as days.",
        _list("Left out:", [f"{each['count']} {each['what']}: {each['why']}" for each in facts["left_out"]]),
        "## Privacy",
        *privacy_in_words(facts["privacy"]),
        "## Uses",
        "Judging responses by the jury's own ratings, and training or testing models of individual jurors. "
        "Not for finding out who anybody is, nor for claims about a population the jury does not stand for.",
        "## Distribution",
        f"Tier: {facts['tier']}. Licence: {facts['licence'] or 'not stated'}.",
        "## Maintenance",
        "A release never changes. Later releases leave out whoever has withdrawn and name the ids they had "
        "in earlier ones in `withdrawals.jsonl`.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _question(criterion: dict[str, Any]) -> str:
    kind = criterion["kind"]
    if kind in ("likert", "slider"):
        kind += f" {criterion['scale_min']:g} to {criterion['scale_max']:g}"
    if criterion["categories"]:
        kind += f": {', '.join(criterion['categories'])}"
    return f"{criterion['criterion']}: {criterion['question']} ({kind})"


def collection_in_words(facts: dict[str, Any]) -> str:
    """How the ratings came about."""
    if facts["sources"].get("imported"):
        return (
            "The ratings were collected elsewhere and imported; how, and what the annotators agreed to, is "
            "for the source to say."
        )
    text = (
        "Annotators joined through a link, read a consent form with separate permissions, and rated each "
        "prompt's candidates on one page in an order of their own, without seeing which model wrote what or "
        "what others said."
    )
    simulated = facts["sources"].get("simulated", 0)
    return text + (f" {simulated} annotators are simulated by a program." if simulated else "")


def _list(title: str, items: list[str]) -> str:
    return "\n".join([title, "", *(f"- {item}" for item in items)]) if items else ""
