"""Seats of region by gender on every jury, filled by 4,309 people who took part in a real study."""

import csv
import random
from datetime import timedelta

import pytest

from annotations.assignment import next_seats
from annotations.audit import audit_juries
from annotations.ballots import submit_ballot
from annotations.jury import place_annotator
from annotations.models import Annotator, Quota
from annotations.progress import seats_by_stratum
from tests.builders import make_open_campaign
from tests.jurors import NOW, answer_all

REGIONS = [
    "Arab Culture",
    "Indian Cultural Sphere",
    "Latin America",
    "Sinosphere",
    "Sub Saharan Africa",
    "Western Europe",
]
STRATA = [{"attribute": "region", "levels": REGIONS}, {"attribute": "gender", "levels": ["Man", "Woman"]}]


@pytest.mark.django_db
def test_region_by_gender_fills_and_nobody_is_shut_out(shared_data):
    with (shared_data / "d3-raters.csv").open(encoding="utf-8", newline="") as file:
        pool = list(csv.DictReader(file))
    random.Random(1).shuffle(pool)
    campaign = make_open_campaign(prompts=10, candidates=1, strata=STRATA, wildcard_seats=None)

    came = 0
    while Quota.objects.filter(campaign=campaign, need__gt=0).exists():
        arrive(campaign, pool[came], now=NOW + timedelta(minutes=came))
        came += 1

    # Twelve strata, and two of fourteen seats for whoever is from elsewhere, or neither a man nor a woman.
    seats = {row["label"]: (row["filled"], row["open"]) for row in seats_by_stratum(campaign)}
    assert seats == {f"{region} / {gender}": (10, 0) for region in REGIONS for gender in ("Man", "Woman")} | {
        "anyone": (20, 0)
    }
    elsewhere = Annotator.objects.filter(campaign=campaign, stratum=None, seats__state="filled")
    assert elsewhere.exists()
    assert audit_juries(campaign) == []


def arrive(campaign, person, *, now):
    """Rates up to four prompts; one in five leaves the last of them unanswered."""
    annotator = Annotator.objects.create(campaign=campaign, languages=["en"])
    place_annotator(annotator, {"region": person["Region"], "gender": person["Gender"]})
    for turn in range(4):
        seats = next_seats(annotator, now=now)
        if not seats or (turn == 3 and annotator.pk % 5 == 0):
            return
        submit_ballot(seats[0], answer_all(seats[0]), now=now)
