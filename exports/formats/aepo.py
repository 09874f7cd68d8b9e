"""AEPO: CSV files with a prompt and its responses side by side; it asks for no ratings."""

import csv
from collections import Counter
from pathlib import Path

from exports.columns import SPLITS
from exports.formats.content import Content
from exports.formats.format import CannotExport, Format, Options, Written

NEEDS = "prompts with two or more candidates"


def write_aepo(content: Content, out: Path, options: Options) -> Written:
    """Write {split}.csv of the prompts that have as many candidates as most others have."""
    responses: dict[str, list[str]] = {}
    for candidate in content.candidates.values():
        responses.setdefault(candidate.prompt_id, []).append(candidate.text)
    counts = Counter(len(texts) for texts in responses.values() if len(texts) > 1)
    if not counts:
        raise CannotExport(f"needs {NEEDS}; there are none")
    width = max(counts, key=lambda count: (counts[count], count))
    rows = 0
    for split in SPLITS:
        found = [
            [prompt.text, *responses[prompt.prompt_id]]
            for prompt in content.prompts.values()
            if prompt.split == split and len(responses.get(prompt.prompt_id, [])) == width
        ]
        if found:
            rows += len(found)
            with (out / f"{split}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(["prompt", *(f"response_{number}" for number in range(1, width + 1))])
                writer.writerows(found)
    left_out = {"prompts_of_another_width": len(content.prompts) - rows}
    return Written(rows, left_out, {"responses_per_prompt": width})


AEPO = Format("aepo", "AEPO (annotation-efficient preference optimisation)", NEEDS, write_aepo)
