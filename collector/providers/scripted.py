"""A deterministic, offline provider: short varied texts from its own words, for tests, demo and docs."""

import hashlib
import json
import re
import time
from collections.abc import Generator, Sequence
from random import Random

from django.utils.translation import gettext_lazy as _

from collector.providers.base import Messages, Provider, ProviderError, Request, Response

OPENINGS = (
    "People disagree about this for good reasons.",
    "I would start with those who are affected most.",
    "There is no answer here that suits everyone.",
    "It helps to ask what would be lost either way.",
    "My answer depends on what was promised beforehand.",
    "Most of us would decide this differently at twenty and at seventy.",
)
VIEWS = (
    "Those who carry the cost should have the last word.",
    "A rule that everyone knows is fairer than a kind exception.",
    "What a family has agreed on weighs more than what outsiders think.",
    "Nobody should have to explain a choice that harms no one else.",
    "Help first, and ask about blame later.",
    "The younger ones will live with it longest, so listen to them.",
    "Old customs often hold an answer to a problem we have forgotten.",
    "Where the facts are unsure, the step that can be undone is better.",
)
REASONS = (
    "because trust is slow to grow back",
    "since the law cannot see everything",
    "as long as nobody is forced",
    "even if it costs more",
    "provided that it is said openly",
    "and that is worth some trouble",
)
CLOSINGS = (
    "Talk to someone you trust before you decide.",
    "I could be wrong, and I would want to hear the other side.",
    "Whatever you choose, say it in time.",
    "**In short:** be honest, and be kind about it.",
    "There may be local rules to check first.",
)


class Scripted(Provider):
    """The same messages and seed give the same text anywhere; `{"delay": seconds}` slows each request."""

    label = _("scripted (no model)")

    def generate(self, requests: Sequence[Request]) -> list[Response | ProviderError]:
        responses: list[Response | ProviderError] = []
        for request in requests:
            time.sleep(self._delay)
            responses.append(_answer(request))
        return responses

    def stream(self, request: Request) -> Generator[str, None, Response]:
        """Word by word; the delay of a whole response is spread over its words."""
        response = _answer(request)
        pieces = re.findall(r"\S+\s*", response.text)
        for piece in pieces:
            time.sleep(self._delay / len(pieces))
            yield piece
        return response

    @property
    def _delay(self) -> float:
        return float(self.options.get("delay", 0))


def _answer(request: Request) -> Response:
    text = _write(request.messages, request.seed, request.max_new_tokens)
    words = sum(len(message["content"].split()) for message in request.messages)
    return Response(text, {"finish_reason": "stop", "prompt_tokens": words, "new_tokens": len(text.split())})


def _write(messages: Messages, seed: int, max_words: int) -> str:
    digest = hashlib.sha256(json.dumps([messages, seed], sort_keys=True).encode("utf-8", "replace")).digest()
    rng = Random(digest)  # noqa: S311 - meant to be reproducible
    parts = [*_stance(messages), rng.choice(OPENINGS)]
    for view in rng.sample(VIEWS, rng.randint(1, 3)):
        parts.append(f"{view[:-1]}, {rng.choice(REASONS)}." if rng.random() < 0.6 else view)
    if rng.random() < 0.7:
        parts.append(rng.choice(CLOSINGS))
    return " ".join(" ".join(parts).split(" ")[: max(max_words, 1)])


def _stance(messages: Messages) -> list[str]:
    """A steered answer shows it: always the same first view for the same system message."""
    system = "\n".join(m["content"] for m in messages if m["role"] == "system")
    if not system:
        return []
    return [VIEWS[hashlib.sha256(system.encode("utf-8", "replace")).digest()[0] % len(VIEWS)]]
