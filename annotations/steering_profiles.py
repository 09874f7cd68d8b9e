"""Annotators' value profiles as steerings: of those who allow it, a few that differ as much as possible."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from annotations.models import Annotator, Consent, Scope, ValueProfile
from collector.models import Campaign

MOST_PROFILES = 20
# So many of a campaign's profiles, the newest, are looked at.
MOST_CONSIDERED = 5000
# Scores of answers on religion and politics, which ask for a consent of their own.
SPECIAL_SCORES = frozenset({"religion_importance_step", "left_right"})

FloatArray = npt.NDArray[np.float64]


class SharedProfile(NamedTuple):
    """What a person allows to be shown of their latest profile: no id, no answers, no attributes."""

    scores: dict[str, float]
    text: str

    @property
    def entry(self) -> dict[str, Any]:
        """It as the content of a steering."""
        return ({"scores": self.scores} if self.scores else {}) | ({"text": self.text} if self.text else {})


def profile_steerings(campaign: Campaign, count: int) -> list[dict[str, Any]]:
    """Up to `count` steerings, each a different profile of the campaign's annotators; the same every time."""
    chosen = choose_diverse(shared_profiles(campaign), min(count, MOST_PROFILES))
    words = _("simulated profile %(n)s") if campaign.is_demo else _("profile %(n)s")
    return [
        {"label": words % {"n": number}, "profile": profile.entry}
        for number, profile in enumerate(chosen, start=1)
    ]


def shared_profiles(campaign: Campaign) -> list[SharedProfile]:
    """The latest profile of everyone who is there and allows it, cut down to what their consent covers.

    Scores ask for RELEASE_DEMOGRAPHICS, those on religion and politics for SPECIAL_CATEGORY too, and a
    person's own words for RELEASE_FREE_TEXT. Simulated annotators give theirs in a demo only; imported ones
    consented to their source.
    """
    rows = _latest_profiles(campaign).values_list("annotator__source", "allowed", "scores", "text")
    return list(_distinct(_share(*row) for row in rows[:MOST_CONSIDERED]))


def choose_diverse(profiles: Sequence[SharedProfile], count: int) -> list[SharedProfile]:
    """Greedy k-centre (Gonzalez 1985): first the profile furthest from the mean, then always the one
    furthest from those chosen, by Euclidean distance of standardised scores; a missing score is the mean.

    Ties go to the earlier one. Profiles that equal a chosen one in every score come only if they differ in
    their text. Fewer where there are fewer.
    """
    if not profiles or count < 1:
        return []
    points = _standardised(profiles)
    chosen = [int(np.argmax(np.linalg.norm(points, axis=1)))]
    nearest = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < min(count, len(profiles)):
        nearest[chosen] = -1
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return [profiles[index] for index in chosen]


def _latest_profiles(campaign: Campaign) -> QuerySet[ValueProfile]:
    newest = (
        ValueProfile.objects.filter(annotator=OuterRef("annotator")).order_by("-version").values("pk")[:1]
    )
    consent = Consent.objects.filter(annotator=OuterRef("annotator")).order_by("-pk").values("scopes")[:1]
    is_source = (
        Q(annotator__source=Annotator.Source.SIMULATED)
        if campaign.is_demo
        else ~Q(annotator__source=Annotator.Source.SIMULATED)
    )
    return (
        ValueProfile.objects.filter(is_source, annotator__campaign=campaign, pk=Subquery(newest))
        .exclude(annotator__state=Annotator.State.WITHDRAWN)
        .annotate(allowed=Subquery(consent))
        .order_by("-pk")
    )


def _share(source: str, allowed: list[str] | None, scores: dict[str, Any], text: str) -> SharedProfile:
    scopes = set(Scope.values) if source == Annotator.Source.IMPORTED else set(allowed or ())
    shown = {}
    if Scope.RELEASE_DEMOGRAPHICS in scopes:
        shown = {
            name: round(float(value), 2)
            for name, value in sorted(scores.items())
            if isinstance(value, int | float)
            and (name not in SPECIAL_SCORES or Scope.SPECIAL_CATEGORY in scopes)
        }
    return SharedProfile(shown, text.strip() if Scope.RELEASE_FREE_TEXT in scopes else "")


def _distinct(profiles: Iterator[SharedProfile]) -> Iterator[SharedProfile]:
    """Those that say something, each once."""
    seen: set[tuple[Any, ...]] = set()
    for profile in profiles:
        key = (tuple(profile.scores.items()), profile.text)
        if key != ((), "") and key not in seen:
            seen.add(key)
            yield profile


def _standardised(profiles: Sequence[SharedProfile]) -> FloatArray:
    """(profiles x scores), each column with mean 0 and standard deviation 1; all 0 where it is constant."""
    names = sorted({name for profile in profiles for name in profile.scores})
    points = np.array([[profile.scores.get(name, np.nan) for name in names] for profile in profiles])
    points = points.reshape(len(profiles), len(names)).astype(float)
    if not names:
        return np.zeros((len(profiles), 1))
    centred = points - np.nanmean(points, axis=0)
    spread = np.sqrt(np.nanmean(centred**2, axis=0))
    return np.nan_to_num(centred / np.where(spread > 0, spread, 1.0))
