"""Finding what in a text may say who somebody is, by patterns, and taking it out; scanners miss names."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

EDITED = "edited"
WORD = re.compile(r"\S+")
# In this order: of two that overlap, the earlier kind wins.
PATTERNS: dict[str, re.Pattern[str]] = {
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.UNICODE),
    "url": re.compile(
        r"\b(?:https?://|www\.)[^\s<>\"]+|\b[a-z0-9-]+\.(?:com|org|net|io|me|info)\b[^\s]*", re.I
    ),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "prolific_id": re.compile(r"\b[0-9a-f]{24}\b", re.I),
    "handle": re.compile(r"(?<![\w@])@\w[\w.]{1,29}", re.UNICODE),
    # Seven digits or more, as telephone numbers are written.
    "phone": re.compile(r"(?<![\w.])\+?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)"),
}


class Span(NamedTuple):
    """Characters `start` to `end` (not included) of a text, and what they seem to be."""

    start: int
    end: int
    kind: str


def find_spans(text: str) -> list[Span]:
    """What the patterns find, in order and without overlaps.

    >>> find_spans("Write to ann@example.org")
    [Span(start=9, end=24, kind='email')]
    """
    found: list[Span] = []
    for kind, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            span = Span(match.start(), match.end(), kind)
            if all(span.end <= other.start or other.end <= span.start for other in found):
                found.append(span)
    return sorted(found)


def redact(text: str, spans: Sequence[Span]) -> str:
    """The text with every span replaced by its kind in brackets.

    >>> redact("Write to ann@example.org", [Span(9, 24, "email")])
    'Write to [email]'
    """
    parts, place = [], 0
    for span in sorted(spans):
        parts += [text[place : span.start], f"[{span.kind}]"]
        place = span.end
    return "".join([*parts, text[place:]])


def changed_spans(original: str, redacted: str) -> list[Span]:
    """Which words of the original are not in the redacted text: each of the kind found there, or edited.

    >>> changed_spans("Write to ann@example.org please", "Write to [email] please")
    [Span(start=9, end=24, kind='email')]
    """
    kinds = find_spans(original)
    words = [match.span() for match in WORD.finditer(original)]
    matcher = SequenceMatcher(
        None, [original[start:end] for start, end in words], WORD.findall(redacted), autojunk=False
    )
    spans = []
    for tag, first, last, _low, _high in matcher.get_opcodes():
        if tag != "equal" and last > first:
            start, end = words[first][0], words[last - 1][1]
            kind = next((each.kind for each in kinds if each.start < end and start < each.end), EDITED)
            spans.append(Span(start, end, kind))
    return spans


def cut_up(text: str, spans: Sequence[Span]) -> list[tuple[str, str]]:
    """(part, kind) of the whole text, in order; the kind is "" between spans.

    >>> cut_up("to ann@example.org", find_spans("to ann@example.org"))
    [('to ', ''), ('ann@example.org', 'email')]
    """
    parts, place = [], 0
    for span in sorted(spans):
        parts += [(text[place : span.start], ""), (text[span.start : span.end], span.kind)]
        place = span.end
    return [(part, kind) for part, kind in [*parts, (text[place:], "")] if part]
