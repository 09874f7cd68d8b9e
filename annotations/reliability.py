"""How reliable a campaign's scores are: for each made of several items, how well those hang together."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import OuterRef, Subquery

from annotations.instruments.answers import unpack_answers
from annotations.instruments.instrument import Instrument, Score
from annotations.instruments.scorer import score_items
from annotations.models import Annotator, ValueProfile
from annotations.questionnaires import campaign_instruments
from annotations.statistics.estimate import Estimate
from annotations.statistics.reliability import cronbach_alpha
from collector.models import Campaign

# More people than this would not move the number, and would not fit in memory for ever.
MOST_PEOPLE = 20_000


class Reliability(NamedTuple):
    """One score's alpha over the campaign's people."""

    instrument: Instrument
    score: Score
    alpha: Estimate


def score_reliability(campaign: Campaign) -> list[Reliability]:
    """Alpha of every score made of two or more items, over each person's latest profile.

    Whoever is simulated or has withdrawn is not counted. A score over all items of a questionnaire is the
    person's level, not a scale, and is left out.
    """
    scales = [
        (instrument, score)
        for instrument in campaign_instruments(campaign)
        for score in instrument.scores
        if 2 <= len(score.items) < len(instrument.items)
    ]
    rows: dict[str, list[list[float | None]]] = {score.id: [] for _instrument, score in scales}
    for answers in _latest_answers(campaign) if scales else ():
        for instrument, score in scales:
            stored = answers.get(instrument.id)
            if stored and stored["version"] == instrument.version:
                rows[score.id].append(score_items(instrument, score, unpack_answers(stored["answers"])))
    return [
        Reliability(instrument, score, cronbach_alpha(_matrix(rows[score.id], len(score.items))))
        for instrument, score in scales
    ]


def _latest_answers(campaign: Campaign) -> Iterator[Mapping[str, Any]]:
    people = Annotator.objects.filter(campaign=campaign).people().present()
    newest = ValueProfile.objects.filter(annotator=OuterRef("annotator")).order_by("-version")
    latest = ValueProfile.objects.filter(annotator__in=people, pk=Subquery(newest.values("pk")[:1]))
    answers = latest.order_by("-pk").values_list("answers", flat=True)[:MOST_PEOPLE]
    return answers.iterator(chunk_size=500)


def _matrix(rows: list[list[float | None]], width: int) -> list[list[float]]:
    """People x items, missing as NaN; where nobody answered, one empty row, which tells the items' number."""
    missing = float("nan")
    return [[missing if value is None else value for value in row] for row in rows] or [[missing] * width]
