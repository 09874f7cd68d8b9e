"""Who may be in a release, under which id, and with which of their answers."""

import hashlib
import hmac
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Q

from annotations.models import Annotator, Ballot, Consent, Scope, ValueProfile
from annotations.questionnaires import campaign_instruments
from annotations.strata import WILDCARD_LABEL
from collector.models import Campaign
from exports.columns import EXTRA_PREFIX, SCORE_PREFIX
from exports.models import Release
from exports.raw_items import ITEM_PREFIX, item_columns

SIMULATED = "simulated"
# Answers on religion and politics, which ask for a consent of their own.
SPECIAL_CATEGORY = {"religion_importance", "left_right", "score_religion_importance_step", "score_left_right"}
EVERY_SCOPE = frozenset(scope.value for scope in Scope)


@dataclass(frozen=True)
class Juror:
    """One annotator as a release shows them."""

    key: int
    annotator_id: str
    stratum: str | None
    weight: float | None
    flags: list[str]
    text: str | None
    attributes: dict[str, Any]
    extra: dict[str, Any]

    @property
    def is_simulated(self) -> bool:
        return SIMULATED in self.flags


@dataclass
class Jurors:
    """Everyone in a release, in the order of their ids, and how many were left out, by reason."""

    by_key: dict[int, Juror] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    shows_extras: bool = True  # whether ratings and choices carry their x_ columns

    @property
    def in_order(self) -> list[Juror]:
        return sorted(self.by_key.values(), key=lambda juror: juror.annotator_id)

    @property
    def has_simulated(self) -> bool:
        return any(juror.is_simulated for juror in self.by_key.values())


def allowed_attributes(campaign: Campaign) -> set[str] | None:
    """Attribute columns a release may carry; None for all of them.

    What campaign.privacy names; without a policy those that make the strata, and all of imported annotators.
    """
    if "attributes" in campaign.privacy:
        return set(campaign.privacy["attributes"])
    if campaign.is_imported and not campaign.privacy:
        return None
    return {entry["attribute"] for entry in campaign.strata}


def current_at(release: Release, prefix: str = "") -> Q:
    """Ballots that counted at the release's cutoff; those of unknown date always did."""
    return Q(**{f"{prefix}submitted_at__lte": release.cutoff}) | Q(**{f"{prefix}submitted_at__isnull": True})


def find_jurors(release: Release, *, include_simulated: bool) -> Jurors:
    """Everyone whose consent at the cutoff covers releasing their ratings, with what else it covers."""
    jurors = Jurors()
    policy = _Policy(release.campaign)
    scopes, profiles, seated = (
        _scopes_at(release),
        _profiles_at(release, with_answers=bool(policy.instruments)),
        _seated_at(release),
    )
    enrolled = Annotator.objects.filter(campaign=release.campaign, enrolled_at__lte=release.cutoff)
    annotators = enrolled.select_related("stratum")
    for annotator in annotators.order_by("pk").iterator(chunk_size=2000):
        is_simulated = annotator.is_simulated or SIMULATED in annotator.flags
        is_imported = annotator.source == Annotator.Source.IMPORTED
        allowed = EVERY_SCOPE if is_imported else scopes.get(annotator.pk, frozenset())
        if annotator.is_withdrawn:
            jurors.left_out["withdrawn"] += 1
        elif is_simulated and not include_simulated:
            jurors.left_out["simulated"] += 1
        elif Scope.RELEASE_RATINGS not in allowed:
            jurors.left_out["no consent to release ratings"] += 1
        elif not is_imported and annotator.pk not in seated:
            jurors.left_out["gave no ballot"] += 1
        else:
            profile = profiles.get(annotator.pk)
            jurors.by_key[annotator.pk] = policy.show(annotator, profile, allowed, release, is_simulated)
    return jurors


def ids_of(annotator: Annotator, release: Release) -> set[str]:
    """Every id the annotator can have had in a release, whatever they had allowed by then."""
    return {
        annotator.external_id,
        _keyed(release.id_key, annotator.pk),
        _keyed(annotator.campaign.seed, annotator.pk),
    }


def _scopes_at(release: Release) -> dict[int, frozenset[str]]:
    """The latest consent of each annotator at the cutoff."""
    consents = Consent.objects.filter(annotator__campaign=release.campaign, given_at__lte=release.cutoff)
    rows = consents.order_by("pk").values_list("annotator_id", "scopes")
    return {annotator: frozenset(scopes) for annotator, scopes in rows.iterator(chunk_size=5000)}


class _Profile(NamedTuple):
    """What a release reads of somebody's latest profile; `answers` only where the policy asks for them."""

    attributes: dict[str, Any] = {}
    scores: dict[str, Any] = {}
    text: str = ""
    answers: dict[str, Any] = {}


def _profiles_at(release: Release, *, with_answers: bool) -> dict[int, _Profile]:
    profiles = ValueProfile.objects.filter(
        annotator__campaign=release.campaign, created_at__lte=release.cutoff
    )
    columns = ["attributes", "scores", "text", *(["answers"] if with_answers else [])]
    rows = profiles.order_by("version").values_list("annotator_id", *columns)
    return {annotator: _Profile(*rest) for annotator, *rest in rows.iterator()}


def _seated_at(release: Release) -> set[int]:
    ballots = Ballot.objects.filter(current_at(release), seat__campaign=release.campaign)
    return set(ballots.values_list("seat__annotator_id", flat=True).distinct())


class _Policy:
    """What campaign.privacy lets a release show, before each person's own consent."""

    def __init__(self, campaign: Campaign) -> None:
        self.attributes = allowed_attributes(campaign)
        self.free_text = bool(campaign.privacy.get("free_text")) or self.attributes is None
        # Raw answers are fingerprints: never in an open release, elsewhere only where the policy asks.
        is_asked = campaign.privacy.get("raw_items") and campaign.privacy.get("tier") != Release.Tier.OPEN
        self.instruments = campaign_instruments(campaign) if is_asked else []
        self.raw_items = bool(is_asked)
        strata = {entry["attribute"] for entry in campaign.strata}
        self.strata = self.attributes is None or strata <= self.attributes

    def show(
        self,
        annotator: Annotator,
        profile: _Profile | None,
        scopes: frozenset[str],
        release: Release,
        is_simulated: bool,
    ) -> Juror:
        answers, scores, text, items = profile or _Profile()
        shows_answers = Scope.RELEASE_DEMOGRAPHICS in scopes
        columns = answers | {f"{SCORE_PREFIX}{name}": value for name, value in scores.items()}
        columns |= item_columns(self.instruments, items)
        if Scope.SPECIAL_CATEGORY not in scopes:
            columns = {name: value for name, value in columns.items() if name not in SPECIAL_CATEGORY}
        is_imported = annotator.source == Annotator.Source.IMPORTED
        flags = [
            *annotator.flags,
            *([SIMULATED] if is_simulated and SIMULATED not in annotator.flags else []),
        ]
        return Juror(
            key=annotator.pk,
            annotator_id=annotator.external_id
            if is_imported
            else _keyed(
                annotator.campaign.seed if Scope.LINK_RELEASES in scopes else release.id_key, annotator.pk
            ),
            stratum=self._stratum(annotator, is_imported) if shows_answers and self.strata else None,
            weight=annotator.weight,
            flags=sorted(flags) if not is_imported else flags,
            text=text if text and self.free_text and Scope.RELEASE_FREE_TEXT in scopes else None,
            attributes=self._allowed(columns) if shows_answers else {},
            extra=self._allowed(annotator.extra, EXTRA_PREFIX) if shows_answers else {},
        )

    def _stratum(self, annotator: Annotator, is_imported: bool) -> str | None:
        if annotator.stratum:
            return annotator.stratum.label
        # Whoever fits no cell sat on a seat for anyone; imported data have no such seats.
        return None if is_imported else WILDCARD_LABEL

    def _allowed(self, columns: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        return {
            name: value
            for name, value in columns.items()
            if name.startswith(prefix) and self._is_allowed(name)
        }

    def _is_allowed(self, name: str) -> bool:
        is_raw_item = self.raw_items and name.startswith(ITEM_PREFIX)
        return is_raw_item or self.attributes is None or name in self.attributes


def _keyed(key: str, number: int) -> str:
    """16 hex digits that only the key's holder can tie to a person."""
    return hmac.new(key.encode(), f"annotator:{number}".encode(), hashlib.sha256).hexdigest()[:16]
