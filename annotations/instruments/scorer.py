"""Scores, attributes and flags from answers, by a closed set of operations."""

from collections import Counter
from collections.abc import Callable, Mapping

from annotations.instruments.answers import Answers, Missing
from annotations.instruments.instrument import Instrument, Item, Score

Scores = Mapping[str, float | None]
PROFILE_FLAGS = frozenset({"straight_lining", "too_many_blanks", "failed_catch"})


def score(instrument: Instrument, answers: Answers) -> dict[str, float | None]:
    """Every score of the instrument in order; None where too little was answered to define it."""
    values = {item.id: _value(item, answers) for item in instrument.items if item.is_number}
    scores: dict[str, float | None] = {}
    for wanted in instrument.scores:
        if wanted.op == "lookup":
            scores[wanted.id] = _look_up(wanted, answers)
        else:
            scores[wanted.id] = _OPERATIONS[wanted.op](wanted, scores if not wanted.items else values)
    return scores


def score_items(instrument: Instrument, wanted: Score, answers: Answers) -> list[float | None]:
    """The numbers a mean or sum over items is made of, turned round where reversed; None where missing."""
    return [_value(instrument.item(item_id), answers) for item_id in wanted.items]


def attributes(instrument: Instrument, answers: Answers) -> dict[str, str | None]:
    """Each attribute's level, a number's being its band if it has bands; None where the item has no value."""
    return {item.attribute: _level(item, answers) for item in instrument.items if item.attribute}


def profile_flags(instrument: Instrument, answers: Answers) -> list[str]:
    """Which of PROFILE_FLAGS the answers give cause for. Evidence only; it blocks nothing.

    Straight-lining: the same number, as it was typed, on more than `straightline_max` items.
    Blanks: declined, unknown or not reached on more than `max_missing` items.
    Failed catch: an attention item answered as nobody would who read it.
    A limit the instrument does not set never flags.
    """
    flags = []
    typed = Counter(
        answers[item.id] for item in instrument.items if item.is_number and _has_value(item, answers)
    )
    if (
        instrument.straightline_max is not None
        and max(typed.values(), default=0) > instrument.straightline_max
    ):
        flags.append("straight_lining")
    blanks = sum(
        _answer(item, answers) in (Missing.DECLINED, Missing.DONT_KNOW, Missing.NOT_REACHED)
        for item in instrument.items
    )
    if instrument.max_missing is not None and blanks > instrument.max_missing:
        flags.append("too_many_blanks")
    if any(str(answers.get(check.item)) in check.fails for check in instrument.checks):
        flags.append("failed_catch")
    return flags


def reverse_value(value: float, low: float, high: float) -> float:
    """The value seen from the scale's other end: low + high - value.

    >>> reverse_value(1, 1, 6), reverse_value(25, 0, 100)
    (6, 75)
    """
    return low + high - value


def _answer(item: Item, answers: Answers) -> int | str | Missing:
    # An answer set stored before this item existed has no entry for it.
    return answers.get(item.id, Missing.NOT_ASKED)


def _has_value(item: Item, answers: Answers) -> bool:
    return not isinstance(_answer(item, answers), Missing)


def _value(item: Item, answers: Answers) -> float | None:
    """A likert's or slider's number, turned round if the item is reversed."""
    answer = _answer(item, answers)
    if not isinstance(answer, int):
        return None
    return float(reverse_value(answer, *item.bounds)) if item.reverse else float(answer)


def _level(item: Item, answers: Answers) -> str | None:
    answer = _answer(item, answers)
    if isinstance(answer, Missing):
        return None
    for band in item.bands:
        if isinstance(answer, int) and band.low <= answer <= band.high:
            return band.key
    return str(answer)


def _answered(wanted: Score, values: Scores) -> list[float] | None:
    """The values there are, or None if they are fewer than the score needs."""
    found = [value for part in wanted.items or wanted.scores if (value := values[part]) is not None]
    return found if len(found) >= wanted.min_answered else None


def _mean(wanted: Score, values: Scores) -> float | None:
    found = _answered(wanted, values)
    return None if found is None else sum(found) / len(found)


def _sum(wanted: Score, values: Scores) -> float | None:
    found = _answered(wanted, values)
    return None if found is None else sum(found)


def _look_up(wanted: Score, answers: Answers) -> float | None:
    answer = answers.get(wanted.items[0], Missing.NOT_ASKED)
    return None if isinstance(answer, Missing) else dict(wanted.table)[str(answer)]


def _subtract(wanted: Score, scores: Scores) -> float | None:
    a, b = scores[wanted.a or ""], scores[wanted.b or ""]
    return None if a is None or b is None else a - b


def _reverse(wanted: Score, scores: Scores) -> float | None:
    value = scores[wanted.of or ""]
    return None if value is None else reverse_value(value, wanted.min, wanted.max)


def _standardise(wanted: Score, scores: Scores) -> float | None:
    value = scores[wanted.of or ""]
    return None if value is None else (value - wanted.mean) / wanted.sd


_OPERATIONS: dict[str, Callable[[Score, Scores], float | None]] = {
    "mean": _mean,
    "sum": _sum,
    "subtract": _subtract,
    "reverse": _reverse,
    "standardise": _standardise,
}
