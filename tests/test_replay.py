"""The same people doing the same things at the same times are given the same seats."""

import random
from datetime import timedelta

import pytest

from annotations.assignment import expire_seats, extend_hold, next_seats, void_seat
from annotations.ballots import submit_ballot
from annotations.models import Ballot, Quota, Rating, Seat
from tests.builders import make_open_campaign
from tests.jurors import NOW, answer_all, make_juror

pytestmark = pytest.mark.django_db
SIDES = [{"attribute": "side", "levels": ["left", "right"]}]
SOFT = [{"attribute": "age", "levels": ["old", "young"]}]


def test_a_log_played_again_gives_the_same_seats():
    campaign = make_open_campaign(
        prompts=6,
        candidates=3,
        strata=SIDES,
        seats_per_stratum=3,
        wildcard_seats=1,
        soft_targets=SOFT,
        repeat_percent=20,
        repeat_distance=2,
    )
    people = [
        make_juror(campaign, side, soft_levels={"age": age})
        for side in ("left", "right", "")
        for age in ("old", "young", "old")
    ]
    log = make_log(len(people))

    first = play(log, people)
    forget()

    assert play(log, people) == first
    assert {"filled", "void"} <= {state for *_seat, state in first}
    assert any(repeat for _annotator, _prompt, repeat, *_rest in first)


def make_log(people):
    rng = random.Random(5)
    deeds = ["claim", "claim", "claim", "rate", "rate", "rate", "hold", "skip", "sweep", "wait"]
    return [(rng.choice(deeds), rng.randrange(people)) for _ in range(400)]


def play(log, people):
    """Every seat that came of it, as rows that no key of a later run can change."""
    now = NOW
    for deed, who in log:
        held = people[who].seats.filter(state="held").order_by("held_at", "pk").first()
        match deed:
            case "claim":
                next_seats(people[who], now=now)
            case "rate" if held:
                submit_ballot(held, answer_all(held), now=now)
            case "hold" if held:
                extend_hold(held, now=now)
            case "skip" if held:
                void_seat(held, Seat.VoidReason.SKIPPED, now=now)
            case "sweep":
                expire_seats(now)
            case "wait":
                now += timedelta(minutes=5)
    rows = Seat.objects.order_by("annotator", "position").values_list(
        "annotator", "prompt", "repeat_index", "stratum", "position", "candidate_order", "held_at", "state"
    )
    return [(*row[:5], tuple(row[5]), *row[6:]) for row in rows]


def forget():
    Rating.objects.all().delete()
    Ballot.objects.all().delete()
    Seat.objects.all().delete()
    Quota.objects.update(taken=0, filled=0)
