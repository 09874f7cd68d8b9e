"""Plurals: a table of people with weights, and the mapping that puts their attributes into words."""

import csv
from pathlib import Path
from typing import Any

from exports.files import write_json
from exports.formats.content import Content
from exports.formats.format import CannotExport, Format, Options, Written

NEEDS = "annotators with attributes"


def write_plurals(content: Content, out: Path, options: Options) -> Written:
    """Write dataset.csv, one row an annotator with any attribute, and persona_mapping.yaml."""
    people = list(content.annotators.values())
    known = [who for who in people if any(value is not None for value in who.attributes.values())]
    if not known:
        raise CannotExport(f"needs {NEEDS}; the release has none")
    names = [name for name in known[0].attributes if any(who.attributes[name] is not None for who in known)]
    with (out / "dataset.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["annotator_id", "weight", *names])
        for who in known:
            weight = 1.0 if who.weight is None else who.weight
            writer.writerow([who.name, weight, *(_to_cell(who.attributes[name]) for name in names)])
    # JSON is YAML too.
    write_json(out / "persona_mapping.yaml", {name: _to_mapping(name) for name in names})
    return Written(len(known), {"without_attributes": len(people) - len(known)})


def _to_mapping(name: str) -> dict[str, Any]:
    return {"name": name.replace("_", " "), "bad_vals": [], "recode_vals": {}}


def _to_cell(value: Any) -> Any:
    return "" if value is None else value


PLURALS = Format("plurals", "Plurals (simulated deliberation)", NEEDS, write_plurals)
