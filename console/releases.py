"""What the console shows of releases: rows for lists, and headline numbers from a release's own files."""

import json
import re
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from collector.models import Campaign, User
from exports.access import visible_releases
from exports.downloads import open_release_file
from exports.models import Release

SEMANTIC = re.compile(r"(\d+)\.(\d+)\.(\d+)")
LEVELS = (None, "nominal", "ordinal", "interval")
TABLES = ("prompts", "candidates", "annotators", "ratings")


class Finding(NamedTuple):
    """One number of metrics.json in words, with its interval and what it was computed from."""

    criterion: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    undefined_reason: str


def suggest_version(campaign: Campaign) -> str:
    """The next minor version after the highest, or 1.0.0.

    >>> next_minor(["1.0.0", "1.2.1", "draft"])
    '1.3.0'
    """
    return next_minor(campaign.releases.values_list("version", flat=True))


def next_minor(versions: Any) -> str:
    known = [
        tuple(map(int, match.groups())) for version in versions if (match := SEMANTIC.fullmatch(version))
    ]
    if not known:
        return "1.0.0"
    major, minor, _patch = max(known)
    return f"{major}.{minor + 1}.0"


def release_rows(campaign: Campaign, user: User) -> list[dict[str, Any]]:
    """The campaign's releases that the user may see, newest first, those being cut among them."""
    releases = visible_releases(user).filter(campaign=campaign).prefetch_related("files").order_by("-pk")
    return [release_row(release) for release in releases]


def release_row(release: Release) -> dict[str, Any]:
    counts = table_counts(release)
    return {
        "version": release.version,
        "cut_on": release.created_at,
        "cutting": release.state == Release.State.CUTTING,
        "published": release.state == Release.State.PUBLISHED,
        "internal": release.tier == Release.Tier.INTERNAL,
        "tier": release.get_tier_display(),
        "tier_name": release.tier,
        "has_simulated": release.has_simulated,
        "published_on": release.published_at,
        "ratings": counts.get("ratings"),
        "annotators": counts.get("annotators"),
    }


def table_counts(release: Release) -> dict[str, int | None]:
    """How many rows each table of the release has."""
    rows = {file.path: file.rows for file in release.files.all()}
    return {table: rows.get(f"data/{table}.parquet") for table in TABLES}


def headline_findings(release: Release) -> list[Finding]:
    """Agreement, mean and welfare by criterion, over everybody; empty where the release has no metrics."""
    headlines = {
        "krippendorff_alpha": _("Agreement (Krippendorff's alpha)"),
        "mean": _("Mean"),
        "welfare.utilitarian": _("Welfare: the mean over jurors"),
        "welfare.maximin_strata": _("Welfare of the worst-off stratum"),
    }
    order = list(headlines)
    records = [record for record in read_metrics(release) if record["metric"] in headlines]
    whole = [record for record in records if not record.get("group") and not record.get("other_group")]
    whole = _most_informed(whole)
    whole.sort(key=lambda record: (record["criterion"] or "", order.index(record["metric"])))
    return [_to_finding(record, headlines[record["metric"]]) for record in whole]


def _most_informed(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One record a criterion and metric: of several levels, the one that uses most of the scale."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for record in records:
        key = (record["criterion"], record["metric"])
        if key not in best or LEVELS.index(record["level"]) > LEVELS.index(best[key]["level"]):
            best[key] = record
    return list(best.values())


def missing_benchmarks(release: Release) -> list[dict[str, str]]:
    """The benchmarks that the data do not support, each with the reason."""
    benchmarks = release.manifest.get("benchmarks", {})
    return [
        {"name": name, "reason": entry["reason"]}
        for name, entry in benchmarks.items()
        if not entry["supported"]
    ]


def read_metrics(release: Release) -> list[dict[str, Any]]:
    try:
        with open_release_file(release, "metrics.json") as stream:
            records: list[dict[str, Any]] = json.load(stream)
    except FileNotFoundError:
        return []
    return records


def _to_finding(record: dict[str, Any], metric: str) -> Finding:
    level = f" ({record['level']})" if record.get("level") else ""
    return Finding(
        criterion=record["criterion"] or "",
        metric=metric + level,
        value=record["value"],
        low=record["low"],
        high=record["high"],
        n=record.get("n_ratings"),
        undefined_reason=record.get("undefined_reason") or "",
    )
