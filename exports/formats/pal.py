"""PAL: dictionaries for its pairwise loader, y = -1 where the left response is preferred."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exports.files import write_json
from exports.formats.content import Content
from exports.formats.format import Format, Options, Written, write_lines
from exports.formats.preferences import NEEDS, Pair, Preferences


def write_pal(content: Content, out: Path, options: Options) -> Written:
    """Write {split}.jsonl, and user_ids.json with every uid in them."""
    preferences = Preferences(content, options)
    uids: set[str] = set()

    def lines() -> Iterator[tuple[str, dict[str, Any]]]:
        for pair in preferences:
            uids.add(pair.annotator.name)
            yield pair.prompt.split, _to_row(pair)

    rows = write_lines(out, lines())
    write_json(out / "user_ids.json", sorted(uids))
    return Written(rows, preferences.left_out, preferences.notes)


def _to_row(pair: Pair) -> dict[str, Any]:
    return {
        "uid": pair.annotator.name,
        "prompt": f"Human: {pair.prompt.text} Assistant:",
        "left": f" {pair.first.text}",
        "right": f" {pair.second.text}",
        "y": -1 if pair.prefers_first else 1,
    }


PAL = Format("pal", "PAL (pluralistic alignment by ideal points)", NEEDS, write_pal)
