"""Who should sit on each prompt's jury: strata, the places prompts have for them, and who belongs where."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from annotations.models import Annotator, Quota, Seat, Stratum
from annotations.shuffle import shuffle_key
from collector.models import Campaign, Prompt

WILDCARD_LABEL = "anyone"
MAX_STRATA = 60
PROMPTS_PER_BATCH = 500


def make_strata(campaign: Campaign) -> list[Stratum]:
    """The campaign's strata: one per combination of levels, and the wildcard that takes anyone.

    In draft the rows follow the campaign's settings. From opening on they are frozen: people sit in them.
    Without attributes there is one stratum, the wildcard.
    """
    kept = list(campaign.strata_cells.all())
    if kept and not campaign.is_draft:
        return kept
    planned = _plan_strata(campaign)
    with transaction.atomic():
        campaign.strata_cells.exclude(label__in=[stratum.label for stratum in planned]).delete()
        Stratum.objects.bulk_create(
            planned,
            update_conflicts=True,
            unique_fields=["campaign", "label"],
            update_fields=["attributes", "seats", "is_wildcard", "position"],
        )
    return list(campaign.strata_cells.all())


def missing_jury(campaign: Campaign) -> list[str]:
    """What the jury lacks before the campaign can open, in words; empty when nothing."""
    missing = list(_faults_of_strata(campaign.strata))
    if not missing and not any(stratum.seats for stratum in _plan_strata(campaign)):
        missing.append(
            _("The jury has no seats: give each stratum, or anyone, at least one seat per prompt.")
        )
    if campaign.lease_minutes < 1:
        missing.append(_("A seat must be held for at least one minute."))
    return missing


def place_annotator(annotator: Annotator, attributes: Mapping[str, Any]) -> Stratum | None:
    """The stratum the attributes name, kept from then on; None where they fit none, which leaves "anyone".

    Frozen once set, and once the first seat is taken: a later profile moves nobody between strata.
    """
    if annotator.stratum_id is not None or Seat.objects.filter(annotator=annotator).exists():
        return annotator.stratum
    for stratum in make_strata(annotator.campaign):
        if not stratum.is_wildcard and stratum.attributes.items() <= attributes.items():
            Annotator.objects.filter(pk=annotator.pk, stratum=None).update(stratum=stratum)
            annotator.stratum = stratum
            break
    return annotator.stratum


def seat_ready_prompts(campaign: Campaign) -> int:
    """Opens places on every ready prompt that has none yet, and returns how many prompts that were.

    Nothing happens before the campaign opens or after it closed. May run twice at once.
    """
    if campaign.state not in (Campaign.State.OPEN, Campaign.State.PAUSED):
        return 0
    strata = [stratum for stratum in make_strata(campaign) if stratum.seats]
    if not strata:
        return 0
    quotas = Quota.objects.filter(prompt=OuterRef("pk"))
    unseated = campaign.prompts.filter(~Exists(quotas)).ready().order_by("position", "pk")
    prompts = 0
    while batch := list(unseated[:PROMPTS_PER_BATCH]):
        Quota.objects.bulk_create(_open_places(campaign, batch, strata), ignore_conflicts=True)
        prompts += len(batch)
    return prompts


def change_seats(stratum: Stratum, seats: int) -> None:
    """Gives every prompt `seats` places for the stratum, but never fewer than are taken already."""
    with transaction.atomic():
        Stratum.objects.filter(pk=stratum.pk).update(seats=seats)
        Quota.objects.filter(stratum=stratum).update(seats=Greatest(seats, F("taken")))
    stratum.seats = seats


def _plan_strata(campaign: Campaign) -> list[Stratum]:
    attributes = [entry["attribute"] for entry in campaign.strata]
    cells = list(product(*(entry["levels"] for entry in campaign.strata))) if attributes else []
    planned = [
        Stratum(
            campaign=campaign,
            label=" / ".join(levels),
            attributes=dict(zip(attributes, levels, strict=True)),
            seats=campaign.seats_per_stratum,
            position=position,
        )
        for position, levels in enumerate(cells)
    ]
    wildcard_seats = (
        campaign.wildcard_seats if planned else campaign.wildcard_seats or campaign.seats_per_stratum
    )
    if wildcard_seats:
        planned.append(
            Stratum(
                campaign=campaign,
                label=WILDCARD_LABEL,
                seats=wildcard_seats,
                is_wildcard=True,
                position=len(planned),
            )
        )
    return planned


def _faults_of_strata(strata: Any) -> Iterator[str]:
    if not isinstance(strata, list) or not all(_is_attribute(entry) for entry in strata):
        yield _("Each stratum attribute needs a name and a list of different levels.")
        return
    names = [entry["attribute"] for entry in strata]
    if len(set(names)) < len(names):
        yield _("A stratum attribute is named twice.")
    cells = 1
    for entry in strata:
        cells *= len(entry["levels"])
    if cells > MAX_STRATA:
        yield _("%(cells)d strata are more than the %(most)d that a jury can have.") % {
            "cells": cells,
            "most": MAX_STRATA,
        }


def _is_attribute(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("attribute"), str) or not entry["attribute"]:
        return False
    levels = entry.get("levels")
    if not isinstance(levels, list) or not all(isinstance(level, str) and level for level in levels):
        return False
    return 0 < len(levels) == len(set(levels))


def _open_places(campaign: Campaign, prompts: list[Prompt], strata: list[Stratum]) -> list[Quota]:
    return [
        Quota(
            campaign=campaign,
            prompt=prompt,
            stratum=stratum,
            language=prompt.language,
            seats=stratum.seats,
            shuffle=shuffle_key(campaign.seed, prompt.external_id),
        )
        for prompt in prompts
        for stratum in strata
    ]
