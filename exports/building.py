"""Building the files of a release in a folder: the same release gives the same bytes every time."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import translation

from annotations.models import Annotator, Rating
from collector.models import Candidate, Prompt
from exports.benchmarks import BENCHMARKS, KINDS
from exports.campaign_file import write_settings
from exports.card import write_card
from exports.columns import SCHEMA_VERSION
from exports.croissant import describe_dataset
from exports.datasheet import write_datasheet
from exports.files import to_line, write_json, write_splits, write_table
from exports.folder import MANIFEST, SETTINGS
from exports.manifest import complete_manifest
from exports.metrics import compute_metrics
from exports.models import Release
from exports.privacy import SIMULATED, Jurors, find_jurors
from exports.privacy_gate import pass_gate
from exports.release_folder import ReleaseFolder
from exports.report import write_report
from exports.small_groups import hide_small_groups
from exports.tables import CampaignTables, snapshot
from exports.withdrawals import find_gone, withdrawal_rows

FORMAT = "empanel-release"
NOT_BUILT = "this version of Empanel does not make it"


def build_release(release: Release, path: Path, *, include_simulated: bool) -> dict[str, Any]:
    """Write every file of the release under `path`, an empty folder; returns the manifest.

    Everything that varies between runs (now, the machine, the language of whoever asks) stays out.
    """
    folder = ReleaseFolder(path)
    with translation.override("en"):
        with snapshot():
            jurors = find_jurors(release, include_simulated=include_simulated)
            tier = _tier(release, jurors)
            jurors, privacy = pass_gate(release, tier, jurors)
            tables = CampaignTables(release, jurors)
            rows = {each.table.name: _write(path, each.table.name, each) for each in tables.read()}
            gone = find_gone(release)
            settings = write_settings(release.campaign)
            left_out = list(_left_out(release, jurors, rows))
            sources = Counter(_sources(jurors))
        write_json(path / SETTINGS, settings)
        lines = [f"{to_line(row)}\n" for row in withdrawal_rows(release, gone)]
        (path / "withdrawals.jsonl").write_text("".join(lines), encoding="utf-8", newline="")
        facts = _facts(release, jurors, include_simulated) | {
            "tier": tier,
            "privacy": privacy,
            "generators": settings["generators"],
            "rows": rows,
            "sources": dict(sorted(sources.items())),
            "left_out": left_out,
            "benchmarks": {kind: _write_benchmark(folder, kind, release.seed) for kind in KINDS},
        }
        metrics = compute_metrics(folder, release.seed)
        if privacy["enforced"]:
            metrics, privacy["groups_hidden"] = hide_small_groups(metrics, privacy["k_required"])
        write_json(path / "metrics.json", metrics)
        write_json(path / "croissant.json", describe_dataset(folder, facts))
        texts = {
            "README.md": write_card(folder, facts),
            "DATASHEET.md": write_datasheet(folder, facts),
            "report.html": write_report(facts, metrics),
        }
        for name, text in texts.items():
            (path / name).write_text(text, encoding="utf-8", newline="")
    manifest = complete_manifest(path, facts)
    write_json(path / MANIFEST, manifest)
    return manifest


def _write(path: Path, name: str, table: Any) -> int:
    return write_table(path / "data" / name, table.schema, table.batches)


def _facts(release: Release, jurors: Jurors, include_simulated: bool) -> dict[str, Any]:
    campaign = release.campaign
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "campaign": campaign.slug,
        "title": campaign.title,
        "description": campaign.description,
        "licence": campaign.licence,
        "languages": campaign.languages,
        "version": release.version,
        "cutoff": release.cutoff.isoformat(),
        "seed": release.seed,
        "include_simulated": include_simulated,
        "has_simulated": jurors.has_simulated,
    }


def _tier(release: Release, jurors: Jurors) -> str:
    """Internal, unless a policy says otherwise and everybody is a person."""
    if jurors.has_simulated:
        return Release.Tier.INTERNAL.value
    return str(release.campaign.privacy.get("tier", Release.Tier.INTERNAL.value))


def _sources(jurors: Jurors) -> Iterator[str]:
    """Where the released annotators come from, one word each."""
    kinds = {Annotator.Source.IMPORTED: "imported", Annotator.Source.SIMULATED: SIMULATED}
    sources = dict(Annotator.objects.filter(pk__in=list(jurors.by_key)).values_list("pk", "source"))
    return (kinds.get(Annotator.Source(source), "people") for source in sources.values())


def _left_out(release: Release, jurors: Jurors, rows: dict[str, int]) -> Iterator[dict[str, Any]]:
    for why, count in sorted(jurors.left_out.items()):
        yield {"what": "annotators", "count": count, "why": why}
    campaign = release.campaign
    ratings = Rating.objects.filter(annotator__campaign=campaign, ballot__seat__purpose=Prompt.Purpose.JUDGED)
    others = ratings.filter(ballot__submitted_at__lte=release.cutoff) | ratings.filter(
        ballot__submitted_at=None
    )
    if count := others.count() - rows["ratings"]:
        why = "their annotators are left out, or a later revision replaced them"
        yield {"what": "ratings", "count": count, "why": why}
    candidates = Candidate.objects.filter(campaign=campaign, prompt__purpose=Prompt.Purpose.JUDGED)
    if count := candidates.count() - rows["candidates"]:
        yield {"what": "candidates", "count": count, "why": "not generated, or generation failed"}


def _write_benchmark(folder: ReleaseFolder, kind: str, seed: int) -> dict[str, Any]:
    """Write the kind's splits where the data support it; returns what MANIFEST.json says of it."""
    benchmark = BENCHMARKS.get(kind)
    reason = benchmark.why_not(folder) if benchmark else NOT_BUILT
    if benchmark is None or reason:
        return {"supported": False, "reason": reason}
    rows = write_splits(folder.benchmark_paths(kind), benchmark.schema, benchmark.rows(folder, seed))
    return {"supported": True, "rows": rows}
