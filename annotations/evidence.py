"""Evidence on how annotators worked: measures beside the group's, never a verdict; nobody is left out for it.

How flags differ between groups is shown too: leaving flagged people out would then shift the jury.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from annotations.models import Annotator, Ballot, Missing, Rating
from annotations.practice import bounds_of
from collector.models import Campaign, Criterion, Prompt

Purpose = Prompt.Purpose
TIME = Coalesce("active_seconds", "seconds")
# Where a flag begins, which asks for a look: a third of the usual time, nearly always one answer, and so on.
FAST = 1 / 3
STRAIGHT = 0.8
FEWEST_BALLOTS = 5
MISSED = 2
APART = 0.25


@dataclass
class Evidence:
    """One annotator's measures; None where there is nothing to measure by."""

    annotator: Annotator
    seats: int = 0
    seconds: float | None = None  # median a seat
    pace: float | None = None  # that, as a share of the campaign's median
    straight: float | None = None  # share of ballots with one answer to all candidates on every scale
    declined: float | None = None  # share of optional scales left untouched
    attention: tuple[int, int] = (0, 0)  # followed, asked
    retest: float | None = None  # mean distance of repeated ratings, as a share of the scale
    repeats: int = 0
    check_tries: int = 0
    repeated_text: bool = False
    flags: list[str] = field(default_factory=list)

    @property
    def percents(self) -> dict[str, int | None]:
        """The shares in whole percent."""
        shares = {"straight": self.straight, "declined": self.declined, "retest": self.retest}
        return {name: None if share is None else round(100 * share) for name, share in shares.items()}


def gather_evidence(campaign: Campaign, annotators: Sequence[Annotator]) -> list[Evidence]:
    """The evidence on these annotators of the campaign, in their order; a bounded number of queries."""
    rows = {one.pk: Evidence(one, check_tries=one.check_tries) for one in annotators}
    _add_pace(campaign, rows)
    _add_straight_lines(rows)
    _add_untouched(rows)
    _add_attention(rows)
    _add_retest(rows)
    _add_repeated_texts(campaign, rows)
    for row in rows.values():
        row.flags = _flags(row)
    return list(rows.values())


def median_seconds(campaign: Campaign) -> float | None:
    """The campaign's median time for a judged seat, in seconds; the middle row is read, not all of them."""
    timed = _timed(campaign)
    count = timed.count()
    if not count:
        return None
    times = timed.order_by(TIME).values_list(TIME, flat=True)
    middle = list(times[(count - 1) // 2 : count // 2 + 1])
    return sum(middle) / len(middle)


def flags_by_stratum(evidence: Iterable[Evidence]) -> list[dict[str, object]]:
    """How many annotators of each stratum carry each flag: {stratum, annotators, flags: {flag: count}}."""
    groups: dict[str, list[Evidence]] = defaultdict(list)
    for row in evidence:
        groups[row.annotator.stratum.label if row.annotator.stratum else ""].append(row)
    return [
        {
            "stratum": label,
            "annotators": len(rows),
            "flagged": sum(bool(row.flags) for row in rows),
            "flags": {flag: sum(flag in row.flags for row in rows) for flag in FLAGS},
        }
        for label, rows in sorted(groups.items())
    ]


FLAGS = ("fast", "straight_lining", "attention_missed", "unsteady", "repeated_text")


def _flags(row: Evidence) -> list[str]:
    followed, asked = row.attention
    many = row.seats >= FEWEST_BALLOTS
    found = {
        "fast": many and row.pace is not None and row.pace < FAST,
        "straight_lining": many and row.straight is not None and row.straight >= STRAIGHT,
        "attention_missed": asked - followed >= MISSED,
        "unsteady": row.retest is not None and row.retest > APART,
        "repeated_text": row.repeated_text,
    }
    return [flag for flag in FLAGS if found[flag]]


def _timed(campaign: Campaign) -> QuerySet[Ballot]:
    ballots = Ballot.objects.filter(
        seat__campaign=campaign, seat__purpose=Purpose.JUDGED, seat__repeat_index=0, revision=1
    )
    return ballots.filter(Q(active_seconds__isnull=False) | Q(seconds__isnull=False))


def _add_pace(campaign: Campaign, rows: dict[int, Evidence]) -> None:
    usual = median_seconds(campaign)
    times: dict[int, list[float]] = defaultdict(list)
    own = _timed(campaign).filter(seat__annotator__in=rows).order_by()
    for annotator, time in own.values_list("seat__annotator", TIME):
        times[annotator].append(time)
    for key, spent in times.items():
        rows[key].seats, rows[key].seconds = len(spent), median(spent)
        rows[key].pace = median(spent) / usual if usual else None


def _judged(rows: dict[int, Evidence]) -> QuerySet[Rating]:
    return Rating.objects.filter(
        annotator__in=rows,
        ballot__is_current=True,
        ballot__seat__purpose=Purpose.JUDGED,
        ballot__seat__repeat_index=0,
    ).order_by()


def _add_straight_lines(rows: dict[int, Evidence]) -> None:
    """A ballot is straight where every scale has one and the same answer for two candidates or more."""
    scales = (
        _judged(rows)
        .filter(criterion__kind__in=[Criterion.Kind.LIKERT, Criterion.Kind.SLIDER], value__isnull=False)
        .values("annotator", "ballot", "criterion")
        .annotate(lowest=Min("value"), highest=Max("value"), answers=Count("pk"))
        .filter(answers__gte=2)
    )
    ballots: dict[tuple[int, int], bool] = {}
    for scale in scales.iterator(chunk_size=5000):
        key = scale["annotator"], scale["ballot"]
        ballots[key] = ballots.get(key, True) and scale["lowest"] == scale["highest"]
    by_annotator: dict[int, list[bool]] = defaultdict(list)
    for (annotator, _ballot), is_straight in ballots.items():
        by_annotator[annotator].append(is_straight)
    for person, straight in by_annotator.items():
        rows[person].straight = sum(straight) / len(straight)


def _add_untouched(rows: dict[int, Evidence]) -> None:
    optional = _judged(rows).filter(criterion__required=False).values("annotator")
    for row in optional.annotate(all=Count("pk"), untouched=Count("pk", filter=Q(missing=Missing.DECLINED))):
        rows[row["annotator"]].declined = row["untouched"] / row["all"]


def _add_attention(rows: dict[int, Evidence]) -> None:
    """An item is followed where every rating that its prompt expects something of is within it."""
    ratings = Rating.objects.filter(
        annotator__in=rows, ballot__is_current=True, ballot__seat__purpose=Purpose.ATTENTION
    )
    followed: dict[tuple[int, int], bool] = {}
    for annotator, ballot, name, value, expected in ratings.values_list(
        "annotator", "ballot", "criterion__name", "value", "ballot__seat__prompt__expected"
    ):
        key = annotator, ballot
        followed.setdefault(key, True)
        if name in expected:
            low, high = bounds_of(expected[name])
            followed[key] &= value is not None and low <= value <= high
    for (person, _ballot), is_followed in followed.items():
        before, asked = rows[person].attention
        rows[person].attention = before + is_followed, asked + 1


def _add_retest(rows: dict[int, Evidence]) -> None:
    """The mean distance between the two ratings of a candidate, over the width of the scale."""
    again = Rating.objects.filter(
        annotator__in=rows, ballot__is_current=True, ballot__seat__repeat_index=1, value__isnull=False
    )
    seconds = {
        (row["annotator"], row["candidate"], row["criterion"]): row["value"]
        for row in again.values("annotator", "candidate", "criterion", "value")
    }
    if not seconds:
        return
    criteria = Criterion.objects.in_bulk({criterion for _annotator, _candidate, criterion in seconds})
    first = _judged(rows).filter(
        candidate__in={candidate for _annotator, candidate, _criterion in seconds}, value__isnull=False
    )
    distances: dict[int, list[float]] = defaultdict(list)
    for annotator, candidate, criterion, value in first.values_list(
        "annotator", "candidate", "criterion", "value"
    ):
        other = seconds.get((annotator, candidate, criterion))
        if value is not None and other is not None and (bounds := criteria[criterion].bounds):
            distances[annotator].append(abs(value - other) / (bounds[1] - bounds[0]))
    for key, apart in distances.items():
        rows[key].retest, rows[key].repeats = sum(apart) / len(apart), len(apart)


def _add_repeated_texts(campaign: Campaign, rows: dict[int, Evidence]) -> None:
    """Whether somebody else in the campaign describes their values in exactly the same words."""
    texts = Annotator.objects.filter(campaign=campaign, profiles__text__gt="").order_by()
    doubled = texts.values("profiles__text").annotate(people=Count("pk", distinct=True)).filter(people__gte=2)
    same = texts.filter(pk__in=rows, profiles__text__in=doubled.values("profiles__text"))
    for key in same.values_list("pk", flat=True).distinct():
        rows[key].repeated_text = True
