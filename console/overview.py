"""The list of campaigns with its numbers, each kind counted once for all of them."""

from collections import defaultdict
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from annotations.models import Annotator, Quota, Seat
from collector.models import Campaign, CampaignQuerySet, Candidate, Generator, Prompt
from collector.providers import PROVIDERS
from exports.models import Release


def campaign_rows(campaigns: CampaignQuerySet) -> list[dict[str, Any]]:
    """What `console/campaign_list.html` shows of each campaign."""
    listed = list(campaigns)
    keys = [campaign.pk for campaign in listed]
    prompts = _counted(Prompt.objects.judged().filter(campaign__in=keys), n=Count("pk"))
    given = ~Q(generator__provider__in=_generating())
    candidates = _counted(
        Candidate.objects.filter(campaign__in=keys),
        done=Count("pk", filter=Q(state=Candidate.State.DONE)),
        given=Count("pk", filter=given),
    )
    asked = _asked_per_prompt(keys)
    places = _counted(Quota.objects.filter(campaign__in=keys), n=Sum("seats"), filled=Sum("filled"))
    seats = _counted(
        Seat.objects.filter(campaign__in=keys, state=Seat.State.FILLED, purpose=Prompt.Purpose.JUDGED),
        n=Count("pk"),
    )
    people = _counted(
        Annotator.objects.filter(campaign__in=keys),
        n=Count("pk", filter=~Q(source=Annotator.Source.SIMULATED)),
    )
    releases = _counted(
        Release.objects.exclude(state=Release.State.CUTTING).filter(campaign__in=keys), n=Count("pk")
    )
    return [
        {
            "slug": campaign.slug,
            "title": campaign.title,
            "state": campaign.state,
            "is_demo": campaign.is_demo,
            "prompts": prompts[key]["n"],
            "candidates": {
                "done": candidates[key]["done"],
                "total": prompts[key]["n"] * asked[key] + candidates[key]["given"],
            },
            "seats": _seats(campaign, places[key], seats[key]["n"]),
            "people": people[key]["n"],
            "releases": releases[key]["n"],
        }
        for key, campaign in zip(keys, listed, strict=True)
    ]


def _seats(campaign: Campaign, places: dict[str, int], filled: int) -> dict[str, int]:
    """An imported jury was never planned: all its seats are filled."""
    if campaign.is_imported:
        return {"filled": filled, "total": filled}
    return {"filled": places["filled"], "total": places["n"]}


def _asked_per_prompt(campaigns: list[int]) -> dict[int, int]:
    """How many candidates each prompt of a campaign is to have from its generators: samples x steerings."""
    asked: dict[int, int] = defaultdict(int)
    generators = Generator.objects.filter(campaign__in=campaigns, provider__in=_generating())
    for generator in generators.order_by().only("campaign_id", "samples", "steerings"):
        asked[generator.campaign_id] += generator.samples * len(generator.steering_plan)
    return asked


def _generating() -> list[str]:
    return [name for name, provider in PROVIDERS.items() if provider.generates]


def _counted(rows: QuerySet[Any], **aggregates: Any) -> dict[int, dict[str, int]]:
    """The aggregates by campaign; zero for a campaign without rows."""
    counted: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(aggregates, 0))
    for row in rows.order_by().values("campaign").annotate(**aggregates):
        counted[row["campaign"]] = {name: row[name] or 0 for name in aggregates}
    return counted
