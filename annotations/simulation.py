"""Simulated annotators: plainly labelled, and taking part through the same functions as people."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Sum

from annotations.assignment import next_seats
from annotations.ballots import Answer, BallotRefused, submit_ballot
from annotations.completion import finish
from annotations.consent import document_for, ensure_documents
from annotations.enrolment import Refused, enrol, find_annotator
from annotations.entry import Entry
from annotations.instruments.instrument import PREFER_NOT_TO_SAY, Item
from annotations.jury import make_strata, place_annotator, seat_ready_prompts
from annotations.models import Annotator, Missing, Quota, Scope, Seat, Stratum
from annotations.opinions import Juror, Response, draw, make_opinion
from annotations.platform_ids import hash_identity
from annotations.profiles import record_profile
from annotations.questionnaires import campaign_instruments
from collector.models import Campaign, Candidate, Criterion

SLOWEST = 90  # seconds a simulated annotator has a seat
DECLINES = 0.05  # how often a simulated annotator leaves an optional answer out


class Summary(NamedTuple):
    annotators: int  # simulated annotators who took part
    ballots: int
    left: int  # places still open in the campaign


def simulate(
    campaign: Campaign,
    annotators: int,
    *,
    seed: int = 0,
    now: datetime,
    report: Callable[[int], None] = lambda ballots: None,
) -> Summary:
    """Lets that many simulated annotators rate until none of them finds a seat.

    They spread over the strata, and one in as many as there are strata answers nothing about themselves. The
    same seed means the same annotators: called again, those who exist go on. Raises Refused when the
    campaign is not open. `report` hears of every ballot.
    """
    if not campaign.is_open:
        raise Refused("closed")
    ensure_documents(campaign)
    seat_ready_prompts(campaign)
    present = _enrol_all(campaign, annotators, seed)
    criteria = list(campaign.criteria.filter(kind__in=Criterion.RATED))
    ballots, taking_part = 0, present
    while taking_part:
        busy = [annotator for annotator in taking_part if _take_a_turn(annotator, criteria, now)]
        ballots += len(busy)
        report(ballots)
        taking_part = busy
    left = Quota.objects.filter(campaign=campaign).aggregate(left=Sum("need"))["left"] or 0
    return Summary(len(present), ballots, left)


def _enrol_all(campaign: Campaign, annotators: int, seed: int) -> list[Annotator]:
    strata = make_strata(campaign)
    places = [None if stratum.is_wildcard else stratum for stratum in strata]
    # Whoever belongs to no stratum comes last, so that a handful of annotators fills the strata first.
    enrolled = (
        _enrol(campaign, places[number % len(places)], f"{seed}-{number}") for number in range(annotators)
    )
    return [annotator for annotator in enrolled if annotator]


def _enrol(campaign: Campaign, stratum: Stratum | None, name: str) -> Annotator | None:
    """The simulated annotator of this name, with consent and profile; None for one who was withdrawn."""
    entry = Entry(Annotator.Source.SIMULATED, hash_identity(campaign, f"simulated {name}"), is_verified=True)
    if known := find_annotator(campaign, entry):
        return known
    languages = campaign.languages or ["en"]
    document = document_for(campaign, languages[0])
    if document is None:
        raise Refused("closed")
    try:
        annotator = enrol(campaign, entry, document, list(Scope), language=languages[0]).annotator
    except Refused:
        return None
    record_profile(annotator, _profile(campaign, stratum, name), languages=languages)
    if stratum:
        place_annotator(annotator, stratum.attributes)
    return annotator


def _profile(campaign: Campaign, stratum: Stratum | None, name: str) -> dict[str, dict[str, str]]:
    """Raw answers to every instrument, which agree with the stratum; none at all without one."""
    if stratum is None:
        return {}
    rng = random.Random(f"{campaign.seed}/{name}")  # noqa: S311  a simulation, not a secret
    return {
        instrument.id: {
            item.id: _answer_about_oneself(item, stratum, campaign.seed, rng)
            for item in instrument.items
            if item.is_closed and item.only_if is None
        }
        for instrument in campaign_instruments(campaign)
    }


def _answer_about_oneself(item: Item, stratum: Stratum, seed: str, rng: random.Random) -> str:
    if item.attribute in stratum.attributes:
        level = stratum.attributes[item.attribute]
        return next((str(band.low) for band in item.bands if band.key == level), level)
    if rng.random() < DECLINES:
        return PREFER_NOT_TO_SAY
    if not item.is_number:
        return rng.choice(item.options)
    low, high = item.bounds
    middle = 0.5 + 0.2 * draw(seed, "values", stratum.label, item.id)
    share = min(max(middle + 0.15 * rng.gauss(), 0.0), 1.0)
    return str(round(low + share * (high - low)))


def _take_a_turn(annotator: Annotator, criteria: list[Criterion], now: datetime) -> bool:
    """Rates one seat; False when there was none."""
    longest = annotator.campaign.lease_minutes * 60
    seats = next_seats(annotator, now=now - timedelta(seconds=min(SLOWEST, longest / 2)))
    if not seats:
        finish(annotator, now=now)
        return False
    rng = random.Random(f"{annotator.campaign.seed}/{seats[0].pk}")  # noqa: S311
    answers = _rate(annotator, seats[0], criteria, rng)
    try:
        submit_ballot(
            seats[0], answers, now=now, active_seconds=rng.uniform(0.2, 0.9) * min(SLOWEST, longest / 2)
        )
    except BallotRefused:
        return False
    return True


def _rate(
    annotator: Annotator, seat: Seat, criteria: list[Criterion], rng: random.Random
) -> dict[tuple[int, str], Answer]:
    seed = annotator.campaign.seed
    group = annotator.stratum.label if annotator.stratum else f"alone {annotator.pk}"
    juror = Juror(group, str(annotator.pk))
    answers: dict[tuple[int, str], Answer] = {}
    for candidate in Candidate.objects.filter(pk__in=seat.candidate_order).select_related(
        "generator", "prompt"
    ):
        voice = candidate.steering or candidate.generator.name
        response = Response(candidate.external_id, voice, candidate.prompt.topic)
        for criterion in criteria:
            opinion = make_opinion(seed, juror, response, criterion.name)
            declines = not criterion.required and rng.random() < DECLINES
            answers[candidate.pk, criterion.name] = (
                Missing.DECLINED if declines else _value(criterion, opinion)
            )
    return answers


def _value(criterion: Criterion, opinion: float) -> float:
    """The point of the criterion's scale that stands for an opinion from 0 to 1."""
    if not criterion.higher_is_better:
        opinion = 1 - opinion
    low, high = criterion.bounds or (0.0, len(criterion.categories) - 1.0)
    return low + float(round(opinion * (high - low)))
