"""Imported studies of enough people to hide among, one of whom stands out."""

from pathlib import Path

from collector.models import Campaign
from exports.interchange import import_campaign
from tests.folders import CANDIDATES, SETTINGS, write_small

POLICY = {
    "tier": "restricted",
    "attributes": ["age_band", "education", "left_right", "score_care", "score_left_right"],
}


def someone(number, age="18-34", education="university", left_right="left", **more):
    return {
        "annotator_id": f"a{number:03}", "age_band": age, "education": education, "left_right": left_right,
        "score_care": 3.14159, "score_left_right": 2.0, "weight": None,
    } | more  # fmt: skip


def crowd():
    """Two ages of 20 with both opinions, one person of 55+ with a weight of her own, one rare education."""
    ages, sides = ("18-34", "35-54"), ("left", "right")
    people = [someone(n, ages[n % 2], left_right=sides[n // 2 % 2]) for n in range(40)]
    people.append(someone(40, "55+", "primary_or_less", "centre", weight=7.25, x_town="Smallville"))
    return people


def make_study(folder: Path, people, slug="study", privacy=POLICY, **settings) -> Campaign:
    ratings = [
        {"annotator_id": one["annotator_id"], "candidate_id": each["candidate_id"], "criterion": "good",
         "value": 1 + at % 5, "x_device": "a rare phone"}
        for at, one in enumerate(people)
        for each in CANDIDATES
    ]  # fmt: skip
    whole = SETTINGS | {"strata": ["age_band"], "privacy": privacy} | settings
    return import_campaign(write_small(folder, whole, annotators=people, ratings=ratings), slug)
