"""How much somebody may do in a day, so that nobody rates when they are tired."""

from datetime import datetime, timedelta

from django.db.models import Min, Sum
from django.db.models.functions import Coalesce

from annotations.models import Annotator, Ballot

DAY = timedelta(days=1)


def rest_until(annotator: Annotator, now: datetime) -> datetime | None:
    """When this person may go on, if they have done enough in the last 24 hours; None if they may now.

    Minutes are active ones where the browser measured them. What lies 24 hours back no longer counts.
    """
    campaign = annotator.campaign
    seats, minutes = campaign.max_seats_per_day, campaign.max_minutes_per_day
    if not seats and not minutes:
        return None
    today = Ballot.objects.filter(
        seat__annotator=annotator, revision=1, submitted_at__gt=now - DAY, submitted_at__lte=now
    )
    if seats:
        latest = today.order_by("-submitted_at").values_list("submitted_at", flat=True)[:seats]
        times = [time for time in latest if time]
        if len(times) == seats:
            return times[-1] + DAY
    if minutes:
        spent = today.aggregate(
            seconds=Sum(Coalesce("active_seconds", "seconds")),
            first=Min("submitted_at"),
        )
        if (spent["seconds"] or 0) >= minutes * 60 and spent["first"]:
            return spent["first"] + DAY
    return None
