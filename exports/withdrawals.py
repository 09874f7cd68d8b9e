"""Who is no longer in a campaign's data, under the ids that earlier releases gave them."""

from datetime import UTC, date
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from django.core.files.storage import storages

from annotations.models import Annotator, Consent, Scope
from exports.models import Release
from exports.privacy import ids_of


class Gone(NamedTuple):
    """One annotator who took back what they gave, or their consent to release it."""

    annotator: Annotator
    on: date


def find_gone(release: Release) -> list[Gone]:
    """Everyone who by the cutoff had withdrawn, or whose latest consent no longer covers releases."""
    latest: dict[int, tuple[list[str], date]] = {}
    consents = Consent.objects.filter(annotator__campaign=release.campaign, given_at__lte=release.cutoff)
    for key, scopes, given_at in consents.order_by("pk").values_list("annotator_id", "scopes", "given_at"):
        latest[key] = scopes, given_at.astimezone(UTC).date()
    gone = []
    for annotator in Annotator.objects.filter(campaign=release.campaign).select_related("campaign"):
        if annotator.withdrawn_at and annotator.withdrawn_at <= release.cutoff:
            gone.append(Gone(annotator, annotator.withdrawn_at.astimezone(UTC).date()))
        elif annotator.pk in latest and Scope.RELEASE_RATINGS not in latest[annotator.pk][0]:
            gone.append(Gone(annotator, latest[annotator.pk][1]))
    return gone


def withdrawal_rows(release: Release, gone: list[Gone]) -> list[dict[str, Any]]:
    """{release, annotator_id, date} for each of them and each earlier release they are in; no reasons."""
    rows = []
    for earlier in earlier_releases(release):
        released = _annotator_ids(earlier)
        for annotator, on in gone:
            rows += [
                {"release": earlier.version, "annotator_id": name, "date": on.isoformat()}
                for name in sorted(ids_of(annotator, earlier) & released)
            ]
    return sorted(rows, key=lambda row: (row["release"], row["annotator_id"]))


def earlier_releases(release: Release) -> list[Release]:
    """Finished releases of the same campaign with an earlier cutoff, oldest first."""
    others = Release.objects.filter(campaign=release.campaign, cutoff__lt=release.cutoff)
    return list(others.exclude(state=Release.State.CUTTING).order_by("cutoff", "pk"))


def _annotator_ids(release: Release) -> set[str]:
    name = f"{release.campaign.slug}/{release.version}/data/annotators.parquet"
    with storages["releases"].open(name, "rb") as stream:
        return set(pq.read_table(stream, columns=["annotator_id"])["annotator_id"].to_pylist())
