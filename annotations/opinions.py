"""Opinions made up for simulated annotators: groups lean apart, people differ within them and waver.

They are for trying the product out and say nothing about real people.
"""

import math
import random
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Juror:
    """Who has the opinion; `group` is what they share with others."""

    group: str
    name: str


@dataclass(frozen=True)
class Response:
    """What the opinion is about: `voice` is what sets a generator apart, such as how it is steered."""

    name: str
    voice: str
    topic: str


def make_opinion(seed: str, juror: Juror, response: Response, criterion: str) -> float:
    """How much the juror likes the response by the criterion, from 0 to 1; the same every time.

    A sum of normal draws (what the group thinks of the voice, and of the voice on this topic; how good the
    response is; the person; a passing mood), squeezed by the logistic function.
    """
    likes = (
        1.0 * draw(seed, "group", juror.group, response.voice)
        + 0.5 * draw(seed, "topic", juror.group, response.voice, response.topic)
        + 0.5 * draw(seed, "criterion", juror.group, response.voice, criterion)
        + 0.6 * draw(seed, "quality", response.name)
        + 0.3 * draw(seed, "person", juror.name, response.voice)
        + 0.3 * draw(seed, "strictness", juror.name)
        + 0.5 * random.Random(f"{seed}/mood/{juror.name}/{response.name}/{criterion}").gauss()  # noqa: S311
    )
    return 1 / (1 + math.exp(-likes))


@lru_cache(maxsize=100_000)
def draw(seed: str, *what: str) -> float:
    """A standard normal number that belongs to `what`."""
    return random.Random("/".join((seed, *what))).gauss()  # noqa: S311  nothing secret hangs on it
