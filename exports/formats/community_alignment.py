"""Community Alignment: one row an annotator and prompt with four responses, and which was preferred."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from exports.formats.content import Annotator, Candidate, Content, Prompt
from exports.formats.format import CannotExport, Format, Options, Written, write_lines
from exports.formats.preferences import NEEDS, Pair, Preferences

LETTERS = "abcd"
ATTRIBUTES = ("age", "gender", "education_level", "political", "ethnicity", "country")


def write_community_alignment(content: Content, out: Path, options: Options) -> Written:
    """Write {split}.jsonl; a row needs one response preferred to the three others by the annotator."""
    four = _find_four(content)
    if not four:
        raise CannotExport("needs prompts with exactly four candidates; the release has none")
    preferences = Preferences(content, options)
    left_out = {"without_four_candidates": 0, "without_single_best": 0}

    def lines() -> Iterator[tuple[str, dict[str, Any]]]:
        for (annotator_id, prompt_id), pairs in groupby(preferences, _judge):
            best = _find_best(pairs)
            if prompt_id not in four:
                left_out["without_four_candidates"] += 1
            elif best is None:
                left_out["without_single_best"] += 1
            else:
                annotator, prompt = content.annotators[annotator_id], content.prompts[prompt_id]
                yield prompt.split, _to_row(annotator, prompt, four[prompt_id], best)

    rows = write_lines(out, lines())
    return Written(rows, preferences.left_out | left_out, preferences.notes)


def _find_four(content: Content) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for candidate in content.candidates.values():
        found.setdefault(candidate.prompt_id, []).append(candidate)
    return {name: candidates for name, candidates in found.items() if len(candidates) == len(LETTERS)}


def _judge(pair: Pair) -> tuple[str, str]:
    return pair.annotator.annotator_id, pair.prompt.prompt_id


def _find_best(pairs: Iterator[Pair]) -> str | None:
    """The candidate preferred to three different others and to none the other way round."""
    won = {(pair.chosen.candidate_id, pair.rejected.candidate_id) for pair in pairs}
    wins = Counter(winner for winner, _loser in won)
    losers = {loser for _winner, loser in won}
    best = [name for name, count in wins.items() if count == len(LETTERS) - 1 and name not in losers]
    return best[0] if best else None


def _to_row(annotator: Annotator, prompt: Prompt, four: list[Candidate], best: str) -> dict[str, Any]:
    letters = dict(zip(LETTERS, four, strict=True))
    (preferred,) = (letter for letter, candidate in letters.items() if candidate.candidate_id == best)
    return {
        "conversation_id": f"{prompt.prompt_id}/{annotator.name}",
        "annotator_id": annotator.name,
        "assigned_lang": prompt.language,
        "first_turn_prompt": prompt.text,
        **{f"first_turn_response_{letter}": candidate.text for letter, candidate in letters.items()},
        "first_turn_preferred_response": f"response_{preferred}",
        "first_turn_feedback": None,
        "second_turn_prompt": None,
        **{f"annotator_{name}": annotator.group(name) for name in ATTRIBUTES},
    }


COMMUNITY_ALIGNMENT = Format(
    "community_alignment",
    "Community Alignment",
    f"prompts with exactly four candidates; {NEEDS}",
    write_community_alignment,
)
