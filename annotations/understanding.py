"""Questions on the instructions, asked before the first seat; tried as often as needed, never a rejection."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F

from annotations.models import Annotator
from collector.models import Campaign

TRIES_BEFORE_A_WAY_BACK = 2


class Question(NamedTuple):
    """One of the manager's questions; `answer` is the place of the right option, from 0."""

    text: str
    options: list[str]
    answer: int
    explanation: str

    def is_right(self, given: str | None) -> bool:
        return given == str(self.answer)


def questions_for(campaign: Campaign, language: str) -> list[Question]:
    """Those in the language, else those in the campaign's first language that has some."""
    by_language: dict[str, list[Question]] = {}
    for row in campaign.comprehension:
        question = Question(row["question"], row["options"], row["answer"], row.get("explanation", ""))
        by_language.setdefault(row.get("language", "en"), []).append(question)
    first = next((by_language[code] for code in campaign.languages if code in by_language), None)
    return by_language.get(language) or first or next(iter(by_language.values()), [])


def needs_check(annotator: Annotator) -> bool:
    return annotator.check_passed_at is None and bool(annotator.campaign.comprehension)


def check_answers(annotator: Annotator, given: Mapping[int, str | None], *, now: datetime) -> list[int]:
    """The places of the questions answered wrongly; counts the try, and passes where there are none."""
    questions = questions_for(annotator.campaign, annotator.language)
    wrong = [place for place, question in enumerate(questions) if not question.is_right(given.get(place))]
    changes: dict[str, Any] = {"check_tries": F("check_tries") + 1}
    if not wrong:
        changes["check_passed_at"] = now
    Annotator.objects.filter(pk=annotator.pk, check_passed_at=None).update(**changes)
    annotator.refresh_from_db(fields=["check_tries", "check_passed_at"])
    return wrong
