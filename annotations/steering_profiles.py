"""Annotators' value profiles as steerings: of those who allow it, a few that differ as much as possible."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from annotations.models import Annotator, Consent, Scope, ValueProfile
from collector.models import Campaign, Candidate, Generator
from collector.steering_spec import Kind, label_of

MOST_PROFILES = 20
# So many of a campaign's profiles, the newest, are looked at.
MOST_CONSIDERED = 5000
# Scores of answers on religion and politics, which ask for a consent of their own.
SPECIAL_SCORES = frozenset({"religion_importance_step", "left_right"})

ROWS_AT_ONCE = 500

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
    consent = Consent.objects.filter(annotator=OuterRef("annotator")).order_by("-pk").values("scopes")[:1]
    rows = _latest_profiles(campaign).values_list("annotator__source", Subquery(consent), "scores", "text")
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


def forget_profiles(annotator: Annotator) -> None:
    """Takes the person's profiles out of every generator, and out of what candidates say they were told.

    A snapshot carries no id, so that it is known by what it says: the person's own words, or every score.
    What a model answered stays. Candidates that were only planned under it fail with that reason.
    """
    own = [SharedProfile(_rounded(scores), text.strip()) for scores, text in _said_by(annotator)]
    if not own:
        return
    for generator in Generator.objects.exclude(steerings=[]).order_by("pk").iterator(chunk_size=100):
        gone = [entry for entry in generator.steerings if any(_stems_from(entry, one) for one in own)]
        if gone:
            generator.steerings = [entry for entry in generator.steerings if entry not in gone]
            generator.save(update_fields=["steerings"])
            _forget_messages(generator, {label_of(entry) for entry in gone})


def _latest_profiles(campaign: Campaign) -> QuerySet[ValueProfile]:
    newest = (
        ValueProfile.objects.filter(annotator=OuterRef("annotator")).order_by("-version").values("pk")[:1]
    )
    is_source = (
        Q(annotator__source=Annotator.Source.SIMULATED)
        if campaign.is_demo
        else ~Q(annotator__source=Annotator.Source.SIMULATED)
    )
    return (
        ValueProfile.objects.filter(is_source, annotator__campaign=campaign, pk=Subquery(newest))
        .exclude(annotator__state=Annotator.State.WITHDRAWN)
        .order_by("-pk")
    )


def _share(source: str, allowed: list[str] | None, scores: dict[str, Any], text: str) -> SharedProfile:
    scopes = set(Scope.values) if source == Annotator.Source.IMPORTED else set(allowed or ())
    shown = {}
    if Scope.RELEASE_DEMOGRAPHICS in scopes:
        shown = {
            name: value
            for name, value in _rounded(scores).items()
            if name not in SPECIAL_SCORES or Scope.SPECIAL_CATEGORY in scopes
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


def _rounded(scores: dict[str, Any]) -> dict[str, float]:
    """Two decimals are enough to speak by, and say less of who it is."""
    return {
        name: round(float(value), 2)
        for name, value in sorted(scores.items())
        if isinstance(value, int | float)
    }


def _said_by(annotator: Annotator) -> QuerySet[ValueProfile, tuple[dict[str, Any], str]]:
    return annotator.profiles.order_by("version").values_list("scores", "text")


def _stems_from(entry: dict[str, Any], own: SharedProfile) -> bool:
    profile = entry.get("profile")
    if not isinstance(profile, dict):
        return False
    scores, text = profile.get("scores") or {}, profile.get("text") or ""
    if own.text and own.text in text:
        return True
    return bool(scores) and scores.items() <= own.scores.items()


def _forget_messages(generator: Generator, labels: set[str]) -> None:
    told = generator.candidates.filter(steering__in=labels).exclude(provenance={}).order_by("pk")
    last = 0
    while some := list(told.filter(pk__gt=last).only("pk", "provenance")[:ROWS_AT_ONCE]):
        for candidate in some:
            candidate.provenance = {
                key: value for key, value in candidate.provenance.items() if key != "messages"
            } | {"steering": {"kind": Kind.PROFILE.value, "withdrawn": True}}
        Candidate.objects.bulk_update(some, ["provenance"])
        last = some[-1].pk


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
