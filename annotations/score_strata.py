"""Strata from a value profile's scores: which scores there are, and where low, middle and high part."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from annotations.instruments.instrument import Instrument, Score
from annotations.instruments.loader import load_score_texts
from annotations.questionnaires import campaign_instruments
from annotations.strata import SCORE_PREFIX
from collector.models import Campaign

LEVELS = ("low", "middle", "high")


class ScoreChoice(NamedTuple):
    """A score that strata can be made from, with the range it can lie in, if that is known."""

    name: str
    title: str
    low: float | None
    high: float | None

    def thirds(self) -> list[float] | None:
        """The cuts that part its range into three equal pieces."""
        if self.low is None or self.high is None:
            return None
        return [self.low + (self.high - self.low) * third / 3 for third in (1, 2)]


def score_choices(campaign: Campaign, language: str) -> list[ScoreChoice]:
    """Every score of the questionnaires the campaign asks, in their order."""
    return [
        _choice(instrument, score, titles)
        for instrument in campaign_instruments(campaign)
        for titles in [_titles(instrument, language)]
        for score in instrument.scores
    ]


def make_tertiles(name: str, cuts: Sequence[float]) -> dict[str, Any]:
    """The entry of `campaign.strata` for a score: three levels with the two cuts between them."""
    return {
        "attribute": f"{SCORE_PREFIX}{name}",
        "levels": [f"{name} {level}" for level in LEVELS],
        "cuts": [float(cut) for cut in cuts],
    }


def _titles(instrument: Instrument, language: str) -> dict[str, str]:
    return {name: text.label for name, text in load_score_texts(instrument, language).items()}


def _choice(instrument: Instrument, score: Score, titles: dict[str, str]) -> ScoreChoice:
    low, high = _range(instrument, score)
    return ScoreChoice(score.id, titles.get(score.id, score.title), low, high)


def _range(instrument: Instrument, score: Score) -> tuple[float | None, float | None]:
    """The lowest and highest the score can be; unknown for what is made from other scores."""
    if score.op == "lookup":
        values = [value for _answer, value in score.table]
        return min(values), max(values)
    if score.op == "reverse":
        return score.min, score.max
    items = [instrument.item(item_id) for item_id in score.items]
    if score.op not in ("mean", "sum") or not items:
        return None, None
    times = len(items) if score.op == "sum" else 1
    return min(item.bounds[0] for item in items) * times, max(item.bounds[1] for item in items) * times
