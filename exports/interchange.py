"""Making a campaign of an interchange folder: all of it or nothing, with every fault named."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.consent import ensure_documents, write_document
from annotations.jury import make_strata
from collector.lifecycle import close_campaign
from collector.models import SLUG_LENGTH, Campaign, Membership, User
from collector.tabular import IntakeError, Problem, find_fault
from exports.campaign_file import CampaignFile
from exports.folder import SETTINGS, Folder, open_folder
from exports.imported_content import import_candidates, import_criteria, import_prompts
from exports.imported_jury import import_annotators
from exports.imported_ratings import Ballots, References, import_choices, import_ratings


@dataclass
class Import:
    """What an import made: the campaign, and how many rows of each table."""

    campaign: Campaign
    counts: dict[str, int] = field(default_factory=dict)


def import_campaign(
    folder: Path | str,
    slug: str,
    *,
    owner: User | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Campaign:
    """The folder as a campaign; see `run_import`."""
    return run_import(folder, slug, owner=owner, dry_run=dry_run, now=now).campaign


def run_import(
    folder: Path | str,
    slug: str,
    *,
    owner: User | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Import:
    """Store the folder's tables as a campaign, in one transaction; `dry_run` checks all and stores nothing.

    With annotators it is closed and marked imported; prompts and settings alone make a draft. Raises
    IntakeError, naming file, line and column, and then the database is as it was.
    """
    source = open_folder(Path(folder))
    settings = CampaignFile(source.read_settings(), source.problems)
    _check_tables(source, settings)
    _check_slug(slug)
    with transaction.atomic():
        made = _store(source, settings, slug, now or timezone.now())
        source.problems.raise_if_any()
        if owner:
            Membership.objects.create(campaign=made.campaign, user=owner, role=Membership.Role.MANAGER)
        if dry_run:
            transaction.set_rollback(True)
    return made


def _check_slug(slug: str) -> None:
    try:
        validate_slug(slug)
    except ValidationError:
        said = _('"%(slug)s" is no slug: letters, digits, - and _ only') % {"slug": slug}
        raise IntakeError([Problem(SETTINGS, None, None, said)]) from None
    if len(slug) > SLUG_LENGTH:
        raise IntakeError([Problem(SETTINGS, None, None, _("the slug is too long"))])
    if Campaign.objects.filter(slug=slug).exists():
        said = _('there is already a campaign "%(slug)s"') % {"slug": slug}
        raise IntakeError([Problem(SETTINGS, None, None, said)])


def _check_tables(source: Folder, settings: CampaignFile) -> None:
    """Which tables a folder needs follows from those it has."""
    needs = {"prompts": _("every folder needs it")}
    for table in ("ratings", "choices"):
        if source.has(table):
            needs["candidates"] = _("%(table)s refer to it") % {"table": source.name_of(table)}
    for table, why in needs.items():
        if not source.has(table):
            said = _("the folder has no table of this name (.csv, .jsonl or .parquet); %(why)s") % {
                "why": why
            }
            source.problems.add(table, None, None, said)
    if source.has("criteria") and settings.settings.get("criteria"):
        said = _("the criteria are given twice, here and in campaign.json")
        source.problems.add(source.name_of("criteria"), None, None, said)
    source.problems.raise_if_any()


def _store(source: Folder, settings: CampaignFile, slug: str, now: datetime) -> Import:
    is_imported = any(source.has(table) for table in ("annotators", "ratings", "choices"))
    campaign = Campaign.objects.create(
        slug=slug,
        title=settings.title[:200],
        description=settings.description,
        licence=settings.licence[:64],
        strata=settings.strata,
        seats_per_stratum=settings.seats_per_stratum,
        stratum_seats=settings.stratum_seats,
        wildcard_seats=settings.wildcard_seats,
        soft_targets=settings.soft_targets,
        **({} if settings.instruments is None else {"instruments": settings.instruments}),
        repeat_percent=settings.repeat_percent,
        repeat_distance=settings.repeat_distance,
        lease_minutes=settings.lease_minutes,
        privacy=settings.privacy,
        is_demo=settings.is_demo,
        is_imported=is_imported,
    )
    made = Import(campaign)
    criteria = import_criteria(source, settings, campaign)
    prompts, languages = import_prompts(source, campaign)
    candidates = import_candidates(source, settings, campaign, prompts)
    Campaign.objects.filter(pk=campaign.pk).update(languages=settings.languages or languages or ["en"])
    campaign.refresh_from_db()
    made.counts = {"criteria": len(criteria), "prompts": len(prompts), "candidates": len(candidates)}
    if not is_imported:
        source.problems.raise_if_any()
        _make_declared_strata(campaign)
        _write_consent(source, campaign)
        return made
    annotators = import_annotators(source, campaign)
    made.counts["annotators"] = len(annotators)
    # References into tables that were refused would only repeat the same faults.
    source.problems.raise_if_any()
    references = References(source, annotators, candidates, prompts, criteria, now)
    ballots = Ballots(campaign, now)
    made.counts["ratings"] = import_ratings(source, ballots, references)
    made.counts["choices"] = import_choices(source, ballots, references)
    source.problems.raise_if_any()
    close_campaign(campaign, now=now)
    return made


def _write_consent(source: Folder, campaign: Campaign) -> None:
    """The folder's consent.<language>.md as the campaign's documents; without any, the standard texts."""
    for path in sorted(source.path.glob("consent.*.md")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise IntakeError([Problem(path.name, None, None, _("is not valid UTF-8"))]) from None
        if fault := find_fault(text) or ("" if text.strip() else _("is empty")):
            raise IntakeError([Problem(path.name, None, None, fault)])
        write_document(campaign, path.suffixes[-2].removeprefix("."), text)
    ensure_documents(campaign)


def _make_declared_strata(campaign: Campaign) -> None:
    if all(entry["levels"] for entry in campaign.strata):
        make_strata(campaign)
        return
    said = _("needs levels, because the folder has no annotators to take them from")
    raise IntakeError([Problem(SETTINGS, None, "strata", said)])
