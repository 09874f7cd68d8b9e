"""CoPL: users with pairs of item numbers, positive first, and the items' texts, in one pickle.

Its trainer opens nothing but a pickle. Ours is only written, never read here, and holds plain numbers, texts,
lists and dictionaries; who was handed one by somebody else should not open it.
"""

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

from exports.columns import SPLITS
from exports.formats.content import Annotator, Candidate, Content
from exports.formats.format import CannotExport, Format, Options, Written
from exports.formats.preferences import NEEDS, Pair, Preferences

FILE = "PLM-ours-ALL.pkl"  # its trainer looks for PLM in the name
PROTOCOL = 4
PARTS = dict(zip(SPLITS, ("context", "context_unseen", "target"), strict=True))
FEWEST_TARGETS = 11

Won = dict[str, dict[str, list[tuple[str, str]]]]


def write_copl(content: Content, out: Path, options: Options) -> Written:
    """Write dataset/PLM-ours-ALL.pkl: train pairs are a user's context, validation's unseen, test's target.

    Users without both of the first two are left out: its trainer would mix up the rows of those after them.
    """
    preferences = Preferences(content, options)
    won: Won = {annotator_id: {part: [] for part in PARTS.values()} for annotator_id in content.annotators}
    votes: dict[tuple[str, str], set[bool]] = defaultdict(set)
    for pair in preferences:
        won[pair.annotator.annotator_id][PARTS[pair.prompt.split]].append(_ids(pair))
        votes[pair.first.candidate_id, pair.second.candidate_id].add(pair.prefers_first)
    kept = {key: parts for key, parts in won.items() if parts["context"] and parts["context_unseen"]}
    if not kept:
        raise CannotExport("needs annotators with preferences in both the train and the validation split")
    numbers = _number_items(content, kept)
    disputed = {candidate for pair, said in votes.items() if len(said) == 2 for candidate in pair}
    total = {
        number: _to_item(content, content.candidates[name], name in disputed)
        for name, number in numbers.items()
    }
    kinds = _number_kinds(content, options)
    users = [
        _to_user(number, content.annotators[key], kept[key], numbers, kinds, options)
        for number, key in enumerate(kept)
    ]
    _write_pickle(out / "dataset" / FILE, (total, users))
    return _report(preferences, won, kept, content, kinds)


def _ids(pair: Pair) -> tuple[str, str]:
    return pair.chosen.candidate_id, pair.rejected.candidate_id


def _number_items(content: Content, kept: Won) -> dict[str, int]:
    """Items by number from 0; those of a context come last, since the largest number must be one of them."""
    shown = {name for parts in kept.values() for pair in parts["context"] for name in pair}
    used = {name for parts in kept.values() for pairs in parts.values() for pair in pairs for name in pair}
    order = sorted(used, key=lambda name: (name in shown, content.candidates[name].order))
    return {name: number for number, name in enumerate(order)}


def _number_kinds(content: Content, options: Options) -> dict[str, int]:
    groups = {annotator.group(options.group_by) for annotator in content.annotators.values()}
    return {name: number for number, name in enumerate(sorted(name for name in groups if name), start=1)}


def _to_item(content: Content, candidate: Candidate, is_disputed: bool) -> dict[str, Any]:
    text = f"Human: {content.prompts[candidate.prompt_id].text}\n\nAssistant: {candidate.text}"
    return {"ids": [], "mask": [], "full_text": text, "controversial": is_disputed}


def _to_user(
    number: int,
    annotator: Annotator,
    parts: dict[str, list[tuple[str, str]]],
    items: dict[str, int],
    kinds: dict[str, int],
    options: Options,
) -> dict[str, Any]:
    kind = kinds.get(annotator.group(options.group_by) or "", 0)
    pairs = {part: [(items[won], items[lost]) for won, lost in found] for part, found in parts.items()}
    return {"user": number, "user_type": str(kind), **pairs}


def _write_pickle(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True)
    with path.open("wb") as stream:
        pickler = pickle.Pickler(stream, protocol=PROTOCOL)
        # Without a memo equal values give equal bytes, whether or not they are the same object.
        pickler.fast = True
        pickler.dump(value)


def _count(parts: dict[str, list[tuple[str, str]]]) -> int:
    return sum(len(pairs) for pairs in parts.values())


def _report(
    preferences: Preferences, won: Won, kept: Won, content: Content, kinds: dict[str, int]
) -> Written:
    dropped = [parts for key, parts in won.items() if key not in kept]
    left_out = {"users": len(dropped), "pairs_of_those_users": sum(map(_count, dropped))}
    notes = {
        "users": [content.annotators[key].name for key in kept],
        "user_types": kinds,
        f"users_with_fewer_than_{FEWEST_TARGETS}_targets": sum(
            len(parts["target"]) < FEWEST_TARGETS for parts in kept.values()
        ),
    }
    rows = sum(map(_count, kept.values()))
    return Written(rows, preferences.left_out | left_out, preferences.notes | notes)


COPL = Format(
    "copl",
    "CoPL (collaborative preference learning)",
    f"{NEEDS}; annotators with preferences in both the train and the validation split",
    write_copl,
)
