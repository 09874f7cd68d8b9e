"""Gauges for Prometheus: how the juries fill."""

from collections.abc import Iterator

from django.db.models import Count, Sum

from annotations.models import Annotator, Quota
from collector.metrics import Metric


def seat_metrics() -> Iterator[Metric]:
    """Places, seats and annotators of every campaign; campaigns are named by their slug."""
    seats, held, filled = [], [], []
    for row in (
        Quota.objects.order_by("campaign__slug")
        .values("campaign__slug")
        .annotate(seats=Sum("seats"), taken=Sum("taken"), filled=Sum("filled"))
    ):
        labels = {"campaign": row["campaign__slug"]}
        seats.append((labels, row["seats"]))
        held.append((labels, row["taken"] - row["filled"]))
        filled.append((labels, row["filled"]))
    yield Metric("empanel_seats", "Seats of the juries of all prompts, taken or not.", seats)
    yield Metric("empanel_seats_held", "Seats held by an annotator at this moment.", held)
    yield Metric("empanel_seats_filled", "Seats filled with a ballot.", filled)
    counts = Annotator.objects.order_by("campaign__slug", "source", "state").values_list(
        "campaign__slug", "source", "state"
    )
    yield Metric(
        "empanel_annotators",
        "Annotators by campaign, source and state.",
        [
            ({"campaign": slug, "source": source, "state": state}, number)
            for slug, source, state, number in counts.annotate(Count("pk"))
        ],
    )
