"""PERSONA: an annotator's attributes as a persona, `data` the preferred response, `original` the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exports.formats.content import Content
from exports.formats.format import CannotExport, Format, Options, Written, write_lines
from exports.formats.preferences import NEEDS, Preferences


def write_persona(content: Content, out: Path, options: Options) -> Written:
    """Write {split}.jsonl, the rows of a persona one after another."""
    if not any(annotator.persona for annotator in content.annotators.values()):
        raise CannotExport("needs annotators with attributes or a profile; the release has none")
    preferences = Preferences(content, options)
    left_out = {"without_persona": 0}

    def lines() -> Iterator[tuple[str, dict[str, Any]]]:
        for pair in preferences:
            if not pair.annotator.persona:
                left_out["without_persona"] += 1
                continue
            yield (
                pair.prompt.split,
                {
                    "persona": pair.annotator.persona,
                    "instruction": pair.prompt.text,
                    "data": pair.chosen.text,
                    "original": pair.rejected.text,
                },
            )

    rows = write_lines(out, lines())
    return Written(rows, preferences.left_out | left_out, preferences.notes)


PERSONA = Format("persona", "PERSONA", f"annotators with attributes or a profile; {NEEDS}", write_persona)
