"""The rating page as data: a seat's prompt and candidates to show, and the answers that came back.

Fields are named by where a candidate stands on the page, so nothing on it tells one model from another.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from annotations.models import Missing, Seat
from annotations.progress import annotator_progress
from collector.models import Candidate, Criterion
from collector.rendering import render_markdown, trusted_html

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SLIDER_STEPS = 11
HEARTBEATS = 3  # in the time a seat is held, so that one may get lost
Answers = dict[tuple[int, str], float | Missing]
Faults = Mapping[tuple[int, str], str | Promise]


def rating_context(
    seat: Seat, data: Mapping[str, str] | None = None, faults: Faults | None = None
) -> dict[str, Any]:
    """Everything `rate.html` shows, filled with `data` where a ballot came back with faults."""
    criteria = list(seat.campaign.criteria.filter(kind__in=Criterion.RATED))
    shown = _in_order(seat)
    candidates = [
        _candidate(candidate, position, criteria, seat, data or {}, faults or {})
        for position, candidate in enumerate(shown, start=1)
    ]
    progress = annotator_progress(seat.annotator)
    return {
        "campaign": seat.campaign,
        "seat": seat,
        "form_nonce": seat.nonce,
        "prompt": _prompt(seat),
        "candidates": candidates,
        "progress": progress._asdict() | {"total": progress.done + progress.left},
        "errors": [_("Some answers are missing or not on the scale.")] if faults else [],
        "is_demo": seat.campaign.is_demo,
        "hold_seconds": seat.campaign.lease_minutes * 60 // HEARTBEATS,
    }


def read_answers(seat: Seat, data: Mapping[str, str]) -> Answers:
    """A form's answers by candidate and criterion: a blank is none, an unreadable one is not a number.

    Fields that look like ours but belong to no candidate or criterion of the seat are kept too, under
    candidate 0, so that the ballot is refused instead of half understood.
    """
    answers: Answers = {}
    for field, raw in data.items():
        if not field.startswith("r-"):
            continue
        _prefix, position, criterion = [*field.split("-", 2), ""][:3]
        answers[_candidate_at(seat, position), criterion] = _number(raw)
    return {key: value for key, value in answers.items() if value is not Missing.NOT_REACHED}


def answer_in_words(criterion: Criterion, value: float | None, language: str) -> str:
    """A rating as somebody would say it: the category's words, yes or no, or the number."""
    if value is None:
        return "–"
    if criterion.kind == Criterion.Kind.BINARY:
        return _("Yes") if value else _("No")
    categories = criterion.worded(language)["categories"]
    return str(categories[int(value)]) if categories else f"{value:g}"


def field_name(position: int, criterion: Criterion) -> str:
    return f"r-{position}-{criterion.name}"


def _candidate_at(seat: Seat, position: str) -> int:
    order = seat.candidate_order
    return int(order[int(position) - 1]) if position.isdigit() and 1 <= int(position) <= len(order) else 0


def _number(raw: str) -> float | Missing:
    if not raw.strip():
        return Missing.NOT_REACHED
    try:
        return float(raw)
    except ValueError:
        return float("nan")  # no scale holds it, so it is refused with its field


def _in_order(seat: Seat) -> list[Candidate]:
    found = Candidate.objects.only("pk", "text", "html").in_bulk(seat.candidate_order)
    return [found[key] for key in seat.candidate_order]


def _prompt(seat: Seat) -> dict[str, Any]:
    prompt = seat.prompt
    messages = prompt.conversation
    if len(messages) == 1:
        return {"html": trusted_html(render_markdown(messages[0]["content"])), "language": prompt.language}
    turns = [
        {"role": turn["role"], "html": trusted_html(render_markdown(turn["content"]))} for turn in messages
    ]
    return {"messages": turns, "language": prompt.language}


def _candidate(
    candidate: Candidate,
    position: int,
    criteria: list[Criterion],
    seat: Seat,
    data: Mapping[str, str],
    faults: Faults,
) -> dict[str, Any]:
    return {
        "label": LETTERS[(position - 1) % len(LETTERS)],
        "position": position,
        "html": trusted_html(candidate.html),
        "raw": candidate.text,
        "criteria": [
            _criterion(
                criterion,
                field_name(position, criterion),
                seat.annotator.language,
                data.get(field_name(position, criterion), ""),
                faults.get((candidate.pk, criterion.name), ""),
            )
            for criterion in criteria
        ],
    }


def _criterion(
    criterion: Criterion, name: str, language: str, value: str, fault: str | Promise
) -> dict[str, Any]:
    words = criterion.worded(language)
    bounds = criterion.bounds or (0.0, 0.0)
    return {
        "name": name,
        "kind": criterion.kind,
        "question": words["question"],
        "label_min": words["label_min"],
        "label_max": words["label_max"],
        "required": criterion.required,
        "min": bounds[0],
        "max": bounds[1],
        "step": 1,
        "value": value,
        "steps": [
            {"value": key, "label": label, "checked": key == value} for key, label in _steps(criterion, words)
        ],
        "error": fault,
    }


def _steps(criterion: Criterion, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    match criterion.kind:
        case Criterion.Kind.BINARY:
            return [("1", _("Yes")), ("0", _("No"))]
        case Criterion.Kind.CATEGORICAL:
            return [(str(index), str(label)) for index, label in enumerate(words["categories"])]
    low, high = criterion.bounds or (0.0, 0.0)
    count = min(round(high - low) + 1, SLIDER_STEPS) if criterion.kind == "slider" else round(high - low) + 1
    steps = [f"{low + (high - low) * index / (count - 1):g}" for index in range(count)]
    return [(step, step) for step in steps]
