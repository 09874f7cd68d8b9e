"""A release's prompts, candidates, criteria and annotators, looked up by their ids."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exports.columns import ANNOTATORS, EXTRA_PREFIX, SCORE_PREFIX
from exports.release_folder import ReleaseFolder

SIMULATED = "simulated"


@dataclass(frozen=True)
class Prompt:
    """What was said to the models."""

    prompt_id: str
    messages: list[dict[str, str]]
    text: str
    language: str
    split: str


@dataclass(frozen=True)
class Candidate:
    """A response; `order` is its place in the release."""

    candidate_id: str
    prompt_id: str
    text: str
    generator: str
    order: int


@dataclass(frozen=True)
class Annotator:
    """Who judged; `name` is the id as consumers can take it, without a full stop."""

    annotator_id: str
    name: str
    weight: float | None
    attributes: dict[str, Any]
    profile_text: str
    is_simulated: bool
    columns: dict[str, Any]

    def group(self, column: str) -> str | None:
        """The annotator's value of a column, as a group's name."""
        value = self.name if column == "annotator_id" else self.columns.get(column)
        return None if value is None or isinstance(value, list) else str(value)

    @property
    def persona(self) -> str:
        """Their attributes as `key: value` lines, then what they wrote; empty where both are withheld."""
        lines = [
            f"{key.replace('_', ' ')}: {value}" for key, value in self.attributes.items() if value is not None
        ]
        return "\n".join([*lines, self.profile_text] if self.profile_text else lines)


class Content:
    """The small tables of one release in memory; ratings and choices stay in `folder`."""

    def __init__(self, folder: ReleaseFolder) -> None:
        self.folder = folder

    @cached_property
    def prompts(self) -> dict[str, Prompt]:
        return {row["prompt_id"]: _to_prompt(row) for row in self.folder.rows("prompts")}

    @cached_property
    def candidates(self) -> dict[str, Candidate]:
        columns = ["candidate_id", "prompt_id", "text", "generator"]
        rows = self.folder.rows("candidates", columns)
        return {
            row["candidate_id"]: Candidate(
                row["candidate_id"], row["prompt_id"], row["text"], row["generator"] or "", order
            )
            for order, row in enumerate(rows)
        }

    @cached_property
    def criteria(self) -> dict[str, dict[str, Any]]:
        return {row["criterion"]: row for row in self.folder.rows("criteria")}

    @cached_property
    def annotators(self) -> dict[str, Annotator]:
        rows = sorted(self.folder.rows("annotators"), key=lambda row: str(row["annotator_id"]))
        return {row["annotator_id"]: _to_annotator(row) for row in rows}

    def question(self, criterion: str, candidate: Candidate) -> str:
        """The criterion's question about one candidate, with its prompt: what the annotator saw."""
        asked = self.criteria[criterion]["question"] or criterion
        prompt = self.prompts[candidate.prompt_id]
        return f"{prompt.text}\n\nResponse: {candidate.text}\n\n{asked}"


def plain_name(annotator_id: str) -> str:
    """The id without full stops, which some consumers cannot take; different ids stay different.

    >>> plain_name("ann"), plain_name("ann.b")
    ('ann', 'ann-b-ae76633b')
    """
    if "." not in annotator_id:
        return annotator_id
    return f"{annotator_id.replace('.', '-')}-{hashlib.sha256(annotator_id.encode()).hexdigest()[:8]}"


def _to_prompt(row: dict[str, Any]) -> Prompt:
    messages = row["messages"] or [{"role": "user", "content": row["text"] or ""}]
    spoken = "\n\n".join(f"{message['role'].capitalize()}: {message['content']}" for message in messages)
    return Prompt(row["prompt_id"], messages, row["text"] or spoken, row["language"] or "", row["split"])


def _to_annotator(row: dict[str, Any]) -> Annotator:
    attributes = {
        name: value
        for name, value in row.items()
        if name not in ANNOTATORS.by_name and not name.startswith((SCORE_PREFIX, EXTRA_PREFIX))
    }
    return Annotator(
        row["annotator_id"],
        plain_name(row["annotator_id"]),
        row["weight"],
        attributes,
        row["profile_text"] or "",
        SIMULATED in (row["flags"] or []),
        row,
    )
