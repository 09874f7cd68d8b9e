"""What annotators say about themselves: answers to instruments become a new profile version each time."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from annotations.instruments.answers import (
    AnswerError,
    Answers,
    pack_answers,
    unpack_answers,
    validate_answers,
)
from annotations.instruments.instrument import Instrument
from annotations.instruments.loader import load_instrument, load_text
from annotations.instruments.scorer import attributes, profile_flags, score
from annotations.jury import place_annotator
from annotations.models import Annotator, ValueProfile

INSTRUMENTS = ("core-demographics", "ai-prefs-8", "free-text-values")
# An instrument's answers in the owner's words, which a profile's `text` is made of.
TEXT_INSTRUMENT = "free-text-values"

RawAnswers = Mapping[str, Mapping[str, str]]


class InvalidProfile(Exception):
    """Answers that cannot be kept; `fields` maps "instrument.item" to the code of the fault."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code in fields.items()))
        self.fields = dict(fields)


def record_profile(
    annotator: Annotator,
    raw: RawAnswers,
    *,
    languages: Collection[str] = (),
    item_order: Mapping[str, list[str]] | None = None,
) -> ValueProfile:
    """A new version with every instrument's answers, scores and attributes; the first one seats the person.

    `item_order` is the order in which items were shown, kept beside the answers. Raises InvalidProfile
    and then stores nothing.
    """
    answered = {instrument.id: (instrument, answers) for instrument, answers in _validate(raw)}
    levels = {key: value for pair in answered.values() for key, value in attributes(*pair).items() if value}
    profile = ValueProfile(
        annotator=annotator,
        answers={
            name: _packed(instrument, answers, annotator.language, (item_order or {}).get(name))
            for name, (instrument, answers) in answered.items()
        },
        attributes=levels,
        scores={
            key: value
            for pair in answered.values()
            for key, value in score(*pair).items()
            if value is not None
        },
        text=_own_words(answered[TEXT_INSTRUMENT][1]),
    )
    flags = {flag for pair in answered.values() for flag in profile_flags(*pair)}
    _store(annotator, profile, flags, languages)
    return profile


def latest_profile(annotator: Annotator) -> ValueProfile | None:
    return annotator.profiles.order_by("version").last()


def answers_in_words(profile: ValueProfile, language: str) -> Iterator[tuple[str, str]]:
    """(question, answer) as the person saw them, for the page that shows what is kept."""
    for name, stored in profile.answers.items():
        instrument = load_instrument(name)
        text = load_text(instrument, language)
        for item_id, answer in unpack_answers(stored["answers"]).items():
            words = text.item(item_id)
            if isinstance(answer, (int, str)):
                yield words.question, dict(words.options).get(str(answer), str(answer))


def _validate(raw: RawAnswers) -> Iterator[tuple[Instrument, Answers]]:
    faults: dict[str, str] = {}
    valid: list[tuple[Instrument, Answers]] = []
    for name in INSTRUMENTS:
        instrument = load_instrument(name)
        try:
            valid.append((instrument, validate_answers(instrument, raw.get(name, {}))))
        except AnswerError as error:
            faults |= {f"{name}.{item}": code for item, code in error.fields.items()}
    if faults:
        raise InvalidProfile(faults)
    return iter(valid)


def _packed(
    instrument: Instrument, answers: Answers, language: str, order: list[str] | None
) -> dict[str, Any]:
    text = load_text(instrument, language)
    packed = {
        "version": instrument.version,
        "sha256": text.sha256,
        "language": text.language,
        "answers": pack_answers(answers),
    }
    return packed | ({"order": order} if order else {})


def _own_words(answers: Answers) -> str:
    return "\n\n".join(answer for answer in answers.values() if isinstance(answer, str))


def _store(annotator: Annotator, profile: ValueProfile, flags: set[str], languages: Collection[str]) -> None:
    with transaction.atomic():
        # Locks the row, so that two submissions at once get two version numbers.
        locked = Annotator.objects.select_for_update().get(pk=annotator.pk)
        last = locked.profiles.aggregate(last=Max("version"))["last"] or 0
        profile.version = last + 1
        profile.save()
        annotator.flags = sorted({*locked.flags, *flags})
        if languages:
            annotator.languages = sorted(languages)
        annotator.save(update_fields=["flags", "languages"])
        place_annotator(annotator, profile.attributes)
