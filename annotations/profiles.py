"""What annotators say about themselves: answers to instruments become a new profile version each time."""

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from celery import current_app
from django.db import transaction

from annotations.consent import current_consent
from annotations.instruments.answers import (
    AnswerError,
    Answers,
    is_printable,
    pack_answers,
    unpack_answers,
    validate_answers,
)
from annotations.instruments.instrument import Instrument, InstrumentText
from annotations.instruments.loader import FALLBACK_LANGUAGE
from annotations.instruments.scorer import PROFILE_FLAGS, attributes, profile_flags, score
from annotations.jury import place_annotator
from annotations.models import Annotator, ProfileSummary, Scope, ValueProfile
from annotations.questionnaires import campaign_instruments, campaign_texts

# An instrument's answers in the person's own words, which a profile's `text` is made of.
TEXT_INSTRUMENT = "free-text-values"
MAX_TEXT = 4000
PASTED = "pasted_text"
UNDECIDED = (ProfileSummary.State.PLANNED, ProfileSummary.State.PROPOSED)

RawAnswers = Mapping[str, Mapping[str, str]]


class Answered(NamedTuple):
    """One instrument with its checked answers and the words it was asked in."""

    instrument: Instrument
    answers: Answers
    text: InstrumentText


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
    was_pasted: bool = False,
) -> ValueProfile:
    """A new version with every instrument's answers, scores and attributes; the first one seats the person.

    `item_order` is the order in which items were shown, kept beside the answers. Raises InvalidProfile
    and then stores nothing.
    """
    answered = _validate(annotator, raw)
    flags = {flag for one in answered for flag in profile_flags(one.instrument, one.answers)}
    profile = ValueProfile(
        annotator=annotator,
        answers={
            one.instrument.id: _packed(one, (item_order or {}).get(one.instrument.id)) for one in answered
        },
        attributes=_defined(attributes(one.instrument, one.answers) for one in answered),
        scores=_defined(score(one.instrument, one.answers) for one in answered),
        flags=sorted(flags | ({PASTED} if was_pasted else set())),
    )
    _store(annotator, profile, languages)
    return profile


def approve_text(annotator: Annotator, text: str) -> ValueProfile:
    """A new version like the latest, in which these words stand for the person's values; "" for none."""
    with transaction.atomic():
        locked = Annotator.objects.select_for_update().get(pk=annotator.pk)
        latest = locked.profiles.order_by("version").last()
        if latest is None:
            raise ValueError("there is no profile yet")
        if latest.text == text:
            return latest
        kept = {field: getattr(latest, field) for field in ("answers", "attributes", "scores", "flags")}
        return ValueProfile.objects.create(annotator=annotator, version=latest.version + 1, text=text, **kept)


def clean_text(text: str) -> str | None:
    """The words as they can be kept, "" where there are none; None for too many, or signs nobody types."""
    words = text.replace("\r\n", "\n").strip()
    return words if len(words) <= MAX_TEXT and is_printable(words) else None


def latest_profile(annotator: Annotator) -> ValueProfile | None:
    return annotator.profiles.order_by("version").last()


def may_use_text(annotator: Annotator) -> bool:
    """Whether the person lets what they write leave their answers: to a model, and into a release."""
    consent = current_consent(annotator)
    return consent is not None and Scope.RELEASE_FREE_TEXT in consent.scopes


def send_summary(summary_id: int, queue: str, *, expires: float | None = None) -> None:
    """Tells the workers of the generator's queue that there is a summary to write, within so many seconds."""
    current_app.send_task("annotations.tasks.summarise_profile", [summary_id], queue=queue, expires=expires)


def question_language(annotator: Annotator) -> str:
    """The language the person reads the site in; where that is only the fallback, one they are asked in."""
    if annotator.language != FALLBACK_LANGUAGE or annotator.language in annotator.languages:
        return annotator.language
    return next(iter(annotator.languages), annotator.language)


def own_words(profile: ValueProfile) -> dict[str, str]:
    """What the person wrote about their values, by item; empty where they wrote nothing."""
    stored = profile.answers.get(TEXT_INSTRUMENT, {}).get("answers", {})
    return {
        item: answer for item, answer in unpack_answers(stored).items() if isinstance(answer, str) and answer
    }


def answers_in_words(profile: ValueProfile, language: str) -> Iterator[tuple[str, str]]:
    """(question, answer) as the person saw them, for the page that shows what is kept."""
    texts = campaign_texts(profile.annotator.campaign, language)
    for name, stored in profile.answers.items():
        if name not in texts:
            continue
        items = {words.id: words for words in texts[name].items}
        for item_id, answer in unpack_answers(stored["answers"]).items():
            if item_id in items and isinstance(answer, (int, str)):
                words = items[item_id]
                question = f"{texts[name].stem} {words.question}".strip()
                yield question, dict(words.options).get(str(answer), str(answer))


def _validate(annotator: Annotator, raw: RawAnswers) -> list[Answered]:
    texts = campaign_texts(annotator.campaign, question_language(annotator))
    faults: dict[str, str] = {}
    valid: list[Answered] = []
    for instrument in campaign_instruments(annotator.campaign):
        # Without words it was not on the page, so that nothing of it was asked.
        if instrument.id not in texts:
            continue
        try:
            answers = validate_answers(instrument, raw.get(instrument.id, {}))
            valid.append(Answered(instrument, answers, texts[instrument.id]))
        except AnswerError as error:
            faults |= {f"{instrument.id}.{item}": code for item, code in error.fields.items()}
    if faults:
        raise InvalidProfile(faults)
    return valid


def _packed(one: Answered, order: list[str] | None) -> dict[str, Any]:
    packed = {
        "version": one.instrument.version,
        "sha256": one.text.sha256,
        "language": one.text.language,
        "answers": pack_answers(one.answers),
    }
    return packed | ({"order": order} if order else {})


def _defined(parts: Iterator[Mapping[str, Any]]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items() if value is not None}


def _store(annotator: Annotator, profile: ValueProfile, languages: Collection[str]) -> None:
    with transaction.atomic():
        # Locks the row, so that two submissions at once get two version numbers.
        locked = Annotator.objects.select_for_update().get(pk=annotator.pk)
        previous = locked.profiles.order_by("version").last()
        profile.version = previous.version + 1 if previous else 1
        profile.text = _standing_text(annotator, profile, previous)
        profile.save()
        _plan_summary(annotator, profile, previous)
        annotator.flags = sorted({*locked.flags} - PROFILE_FLAGS - {PASTED} | {*profile.flags})
        if languages:
            annotator.languages = sorted(languages)
        annotator.save(update_fields=["flags", "languages"])
        place_annotator(annotator, profile.attributes, profile.scores)


def _standing_text(annotator: Annotator, profile: ValueProfile, previous: ValueProfile | None) -> str:
    """The words that stand for the person's values in the new version.

    What was accepted goes on standing while the words it was made of do. A summary counts only once it
    is accepted; where the campaign makes none, their own words stand.
    """
    if previous and own_words(previous) == own_words(profile):
        return previous.text
    if annotator.campaign.summariser_id is not None:
        return ""
    return "\n\n".join(own_words(profile).values())


def _plan_summary(annotator: Annotator, profile: ValueProfile, previous: ValueProfile | None) -> None:
    """Asks for a summary of changed words, from those who let what they write be used at all."""
    if previous and own_words(previous) == own_words(profile):
        return
    undecided = ProfileSummary.objects.filter(profile__annotator=annotator, state__in=UNDECIDED)
    undecided.update(state=ProfileSummary.State.OUTDATED, lease_token=None, lease_until=None)
    generator = annotator.campaign.summariser
    if generator is None or not own_words(profile) or not may_use_text(annotator):
        return
    summary = ProfileSummary.objects.create(profile=profile)
    # Robust: a broker that is down costs the hint, and the sweeper finds the row.
    transaction.on_commit(partial(send_summary, summary.pk, generator.queue), robust=True)
