"""GlobalOpinionQA's shape: a question, its options and each group's shares of them, as one JSONL file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from exports.formats.answers import NEEDS, Answers, Groups
from exports.formats.content import Content
from exports.formats.format import CannotExport, Format, Options, Written, write_lines

MOST_OPTIONS = 18  # its reader gives them the letters A to R
RESERVED = set("{}>")  # its readers cut the text of `selections` at these


def write_global_opinions(content: Content, out: Path, options: Options) -> Written:
    """Write train.jsonl, the one file its loader reads; `source` says which split a row belongs to."""
    answers = Answers(content, options, most_options=MOST_OPTIONS)
    groups = Groups(content, options, len(answers.labels))

    def lines() -> Iterator[tuple[str, dict[str, Any]]]:
        for item in answers:
            if shares := groups.shares(item):
                _check_names(shares)
                split = content.prompts[item.candidate.prompt_id].split
                yield (
                    "train",
                    {
                        "question": content.question(answers.criterion, item.candidate),
                        # The text of a defaultdict: a plain JSON object breaks its reader.
                        "selections": f"defaultdict(<class 'list'>, {shares!r})",
                        "options": repr(answers.labels),
                        "source": split,
                    },
                )

    rows = write_lines(out, lines())
    return Written(rows, answers.left_out | groups.left_out, answers.notes | groups.notes)


def _check_names(shares: dict[str, list[float]]) -> None:
    for name in shares:
        if RESERVED & set(name):
            raise CannotExport(f'needs groups whose names hold none of {{, }} and >; one is "{name}"')


GLOBAL_OPINIONS = Format(
    "global_opinions",
    "GlobalOpinionQA (the roadmap's own code, GPO)",
    f"{NEEDS}, at most {MOST_OPTIONS} options; annotators in groups",
    write_global_opinions,
)
