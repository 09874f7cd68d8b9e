"""A campaign's forecast: from its settings at first, from what happened once that is known."""

from statistics import median

from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import Coalesce

from annotations.jury import stratum_rows
from annotations.models import Annotator, Ballot, Quota, Seat, Stratum
from annotations.recruitment import recruitment_of
from annotations.statistics.forecast import Assumptions, Forecast, Places, make_forecast
from collector.models import Campaign, Prompt

SITTING = 30  # minutes for which people are taken to rate, where no limit says otherwise
ENOUGH = 20  # ballots from which on what happened is believed
RECENT = 500


def forecast_jury(campaign: Campaign) -> Forecast:
    """People, hours, cost and planned intervals for what is open; the campaign may have unsaved changes."""
    prompts = campaign.prompts.judged().count() if campaign.pk else 0
    strata = stratum_rows(campaign)
    places = _as_planned(strata, prompts) if campaign.is_draft else _as_filled(campaign, strata, prompts)
    return make_forecast(places, prompts, assumptions_of(campaign, prompts))


def assumptions_of(campaign: Campaign, prompts: int) -> Assumptions:
    """What people were seen to do where enough of them came, and what the settings assume where not."""
    rules = recruitment_of(campaign) if campaign.pk else None
    pay = float(rules.target_hourly or 0) if rules else 0.0
    repeats = campaign.repeat_percent / 100
    seen = None if campaign.is_draft else _seen(campaign)
    minutes, share, dropout = seen or (
        campaign.minutes_per_prompt,
        campaign.max_seats_per_annotator or max(SITTING / campaign.minutes_per_prompt, 1),
        campaign.dropout_percent / 100,
    )
    return Assumptions(
        seats_per_person=share,
        minutes_per_seat=minutes,
        dropout=dropout,
        hourly_pay=pay,
        repeats=repeats,
        is_observed=seen is not None,
    )


def _as_planned(strata: list[Stratum], prompts: int) -> list[Places]:
    return [
        Places(
            stratum.label,
            stratum.seats,
            open=stratum.seats * prompts,
            most_open=stratum.seats if prompts else 0,
            is_wildcard=stratum.is_wildcard,
        )
        for stratum in strata
    ]


def _as_filled(campaign: Campaign, strata: list[Stratum], prompts: int) -> list[Places]:
    """Places not filled yet, those of prompts that still wait for candidates included."""
    open_now = F("seats") - F("filled")
    counted = Quota.objects.filter(campaign=campaign).order_by().values("stratum")
    rows = counted.annotate(open=Sum(open_now), most=Max(open_now), seated=Count("pk"))
    by_stratum = {row["stratum"]: row for row in rows}
    nothing = {"open": 0, "most": 0, "seated": 0}
    places = []
    for stratum in strata:
        row = by_stratum.get(stratum.pk, nothing)
        waiting = max(prompts - row["seated"], 0) if stratum.seats else 0
        places.append(
            Places(
                stratum.label,
                stratum.seats,
                open=row["open"] + stratum.seats * waiting,
                most_open=max(row["most"], stratum.seats if waiting else 0),
                is_wildcard=stratum.is_wildcard,
            )
        )
    return places


def _seen(campaign: Campaign) -> tuple[float, float, float] | None:
    """Minutes a ballot took, ballots per person who rated, and the share who came and rated nothing."""
    ballots = Ballot.objects.filter(seat__campaign=campaign, revision=1, submitted_at__isnull=False)
    took = Coalesce("active_seconds", "seconds")
    latest = ballots.exclude(active_seconds=None, seconds=None).order_by("-pk")
    times = list(latest.values_list(took, flat=True)[:RECENT])
    if len(times) < ENOUGH:
        return None
    filled = Seat.objects.filter(
        campaign=campaign, purpose=Prompt.Purpose.JUDGED, state=Seat.State.FILLED, repeat_index=0
    )
    counted = filled.aggregate(seats=Count("pk"), people=Count("annotator", distinct=True))
    holding = Seat.objects.filter(campaign=campaign, state=Seat.State.HELD).values("annotator")
    gone = Annotator.objects.filter(campaign=campaign).exclude(pk__in=holding)
    silent = gone.exclude(Q(pk__in=filled.values("annotator"))).count()
    people = counted["people"]
    return max(median(times) / 60, 0.05), counted["seats"] / people, silent / (silent + people)
