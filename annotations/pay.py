"""What people earn an hour so far: the median of those who are done, against the campaign's target."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import quantiles
from typing import NamedTuple

from django.db.models import F, Min, Sum
from django.db.models.functions import Coalesce, Least

from annotations.models import Annotator, Ballot, Completion, Recruitment
from collector.models import Campaign

LONGEST_FORM_MINUTES = 30  # consent to profile; who took longer was away
LONGEST_BALLOT_SECONDS = 600.0  # likewise, where the browser did not say how long they were at it


class Pay(NamedTuple):
    """Minutes at work of those who are complete: quartiles, None while there are none; money an hour."""

    people: int
    low: float | None
    median: float | None
    high: float | None
    hourly: Decimal | None
    is_below_target: bool
    fair_reward: Decimal | None  # what would meet the target at the median, where the reward does not


def pay_so_far(campaign: Campaign, rules: Recruitment) -> Pay:
    """Pay by time actually spent: forms up to the profile, and every ballot; breaks do not count."""
    minutes = minutes_at_work(campaign)
    if not minutes:
        return Pay(0, None, None, None, None, False, None)
    low, median, high = _quartiles(minutes)
    hourly = _money(rules.reward_complete * 60 / Decimal(median)) if median else None
    target = rules.target_hourly
    if hourly is None or not target or hourly >= target:
        return Pay(len(minutes), low, median, high, hourly, False, None)
    return Pay(len(minutes), low, median, high, hourly, True, _money(target * Decimal(median) / 60))


def minutes_at_work(campaign: Campaign) -> list[float]:
    """Of every real person who is complete."""
    done = Annotator.objects.people().filter(campaign=campaign, completion__kind=Completion.Kind.COMPLETE)
    forms = done.annotate(profile_at=Min("profiles__created_at")).order_by()
    spent = {
        pk: min((profile_at - enrolled_at).total_seconds(), LONGEST_FORM_MINUTES * 60) if profile_at else 0.0
        for pk, enrolled_at, profile_at in forms.values_list("pk", "enrolled_at", "profile_at")
    }
    seconds = Coalesce(F("active_seconds"), Least(Coalesce(F("seconds"), 0.0), LONGEST_BALLOT_SECONDS))
    ballots = Ballot.objects.filter(seat__annotator__in=done.values("pk")).order_by()
    for row in ballots.values("seat__annotator").annotate(total=Sum(seconds)):
        spent[row["seat__annotator"]] = spent.get(row["seat__annotator"], 0.0) + row["total"]
    return [total / 60 for total in spent.values()]


def _quartiles(minutes: Sequence[float]) -> tuple[float, float, float]:
    if len(minutes) == 1:
        return minutes[0], minutes[0], minutes[0]
    low, median, high = quantiles(minutes, n=4, method="inclusive")
    return low, median, high


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
