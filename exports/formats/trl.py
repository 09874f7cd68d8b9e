"""TRL: conversational preference rows for DPO and reward models, and unpaired rows for KTO."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exports.formats.content import Candidate, Content
from exports.formats.format import Format, Options, Written, write_lines
from exports.formats.preferences import NEEDS, Pair, Preferences


def write_trl(content: Content, out: Path, options: Options) -> Written:
    """Write preference/{split}.jsonl and kto/{split}.jsonl, two rows there for each row here."""
    preferences = Preferences(content, options)
    rows = write_lines(out, (part for pair in preferences for part in _to_rows(pair)))
    return Written(rows // 3, preferences.left_out, preferences.notes | {"kto_rows": rows // 3 * 2})


def _to_rows(pair: Pair) -> Iterator[tuple[str, dict[str, Any]]]:
    prompt = {"annotator_id": pair.annotator.name, "prompt": pair.prompt.messages}
    chosen, rejected = _say(pair.chosen), _say(pair.rejected)
    split = pair.prompt.split
    yield f"preference/{split}", prompt | {"chosen": chosen, "rejected": rejected}
    yield f"kto/{split}", prompt | {"completion": chosen, "label": True}
    yield f"kto/{split}", prompt | {"completion": rejected, "label": False}


def _say(candidate: Candidate) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": candidate.text}]


TRL = Format("trl", "TRL (DPO, reward and KTO trainers)", NEEDS, write_trl)
